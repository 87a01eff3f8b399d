#include "network_library.h"

#include "mcvol/error/error.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <dlfcn.h>

namespace mcvol {
namespace {

// Threads of LibTorch's OpenMP spin while they wait for each other, for about a millisecond. On a
// machine that others use as well, one that has lost its core then keeps all the rest spinning:
// measured, ten times the run time. Spinning for some ten microseconds costs nothing there, and is
// a fifth faster than not at all where the cores are ours. libgomp reads its environment as it is
// loaded. Whoever sets a policy decides.
void wait_with_little_spinning() {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "3000", 0);
}

std::filesystem::path library_path() {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  return program.parent_path().parent_path() / "lib" / "libmcvol_network.so";
}

// It stays open: LibTorch's threads and statics outlive every network.
const NetworkLibrary& open_library() {
  wait_with_little_spinning();
  const std::filesystem::path path = library_path();
  std::error_code unreadable;
  if (!std::filesystem::exists(path, unreadable)) {
    throw Error(path.string() +
                ": not there, and it is what runs networks; keep it beside the "
                "program, in lib/ next to bin/, as the build puts it");
  }
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw Error(path.filename().string() + ", which runs networks, cannot be loaded: " + dlerror() +
                "; LibTorch " MCVOL_TORCH_VERSION
                " has to lie where the program was built with it "
                "(scripts/setup.sh fetches it)");
  }
  const auto* const entry =
      static_cast<const NetworkLibrary*>(dlsym(library, kNetworkLibraryEntry));
  if (entry == nullptr || std::string(entry->version) != MCVOL_VERSION ||
      entry->bundle_bytes != sizeof(Bundle) || entry->options_bytes != sizeof(SegmenterOptions) ||
      entry->summary_bytes != sizeof(NetworkSummary)) {
    throw Error(path.string() + ": of another version than the program, which is " MCVOL_VERSION
                                "; build or install both together");
  }
  return *entry;
}

}  // namespace

std::unique_ptr<Segmenter> load_segmenter(const Bundle& bundle, const SegmenterOptions& options) {
  static const NetworkLibrary& library = open_library();
  return library.load_segmenter(bundle, options);
}

std::string libtorch_version() { return MCVOL_TORCH_VERSION; }

}  // namespace mcvol

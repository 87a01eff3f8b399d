// libFuzzer's entry to loading and rewriting TorchScript networks; none is run
// (docs/development.md).
#include "mcvol/error/error.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "fuzz/archive_mutator.h"
#include "fuzz/structured_mutation.h"
#include "network/graph/dropout_graph.h"
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

fs::path scratch_file() {
  const fs::path memory = "/dev/shm";
  return (fs::is_directory(memory) ? memory : fs::temp_directory_path()) /
         ("mcvol-fuzz-" + std::to_string(::getpid()) + ".pt");
}

void check(const mcvol::DropoutGraph& network) {
  if (network.whole == nullptr || network.prefix == nullptr) {
    throw std::logic_error("a network without graphs");
  }
  for (const auto& graph : {network.whole, network.prefix, network.suffix}) {
    if (graph != nullptr) graph->lint();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fs::path path = scratch_file();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    check(mcvol::load_dropout_graph(path, "network.pt", mcvol::DropoutScope::kChannel));
  } catch (const mcvol::Error&) {
    // Refused, as most are.
  }
  fs::remove(path);
  return 0;
}

/// The bytes of an archive themselves are hardly worth changing: it has checksums.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned int seed) {
  return mcvol::fuzz::mutate_in_place(data, size, most, [&](std::string_view archive) {
    return seed % 32 == 0
               ? std::string()
               : mcvol::fuzz::mutated_network(archive, seed / 32, mcvol::fuzz::mutated_bytes);
  });
}

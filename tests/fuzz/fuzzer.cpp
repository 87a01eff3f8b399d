// libFuzzer's entry to every target; MCVOL_FUZZ_TARGET names the one (docs/development.md).
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "json_mutator.h"
#include "structured_mutation.h"
#include "targets.h"
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

/// In memory, where there is such a file system: files are written thousands of times a second.
struct Scratch {
  fs::path path;
  Scratch() {
    const fs::path memory = "/dev/shm";
    path = (fs::is_directory(memory) ? memory : fs::temp_directory_path()) /
           ("mcvol-fuzz-" + std::to_string(::getpid()));
    fs::create_directories(path);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

const mcvol::fuzz::Target& chosen_target() {
  const char* const name = std::getenv("MCVOL_FUZZ_TARGET");
  if (name != nullptr) return mcvol::fuzz::target_named(name);
  std::cerr << "MCVOL_FUZZ_TARGET has to be one of:\n";
  for (const mcvol::fuzz::Target& target : mcvol::fuzz::targets()) std::cerr << target.name << '\n';
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const mcvol::fuzz::Target& kTarget = chosen_target();
  static const Scratch kScratch;
  mcvol::fuzz::feed(kTarget, {reinterpret_cast<const char*>(data), size}, kScratch.path);
  return 0;
}

/// Every other time as JSON, where it is: most bytes changed at random make a text that is none.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned int seed) {
  return mcvol::fuzz::mutate_in_place(data, size, most, [&](std::string_view text) {
    return seed % 2 == 0 ? std::string()
                         : mcvol::fuzz::mutated_json(text, seed / 2, mcvol::fuzz::mutated_bytes);
  });
}

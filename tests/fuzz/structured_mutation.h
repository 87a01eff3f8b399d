#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace mcvol::fuzz {

/// libFuzzer's own change of some bytes; gives at most `room` of them, or as many as there were.
inline std::string mutated_bytes(std::string bytes, std::size_t room) {
  const std::size_t before = bytes.size();
  bytes.resize(std::max(room, before));
  bytes.resize(
      LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), before, bytes.size()));
  return bytes;
}

/// What LLVMFuzzerCustomMutator does with a mutation that knows the format: libFuzzer's own where
/// it gives nothing, or more than fits.
/// @param mutate text -> changed text, empty where it knows nothing.
template <typename Mutate>
std::size_t mutate_in_place(std::uint8_t* data, std::size_t size, std::size_t most,
                            const Mutate& mutate) {
  const std::string mutated = mutate(std::string_view(reinterpret_cast<const char*>(data), size));
  if (mutated.empty() || mutated.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(mutated.begin(), mutated.end(), data);
  return mutated.size();
}

}  // namespace mcvol::fuzz

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace mcvol::fuzz {

/// A TorchScript archive with the code, the pickles or the tensors of one or a few members changed.
/// @param mutate changes bytes, to at most `room`. Empty where `archive` is none.
std::string mutated_network(
    std::string_view archive, unsigned seed,
    const std::function<std::string(std::string bytes, std::size_t room)>& mutate);

}  // namespace mcvol::fuzz

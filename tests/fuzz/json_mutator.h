#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace mcvol::fuzz {

/// Changes bytes; gives at most `room` of them, or as many as there were.
using MutateBytes = std::function<std::string(std::string bytes, std::size_t room)>;

/// A JSON text with one or a few values replaced, removed, copied or given twice; counts packed in
/// base64 are changed as the numbers they are. Empty where `text` is no JSON.
std::string mutated_json(std::string_view text, unsigned seed, const MutateBytes& mutate);

}  // namespace mcvol::fuzz

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <torch/csrc/jit/api/module.h>

namespace mcvol {

/// Holds `forward` of a module against what mcvol runs, one image in and one tensor out, and, where
/// it gives several tensors (deep supervision), makes it give the one that is asked for.
/// @param index which of a tuple or list, from 0; none where it gives one tensor.
/// @param name the file's, for messages.
/// @throws ModelError where it takes or gives something else.
void take_output(const torch::jit::Module& module, std::optional<std::int64_t> index,
                 const std::string& name);

}  // namespace mcvol

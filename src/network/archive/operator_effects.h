#pragma once

#include <optional>
#include <string>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// What an operator would do besides computing its results, judged by its schema: "reads or writes
/// a file" (aten::save, aten::from_file), "changes more than its arguments" (aten::manual_seed,
/// aten::backward), "is none of PyTorch's own operators" (custom ones, ours among them), "runs code
/// that is not in the file" (prim::PythonOp, prim::fork, C++ classes). None of one that is
/// harmless: that writes into its arguments, raises, warns or checks.
std::optional<std::string> effect_of(const torch::jit::Node& node);

}  // namespace mcvol

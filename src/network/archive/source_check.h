#pragma once

#include <memory>
#include <string>

#include <torch/csrc/jit/frontend/source_range.h>

namespace mcvol {

/// What in a file of code must not even be compiled, "a default value that is computed in …": such
/// values, of arguments and of classes, are run by LibTorch as it compiles. Or code so deep or long
/// in one line that LibTorch's parser, which calls itself for it, would run out of stack. Empty
/// where there is none.
std::string danger_of_compiling(const std::shared_ptr<torch::jit::Source>& source,
                                const std::string& record);

}  // namespace mcvol

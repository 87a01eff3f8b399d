#pragma once

#include <filesystem>
#include <string>

#include <torch/csrc/jit/api/module.h>

namespace mcvol {

/// Loads a TorchScript file in eval mode, after all its code has been looked at: nothing of it runs
/// that code_check.h refuses, not even while it is read.
/// @param name the file's, for messages.
/// @throws ModelError where the file is none, saying what it is instead, or may not run.
torch::jit::Module load_module(const std::filesystem::path& path, const std::string& name);

}  // namespace mcvol

#pragma once

#include <exception>
#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// What a file is that is not even the kind of archive that TorchScript files are, and what to do
/// instead: "is an ONNX model; …". Empty where it may be one.
std::string other_kind_of(const std::filesystem::path& path);

/// The same of an archive that TorchScript did not write, by the names of its records.
std::string what_archive_holds(const std::vector<std::string>& records);

/// The same where LibTorch threw while it read a file.
std::string damage_in(const std::exception& error);

}  // namespace mcvol

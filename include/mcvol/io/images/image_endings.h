#pragma once

#include <array>
#include <string>
#include <string_view>

namespace mcvol {

/// How the names of files end that read_image() reads, in small letters.
inline constexpr std::array<std::string_view, 4> kImageEndings{".nii.gz", ".nii", ".nrrd", ".mha"};

/// The same, for messages.
inline constexpr const char* kImageEndingsInWords = ".nii.gz, .nii, .nrrd or .mha";

/// `name` without its ending, in capitals or not; empty where it has none of kImageEndings.
std::string image_stem(std::string_view name);

}  // namespace mcvol

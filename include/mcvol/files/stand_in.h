#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace mcvol {

/// What a file is that data tools and web servers leave in the place of another, by its first
/// bytes, and how to get the one that is meant, such as "a Git LFS pointer, not the file itself;
/// fetch it (git lfs pull)". Empty where it is none of those.
/// @param beginning 1024 bytes of the file or more, or all of a shorter one.
std::string stand_in_of(std::string_view beginning);

/// The same of a file; empty too where it cannot be read. @pre no pipe, which would never end
std::string stand_in_of_file(const std::filesystem::path& path);

}  // namespace mcvol

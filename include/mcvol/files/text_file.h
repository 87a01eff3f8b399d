#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace mcvol {

/// Whole content of a file. @throws Error naming the file when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Writes a file whole or not at all: beside it under a temporary name, fsync, rename, fsync of the
/// folder. Creates missing parent folders. A symbolic link is followed; a file that is replaced
/// leaves its mode to the new one. What is no regular file (a device, a pipe, /dev/stdout) is
/// written, never replaced. @throws Error naming the file and the cause, leaving what was there
/// before and no temporary file; DiskError where no other file could be written either.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Removes a file that may not be there. @param verb of the message. @throws Error where it stays;
/// DiskError where no file could be removed.
void remove_file(const std::filesystem::path& path, const char* verb = "remove");

/// Tries whether write_file_atomically() could write there, before the work whose result is to go
/// there. @throws Error as that would.
void require_writable(const std::filesystem::path& path);

/// Removes the temporary files that killed writers left in a folder; only names that
/// write_file_atomically() gives. Call it where no writer is at work. What cannot be removed stays.
void remove_left_temporary_files(const std::filesystem::path& folder);

}  // namespace mcvol

#include "mcvol/pipeline/input_files.h"

#include "mcvol/error/error.h"
#include "mcvol/files/sha256.h"

#include <cerrno>
#include <cstring>

#include <sys/stat.h>

namespace mcvol {

namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

/// All but the hash. The epoch of std::filesystem's clock is the library's own, hence stat().
InputFile stat_of(const std::string& channel, const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    throw InputError(path.filename().string() + ": cannot be read: " + std::strerror(errno));
  }
  InputFile file;
  file.channel = channel;
  file.file_name = path.filename().string();
  file.size_bytes = status.st_size;
  file.mtime_ns = status.st_mtim.tv_sec * kNanosecondsPerSecond + status.st_mtim.tv_nsec;
  return file;
}

bool unchanged(const InputFile& recorded, const std::string& channel,
               const std::filesystem::path& path) {
  const InputFile now = stat_of(channel, path);
  if (now.channel != recorded.channel || now.file_name != recorded.file_name ||
      now.size_bytes != recorded.size_bytes) {
    return false;
  }
  return now.mtime_ns == recorded.mtime_ns || sha256_of_file(path) == recorded.sha256;
}

}  // namespace

std::vector<InputFile> describe_inputs(const std::vector<std::string>& channels,
                                       const std::vector<std::filesystem::path>& channel_files) {
  std::vector<InputFile> inputs;
  for (std::size_t n = 0; n < channel_files.size(); ++n) {
    // The time first: a file that changes while it is hashed must not look unchanged later.
    InputFile file = stat_of(channels.at(n), channel_files[n]);
    file.sha256 = sha256_of_file(channel_files[n]);
    inputs.push_back(std::move(file));
  }
  return inputs;
}

bool inputs_unchanged(const std::vector<InputFile>& inputs,
                      const std::vector<std::string>& channels,
                      const std::vector<std::filesystem::path>& channel_files) {
  if (inputs.size() != channel_files.size()) return false;
  try {
    for (std::size_t n = 0; n < inputs.size(); ++n) {
      if (!unchanged(inputs[n], channels.at(n), channel_files[n])) return false;
    }
  } catch (const Error&) {
    return false;  // Measuring the case again says what is wrong with its file.
  }
  return true;
}

}  // namespace mcvol

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
InputFile stat_of(const std::string& channel, const ImageSource& source) {
  struct stat status {};
  if (::stat(source.file.c_str(), &status) != 0) {
    throw InputError(source.file.filename().string() + ": cannot be read: " + std::strerror(errno));
  }
  InputFile file;
  file.channel = channel;
  file.file_name = source.file.filename().string();
  file.index = source.index;
  file.size_bytes = status.st_size;
  file.mtime_ns = status.st_mtim.tv_sec * kNanosecondsPerSecond + status.st_mtim.tv_nsec;
  return file;
}

bool unchanged(const InputFile& recorded, const std::string& channel, const ImageSource& source) {
  const InputFile now = stat_of(channel, source);
  if (now.channel != recorded.channel || now.file_name != recorded.file_name ||
      now.index != recorded.index || now.size_bytes != recorded.size_bytes) {
    return false;
  }
  return now.mtime_ns == recorded.mtime_ns || sha256_of_file(source.file) == recorded.sha256;
}

}  // namespace

std::vector<InputFile> describe_inputs(const std::vector<std::string>& channels,
                                       const std::vector<ImageSource>& channel_files) {
  std::vector<InputFile> inputs;
  for (std::size_t n = 0; n < channel_files.size(); ++n) {
    // The time first: a file that changes while it is hashed must not look unchanged later.
    InputFile file = stat_of(channels.at(n), channel_files[n]);
    // A 4-D file is every channel's.
    const bool is_known = n > 0 && channel_files[n].file == channel_files[n - 1].file;
    file.sha256 = is_known ? inputs.back().sha256 : sha256_of_file(channel_files[n].file);
    inputs.push_back(std::move(file));
  }
  return inputs;
}

bool inputs_unchanged(const std::vector<InputFile>& inputs,
                      const std::vector<std::string>& channels,
                      const std::vector<ImageSource>& channel_files) {
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

#include "gz_reader.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/images/refusal.h"

namespace mcvol {

GzReader::GzReader(const std::filesystem::path& path) : name_(path.filename().string()) {
  require_own_content(path, "a NIfTI file");
  errno = 0;
  file_ = gzopen(path.c_str(), "rb");
  if (file_ == nullptr) {
    throw InputError(
        name_ + ": cannot be opened: " + (errno != 0 ? std::strerror(errno) : "out of memory"));
  }
  gzbuffer(file_, 1U << 17U);
  compressed_ = gzdirect(file_) == 0;
}

GzReader::~GzReader() { gzclose(file_); }

std::size_t GzReader::read(void* buffer, std::size_t bytes) {
  constexpr std::size_t kMost = 1U << 30U;  // gzread takes and gives an int
  std::size_t done = 0;
  while (done < bytes) {
    const auto request = static_cast<unsigned>(std::min(bytes - done, kMost));
    const int got = gzread(file_, static_cast<char*>(buffer) + done, request);
    int code = Z_OK;
    gzerror(file_, &code);  // its text names the whole path, which messages do not
    if (code == Z_BUF_ERROR) {
      throw InputError(name_ + ": truncated, the compressed data end too early; copy it again");
    }
    if (got < 0) {
      if (code == Z_ERRNO) {
        throw InputError(name_ + ": cannot be read: " + std::strerror(errno));
      }
      throw InputError(name_ + ": damaged, its gzip data are corrupt; copy it again");
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace mcvol

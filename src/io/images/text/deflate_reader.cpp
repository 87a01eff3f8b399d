#include "deflate_reader.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <utility>

#include "io/images/refusal.h"

namespace mcvol {

DeflateReader::DeflateReader(std::string name, std::ifstream& file)
    : name_(std::move(name)), file_(file), packed_(std::size_t{1} << 18U) {
  constexpr int kEither = 15 + 32;  // largest window; gzip or zlib, by its head
  if (inflateInit2(&stream_, kEither) != Z_OK) throw Error(name_ + ": out of memory");
}

DeflateReader::~DeflateReader() { inflateEnd(&stream_); }

/// More packed bytes, where none are left. False at the end of the file.
bool DeflateReader::fill() {
  if (stream_.avail_in > 0) return true;
  file_.read(packed_.data(), static_cast<std::streamsize>(packed_.size()));
  stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
  stream_.avail_in = static_cast<uInt>(file_.gcount());
  return stream_.avail_in > 0;
}

/// Another gzip member may follow; other bytes behind the data are ignored, as gunzip does.
bool DeflateReader::next_member() {
  constexpr unsigned char kFirstOfGzip = 0x1F;
  if (!fill() || *stream_.next_in != kFirstOfGzip) return false;
  return inflateReset(&stream_) == Z_OK;
}

std::size_t DeflateReader::read(void* buffer, std::size_t bytes) {
  constexpr std::size_t kMost = std::size_t{1} << 30U;
  auto* to = static_cast<Bytef*>(buffer);
  std::size_t done = 0;
  while (done < bytes && !ended_) {
    const bool has_input = fill();
    const std::size_t wanted = std::min(bytes - done, kMost);
    stream_.next_out = to + done;
    stream_.avail_out = static_cast<uInt>(wanted);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    const std::size_t got = wanted - stream_.avail_out;
    done += got;
    if (result == Z_STREAM_END) {
      ended_ = !next_member();
    } else if (result == Z_BUF_ERROR && !has_input && got == 0) {
      refuse(name_, "truncated, the compressed data end too early; copy it again");
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      refuse(name_, "damaged, its compressed data are corrupt; copy it again");
    }
  }
  return done;
}

}  // namespace mcvol

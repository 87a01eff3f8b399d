#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <zlib.h>

namespace mcvol {

/// Reads a file front to back, decompressing it if it is gzip. Errors are InputErrors that start
/// with the file's name.
class GzReader {
 public:
  explicit GzReader(const std::filesystem::path& path);
  ~GzReader();
  GzReader(const GzReader&) = delete;
  GzReader& operator=(const GzReader&) = delete;

  /// Whether the file begins like gzip.
  bool compressed() const { return compressed_; }
  /// Fills `buffer` as far as the file goes. @returns bytes read. At the end of a gzip file its
  /// checksum has been verified.
  /// @throws InputError where the file cannot be read or its compression is damaged or cut short.
  std::size_t read(void* buffer, std::size_t bytes);

 private:
  std::string name_;
  gzFile file_ = nullptr;
  bool compressed_ = false;
};

}  // namespace mcvol

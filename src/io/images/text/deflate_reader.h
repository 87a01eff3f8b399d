#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include <zlib.h>

namespace mcvol {

/// Unpacks what is left of a file: zlib or gzip, of one or several members.
class DeflateReader {
 public:
  /// @param name the file's, for messages. @param file at the first packed byte; outlives this.
  DeflateReader(std::string name, std::ifstream& file);
  ~DeflateReader();
  DeflateReader(const DeflateReader&) = delete;
  DeflateReader& operator=(const DeflateReader&) = delete;

  /// Fills `buffer` as far as the data go. @returns bytes unpacked; where they are fewer than asked
  /// for, the checksum has been verified.
  /// @throws InputError where the data are damaged or end too early.
  std::size_t read(void* buffer, std::size_t bytes);

 private:
  bool fill();
  bool next_member();

  std::string name_;
  std::ifstream& file_;
  std::vector<char> packed_;
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace mcvol

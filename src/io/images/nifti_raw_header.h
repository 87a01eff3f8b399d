#pragma once

#include "mcvol/error/error.h"
#include "mcvol/io/images/nifti_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace mcvol {

constexpr std::size_t kNiftiHeaderBytes = 348;

/// The fields of a NIfTI-1 header (offsets: nifti1.h, https://nifti.nimh.nih.gov/nifti-1),
/// whichever endianness it was written in.
class NiftiRawHeader {
 public:
  NiftiRawHeader(const std::array<char, kNiftiHeaderBytes>& bytes, bool swapped)
      : bytes_(bytes), swapped_(swapped) {}

  template <typename Value>
  Value get(std::size_t offset) const {
    std::array<char, sizeof(Value)> field;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), sizeof(Value), field.begin());
    if (swapped_) {
      std::reverse(field.begin(), field.end());
    }
    return std::bit_cast<Value>(field);
  }
  std::int16_t int16(std::size_t offset) const { return get<std::int16_t>(offset); }
  double float32(std::size_t offset) const { return get<float>(offset); }

  std::int16_t dim(int n) const { return int16(40 + 2 * static_cast<std::size_t>(n)); }
  double pixdim(int n) const { return float32(76 + 4 * static_cast<std::size_t>(n)); }
  std::int16_t datatype() const { return int16(70); }
  double vox_offset() const { return float32(108); }
  double scl_slope() const { return float32(112); }
  double scl_inter() const { return float32(116); }
  int length_unit() const { return get<std::uint8_t>(123) & 7; }
  int qform_code() const { return int16(252); }
  int sform_code() const { return int16(254); }
  double quaternion(int n) const { return float32(256 + 4 * static_cast<std::size_t>(n)); }
  double qoffset(int n) const { return float32(268 + 4 * static_cast<std::size_t>(n)); }
  double srow(int row, int column) const {
    return float32(280 + 16 * static_cast<std::size_t>(row) + 4 * static_cast<std::size_t>(column));
  }

 private:
  const std::array<char, kNiftiHeaderBytes>& bytes_;
  bool swapped_;
};

/// One line, starting with the file's name.
[[noreturn]] inline void refuse(const std::string& name, const std::string& reason) {
  throw InputError(name + ": " + reason);
}

inline std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

[[noreturn]] inline void refuse_truncated(const std::string& name, const NiftiHeader& header,
                                          std::int64_t found_bytes) {
  refuse(name, "truncated: " + std::to_string(found_bytes) + " bytes (uncompressed), expected " +
                   std::to_string(header.data_offset + header.data_bytes()) + "; copy it again");
}

/// Size and place of the voxels, checked. Sets `grid` and `orientation_known`.
void set_grid(const std::string& name, const NiftiRawHeader& raw, NiftiHeader& header);

}  // namespace mcvol

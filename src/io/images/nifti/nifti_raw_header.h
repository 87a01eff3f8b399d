#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

#include "io/images/refusal.h"
#include "nifti_header.h"

namespace mcvol {

constexpr std::size_t kNifti1HeaderBytes = 348;
constexpr std::size_t kNifti2HeaderBytes = 540;

/// The fields of a NIfTI-1 or NIfTI-2 header (offsets: nifti1.h and nifti2.h,
/// https://nifti.nimh.nih.gov), whichever endianness it was written in.
class NiftiRawHeader {
 public:
  using Bytes = std::array<char, kNifti2HeaderBytes>;

  NiftiRawHeader(const Bytes& bytes, int version, bool swapped)
      : bytes_(bytes), second_(version == 2), swapped_(swapped) {}

  template <typename Value>
  Value get(std::size_t offset) const {
    std::array<char, sizeof(Value)> field;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), sizeof(Value), field.begin());
    if (swapped_) {
      std::reverse(field.begin(), field.end());
    }
    return std::bit_cast<Value>(field);
  }

  std::int64_t dim(int n) const {
    const auto at = static_cast<std::size_t>(n);
    return second_ ? get<std::int64_t>(16 + 8 * at) : get<std::int16_t>(40 + 2 * at);
  }
  int datatype() const { return get<std::int16_t>(second_ ? 12 : 70); }
  int bitpix() const { return get<std::int16_t>(second_ ? 14 : 72); }
  double vox_offset() const {
    return second_ ? static_cast<double>(get<std::int64_t>(168)) : get<float>(108);
  }
  double pixdim(int n) const { return real(76, 104, n); }
  double scl_slope() const { return real(112, 176); }
  double scl_inter() const { return real(116, 184); }
  int length_unit() const {
    return (second_ ? get<std::int32_t>(500) : get<std::uint8_t>(123)) & 7;
  }
  int qform_code() const { return second_ ? get<std::int32_t>(344) : get<std::int16_t>(252); }
  int sform_code() const { return second_ ? get<std::int32_t>(348) : get<std::int16_t>(254); }
  double quaternion(int n) const { return real(256, 352, n); }
  double qoffset(int n) const { return real(268, 376, n); }
  double srow(int row, int column) const { return real(280, 400, 4 * row + column); }

 private:
  /// The n-th of several in a row: float in NIfTI-1, double in NIfTI-2.
  double real(std::size_t first_of_1, std::size_t first_of_2, int n = 0) const {
    const auto at = static_cast<std::size_t>(n);
    return second_ ? get<double>(first_of_2 + 8 * at) : get<float>(first_of_1 + 4 * at);
  }

  const Bytes& bytes_;
  bool second_;
  bool swapped_;
};

[[noreturn]] inline void refuse_truncated(const std::string& name, const NiftiHeader& header,
                                          std::int64_t found_bytes) {
  refuse(name, "truncated: " + std::to_string(found_bytes) + " bytes (uncompressed), expected " +
                   std::to_string(header.data_offset + header.data_bytes()) + "; copy it again");
}

/// Number, size and place of the voxels, checked. Sets `images`, `index`, `grid`,
/// `orientation_known` and `transforms_apart_mm`.
void set_grid(const ImageSource& source, const NiftiRawHeader& raw, NiftiHeader& header);

}  // namespace mcvol

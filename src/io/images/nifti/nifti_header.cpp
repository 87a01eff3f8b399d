#include "nifti_header.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "gz_reader.h"
#include "io/images/other_format.h"
#include "nifti_raw_header.h"

namespace mcvol {
namespace {

// A header and four bytes that announce extensions.
constexpr std::int64_t kFirstData1 = kNifti1HeaderBytes + 4;
constexpr std::int64_t kFirstData2 = kNifti2HeaderBytes + 4;

void check_name(const std::string& name) {
  const std::string lower = lower_case(name);
  if (lower.ends_with(".hdr") || lower.ends_with(".img") || lower.ends_with(".hdr.gz") ||
      lower.ends_with(".img.gz")) {
    refuse(name,
           "an Analyze or two-file NIfTI image, expected one .nii or .nii.gz file; convert "
           "it, for example with mrconvert or nibabel");
  }
  if (!lower.ends_with(".nii") && !lower.ends_with(".nii.gz")) {
    refuse(name, "not named .nii or .nii.gz; convert it to NIfTI");
  }
}

struct Version {
  int number = 1;
  bool swapped = false;  ///< written in the other endianness
};

/// Of which version a file is, by the size of its header, which comes first.
Version checked_version(const std::string& name, const NiftiRawHeader::Bytes& bytes,
                        std::size_t got) {
  const NiftiRawHeader as_written(bytes, 1, false);
  const NiftiRawHeader other_way(bytes, 1, true);
  const bool swapped =
      as_written.get<std::int32_t>(0) != 348 && as_written.get<std::int32_t>(0) != 540;
  const auto size = (swapped ? other_way : as_written).get<std::int32_t>(0);
  if (size != 348 && size != 540) {
    refuse(name, "not a NIfTI file (its header does not begin with 348 or 540)" +
                     but_another_format({bytes.data(), got}));
  }
  const bool second = size == 540;
  if (got < static_cast<std::size_t>(size)) {
    refuse(name, "truncated: " + std::to_string(got) + " bytes, less than a NIfTI-2 header of 540");
  }
  const std::string magic(bytes.data() + (second ? 4 : 344), second ? 8 : 4);
  const std::string end = second ? std::string("\0\r\n\032\n", 5) : std::string("\0", 1);
  const std::string one_file = (second ? "n+2" : "n+1") + end;
  if (magic == (second ? "ni2" : "ni1") + end) {
    refuse(name,
           "the header of a two-file NIfTI image, expected one .nii or .nii.gz file; "
           "convert it");
  }
  if (magic != one_file) {
    refuse(name, second ? "damaged: a NIfTI-2 header without its \"n+2\"; copy it again"
                        : "not a NIfTI file (no \"n+1\" in its header; Analyze 7.5?); convert it");
  }
  return {second ? 2 : 1, swapped};
}

VoxelType checked_type(const std::string& name, int datatype) {
  std::string found;
  switch (datatype) {
    case 2:
      return VoxelType::kUint8;
    case 4:
      return VoxelType::kInt16;
    case 8:
      return VoxelType::kInt32;
    case 16:
      return VoxelType::kFloat32;
    case 64:
      return VoxelType::kFloat64;
    case 256:
      return VoxelType::kInt8;
    case 512:
      return VoxelType::kUint16;
    case 768:
      return VoxelType::kUint32;
    case 1024:
      return VoxelType::kInt64;
    case 1280:
      return VoxelType::kUint64;
    case 1:
      found = "binary";
      break;
    case 32:
      found = "complex64";
      break;
    case 128:
      found = "RGB";
      break;
    case 1536:
      found = "float128";
      break;
    case 1792:
      found = "complex128";
      break;
    case 2048:
      found = "complex256";
      break;
    case 2304:
      found = "RGBA";
      break;
    default:
      found = "unknown (code " + std::to_string(datatype) + ")";
  }
  refuse(name, "voxels of type " + found +
                   ", expected integers of 8 to 64 bits or 32 or 64-bit floats; save it as one of "
                   "these, for example float32");
}

NiftiPlacement placement_of(const NiftiRawHeader& raw) {
  NiftiPlacement placement;
  placement.length_unit = raw.length_unit();
  placement.qform_code = raw.qform_code();
  placement.sform_code = raw.sform_code();
  for (int n = 0; n < 4; ++n) placement.pixdim[static_cast<std::size_t>(n)] = raw.pixdim(n);
  for (int n = 0; n < 3; ++n) {
    placement.quaternion[static_cast<std::size_t>(n)] = raw.quaternion(n);
    placement.qoffset[static_cast<std::size_t>(n)] = raw.qoffset(n);
  }
  for (int n = 0; n < 12; ++n) {
    placement.srow[static_cast<std::size_t>(n)] = raw.srow(n / 4, n % 4);
  }
  return placement;
}

void set_storage(const std::string& name, const NiftiRawHeader& raw, NiftiHeader& header) {
  header.type = checked_type(name, raw.datatype());
  if (raw.bitpix() != 8 * bytes_of(header.type)) {
    refuse(name, "damaged header: bitpix says voxels of " + std::to_string(raw.bitpix()) +
                     " bits, datatype " + to_string(header.type) +
                     "; read and write it once with a program that knows which is right");
  }
  const std::int64_t first = header.format == ImageFormat::kNifti2 ? kFirstData2 : kFirstData1;
  if (raw.scl_slope() != 0.0 && std::isfinite(raw.scl_slope())) {
    header.slope = raw.scl_slope();
    header.intercept = raw.scl_inter();
    if (!std::isfinite(header.intercept)) {
      refuse(name, "damaged header: scl_slope is " + short_number(header.slope) +
                       " but scl_inter is not a number");
    }
  }
  const double offset = raw.vox_offset();
  if (!(offset >= static_cast<double>(first) && offset <= 1e9)) {
    refuse(name, "damaged header: the voxels start at byte " + short_number(offset) +
                     ", expected " + std::to_string(first) + " or more");
  }
  header.data_offset = static_cast<std::int64_t>(offset);
}

}  // namespace

NiftiHeader read_nifti_header(const ImageSource& source) {
  const std::filesystem::path& path = source.file;
  const std::string file_name = path.filename().string(), name = source.name();
  GzReader reader(path);
  check_name(file_name);
  if (reader.compressed() && !lower_case(file_name).ends_with(".gz")) {
    refuse(name, "gzip-compressed but not named .nii.gz; rename it");
  }
  NiftiRawHeader::Bytes bytes{};
  const std::size_t got = reader.read(bytes.data(), bytes.size());
  if (got < kNifti1HeaderBytes) {
    refuse(name, got == 0 ? "an empty file, expected a NIfTI image"
                          : "truncated or not NIfTI: " + std::to_string(got) +
                                " bytes, less than a header of 348" +
                                but_another_format({bytes.data(), got}));
  }
  NiftiHeader header;
  const Version version = checked_version(name, bytes, got);
  header.byte_swapped = version.swapped;
  header.format = version.number == 2 ? ImageFormat::kNifti2 : ImageFormat::kNifti1;
  const NiftiRawHeader raw(bytes, version.number, version.swapped);
  set_grid(source, raw, header);
  header.placement = placement_of(raw);
  set_storage(name, raw, header);
  // Before anybody allocates what the header claims: deflate gives at most 1032 bytes for one.
  const auto file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  const std::int64_t claimed_bytes = header.data_offset + header.data_bytes();
  if (!reader.compressed() && file_bytes < claimed_bytes) {
    refuse_truncated(file_name, header, file_bytes);
  }
  if (reader.compressed() && 1032 * file_bytes < claimed_bytes) {
    refuse(file_name, "truncated: " + std::to_string(file_bytes) +
                          " compressed bytes cannot hold the " + std::to_string(claimed_bytes) +
                          " that its header claims; copy it again");
  }
  return header;
}

}  // namespace mcvol

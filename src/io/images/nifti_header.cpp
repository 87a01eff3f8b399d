#include "mcvol/io/images/nifti_header.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "gz_reader.h"
#include "nifti_raw_header.h"

namespace mcvol {
namespace {

constexpr std::int64_t kFirstDataOffset = 352;  // header and four bytes that announce extensions

void check_name(const std::string& name) {
  const std::string lower = lower_case(name);
  if (lower.ends_with(".hdr") || lower.ends_with(".img") || lower.ends_with(".hdr.gz") ||
      lower.ends_with(".img.gz")) {
    refuse(name,
           "an Analyze or two-file NIfTI image, expected one .nii or .nii.gz file; convert "
           "it, for example with mrconvert or nibabel");
  }
  if (!lower.ends_with(".nii") && !lower.ends_with(".nii.gz")) {
    refuse(name, "not named .nii or .nii.gz; convert it to NIfTI-1");
  }
}

/// @returns whether the other endianness was used.
bool check_magic(const std::string& name, const std::array<char, kNiftiHeaderBytes>& bytes) {
  const auto sizeof_hdr = NiftiRawHeader(bytes, false).get<std::int32_t>(0);
  const auto swapped_sizeof_hdr = NiftiRawHeader(bytes, true).get<std::int32_t>(0);
  if (sizeof_hdr == 540 || swapped_sizeof_hdr == 540) {
    refuse(name, "a NIfTI-2 file, expected NIfTI-1; convert it, for example with nibabel");
  }
  if (sizeof_hdr != 348 && swapped_sizeof_hdr != 348) {
    refuse(name, "not a NIfTI-1 file (its header does not begin with 348)");
  }
  const std::string magic(bytes.data() + 344, 4);
  if (magic == std::string("ni1\0", 4)) {
    refuse(name,
           "the header of a two-file NIfTI image, expected one .nii or .nii.gz file; "
           "convert it");
  }
  if (magic != std::string("n+1\0", 4)) {
    refuse(name, "not a NIfTI-1 file (no \"n+1\" in its header; Analyze 7.5?); convert it");
  }
  return sizeof_hdr != 348;
}

NiftiDatatype checked_datatype(const std::string& name, const NiftiRawHeader& raw) {
  std::string found;
  switch (raw.datatype()) {
    case 2:
    case 4:
    case 8:
    case 16:
    case 64:
    case 256:
    case 512:
    case 768:
      return static_cast<NiftiDatatype>(raw.datatype());
    case 1:
      found = "binary";
      break;
    case 32:
      found = "complex64";
      break;
    case 128:
      found = "RGB";
      break;
    case 1024:
      found = "int64";
      break;
    case 1280:
      found = "uint64";
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
      found = "unknown (code " + std::to_string(raw.datatype()) + ")";
  }
  refuse(name, "voxels of type " + found +
                   ", expected 8, 16 or 32-bit integers or 32 or 64-bit floats; save it as one of "
                   "these, for example float32");
}

void set_storage(const std::string& name, const NiftiRawHeader& raw, NiftiHeader& header) {
  header.datatype = checked_datatype(name, raw);
  if (raw.scl_slope() != 0.0 && std::isfinite(raw.scl_slope())) {
    header.slope = raw.scl_slope();
    header.intercept = raw.scl_inter();
    if (!std::isfinite(header.intercept)) {
      refuse(name, "damaged header: scl_slope is " + short_number(header.slope) +
                       " but scl_inter is not a number");
    }
  }
  const double offset = raw.vox_offset();
  if (!(offset >= static_cast<double>(kFirstDataOffset) && offset <= 1e9)) {
    refuse(name, "damaged header: the voxels start at byte " + short_number(offset) +
                     ", expected " + std::to_string(kFirstDataOffset) + " or more");
  }
  header.data_offset = static_cast<std::int64_t>(offset);
}

}  // namespace

std::int64_t NiftiHeader::bytes_per_voxel() const {
  switch (datatype) {
    case NiftiDatatype::kUint8:
    case NiftiDatatype::kInt8:
      return 1;
    case NiftiDatatype::kInt16:
    case NiftiDatatype::kUint16:
      return 2;
    case NiftiDatatype::kInt32:
    case NiftiDatatype::kUint32:
    case NiftiDatatype::kFloat32:
      return 4;
    case NiftiDatatype::kFloat64:
      return 8;
  }
  return 0;
}

NiftiHeader read_nifti_header(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  GzReader reader(path);
  check_name(name);
  if (reader.compressed() && !lower_case(name).ends_with(".gz")) {
    refuse(name, "gzip-compressed but not named .nii.gz; rename it");
  }
  std::array<char, kNiftiHeaderBytes> bytes{};
  const std::size_t got = reader.read(bytes.data(), bytes.size());
  if (got < bytes.size()) {
    refuse(name, got == 0 ? "an empty file, expected a NIfTI image"
                          : "truncated or not NIfTI: " + std::to_string(got) +
                                " bytes, less than a header of 348");
  }
  NiftiHeader header;
  header.byte_swapped = check_magic(name, bytes);
  const NiftiRawHeader raw(bytes, header.byte_swapped);
  set_grid(name, raw, header);
  set_storage(name, raw, header);
  // Before anybody allocates what the header claims: deflate gives at most 1032 bytes for one.
  const auto file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  const std::int64_t claimed_bytes = header.data_offset + header.data_bytes();
  if (!reader.compressed() && file_bytes < claimed_bytes) {
    refuse_truncated(name, header, file_bytes);
  }
  if (reader.compressed() && 1032 * file_bytes < claimed_bytes) {
    refuse(name, "truncated: " + std::to_string(file_bytes) + " compressed bytes cannot hold the " +
                     std::to_string(claimed_bytes) + " that its header claims; copy it again");
  }
  return header;
}

}  // namespace mcvol

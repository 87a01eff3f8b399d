#include "mcvol/io/images/image_header.h"

#include "mcvol/files/text.h"
#include "mcvol/io/images/image_endings.h"

#include <cmath>

#include "refusal.h"

namespace mcvol {

const char* to_string(ImageFormat format) {
  switch (format) {
    case ImageFormat::kNifti1:
      return "NIfTI-1";
    case ImageFormat::kNifti2:
      return "NIfTI-2";
    case ImageFormat::kNrrd:
      return "NRRD";
    case ImageFormat::kMetaImage:
      break;
  }
  return "MetaImage";
}

const char* to_string(VoxelType type) {
  switch (type) {
    case VoxelType::kUint8:
      return "uint8";
    case VoxelType::kInt8:
      return "int8";
    case VoxelType::kUint16:
      return "uint16";
    case VoxelType::kInt16:
      return "int16";
    case VoxelType::kUint32:
      return "uint32";
    case VoxelType::kInt32:
      return "int32";
    case VoxelType::kUint64:
      return "uint64";
    case VoxelType::kInt64:
      return "int64";
    case VoxelType::kFloat32:
      return "float32";
    case VoxelType::kFloat64:
      break;
  }
  return "float64";
}

std::int64_t bytes_of(VoxelType type) {
  switch (type) {
    case VoxelType::kUint8:
    case VoxelType::kInt8:
      return 1;
    case VoxelType::kUint16:
    case VoxelType::kInt16:
      return 2;
    case VoxelType::kUint32:
    case VoxelType::kInt32:
    case VoxelType::kFloat32:
      return 4;
    case VoxelType::kUint64:
    case VoxelType::kInt64:
    case VoxelType::kFloat64:
      break;
  }
  return 8;
}

double step_of(const ImageHeader& header) {
  const bool whole_numbers =
      header.type != VoxelType::kFloat32 && header.type != VoxelType::kFloat64;
  return whole_numbers ? std::abs(header.slope) : 0.0;
}

std::string image_stem(std::string_view name) {
  const std::string lower = lower_case(name);
  for (const std::string_view ending : kImageEndings) {
    if (!lower.ends_with(ending)) continue;
    name.remove_suffix(ending.size());
    return std::string(name);
  }
  return {};
}

void require_known_orientation(const ImageSource& source, const ImageHeader& header) {
  if (header.orientation_known) return;
  refuse(source.name(),
         header.format <= ImageFormat::kNifti2
             ? "neither sform nor qform is set, so nothing says which way the image is turned; set "
               "one of them if you know"
             : "its header does not say which way the image is turned in the patient; save it once "
               "more with a program that knows");
}

}  // namespace mcvol

#include "text_image.h"

#include "mcvol/files/text.h"

#include <string>

#include "grid_checks.h"
#include "itk_setup.h"
#include "refusal.h"
#include "strict_nifti_io.h"
#include <itkMetaImageIO.h>
#include <itkNrrdImageIO.h>

namespace mcvol {
namespace {

VoxelType voxel_type(const std::string& name, const itk::ImageIOBase& io) {
  const bool single = io.GetNumberOfComponents() == 1;
  const auto whole = [&](bool is_signed) {
    switch (io.GetComponentSize()) {
      case 1:
        return is_signed ? VoxelType::kInt8 : VoxelType::kUint8;
      case 2:
        return is_signed ? VoxelType::kInt16 : VoxelType::kUint16;
      case 4:
        return is_signed ? VoxelType::kInt32 : VoxelType::kUint32;
      default:
        return is_signed ? VoxelType::kInt64 : VoxelType::kUint64;
    }
  };
  switch (io.GetComponentType()) {
    case itk::IOComponentEnum::FLOAT:
      if (single) return VoxelType::kFloat32;
      break;
    case itk::IOComponentEnum::DOUBLE:
      if (single) return VoxelType::kFloat64;
      break;
    case itk::IOComponentEnum::CHAR:
    case itk::IOComponentEnum::SHORT:
    case itk::IOComponentEnum::INT:
    case itk::IOComponentEnum::LONG:
    case itk::IOComponentEnum::LONGLONG:
      if (single) return whole(true);
      break;
    case itk::IOComponentEnum::UCHAR:
    case itk::IOComponentEnum::USHORT:
    case itk::IOComponentEnum::UINT:
    case itk::IOComponentEnum::ULONG:
    case itk::IOComponentEnum::ULONGLONG:
      if (single) return whole(false);
      break;
    default:
      break;
  }
  refuse(name, "voxels of " + std::to_string(io.GetNumberOfComponents()) +
                   " component(s) of type " +
                   itk::ImageIOBase::GetComponentTypeAsString(io.GetComponentType()) +
                   ", expected one integer or float; save it as float32");
}

}  // namespace

bool named_like_text_image(const std::filesystem::path& path) {
  const std::string lower = lower_case(path.filename().string());
  for (const char* ending : {".nrrd", ".nhdr", ".mha", ".mhd"}) {
    if (lower.ends_with(ending)) return true;
  }
  return false;
}

TextImage open_text_image(const std::filesystem::path& path) {
  set_up_itk();
  const std::string name = path.filename().string();
  const std::string lower = lower_case(name);
  const bool nrrd = lower.ends_with(".nrrd") || lower.ends_with(".nhdr");
  TextImage image;
  image.text = nrrd ? read_nrrd_header(path) : read_meta_header(path);
  if (nrrd) {
    image.io = itk::NrrdImageIO::New();
  } else {
    image.io = itk::MetaImageIO::New();
  }
  image.io->SetFileName(path.string());
  image.io->ReadImageInformation();
  if (image.io->GetNumberOfDimensions() != 3) {
    refuse(name, std::to_string(image.io->GetNumberOfDimensions()) + "-D image, expected 3-D");
  }
  ImageHeader& header = image.header;
  header.format = nrrd ? ImageFormat::kNrrd : ImageFormat::kMetaImage;
  header.type = voxel_type(name, *image.io);
  header.orientation_known = image.text.orientation_known;
  header.grid = grid_of(*image.io);
  std::string shape;
  for (const std::int64_t length : header.grid.size) {
    if (length < 1) refuse(name, "damaged header: a side of 0 voxels, expected at least 1");
    shape += (shape.empty() ? "" : "x") + std::to_string(length);
  }
  require_voxel_count(name, header.grid.size, shape);
  require_voxel_size(name, header.grid.spacing_mm, "spacing");
  if (!header.grid.origin_mm.allFinite()) {
    refuse(name, "damaged header: its origin is not finite");
  }
  require_no_shear(name, header.grid.direction, "direction");
  require_room(path, image.text, header.grid.voxel_count() * bytes_of(header.type));
  return image;
}

}  // namespace mcvol

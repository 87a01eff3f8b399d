#include "strict_image_io.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <filesystem>
#include <string>
#include <vector>

#include "io/images/nifti/nifti_header.h"
#include "io/images/nifti/nifti_voxels.h"
#include "io/images/nifti/nifti_writer.h"
#include "io/images/text/text_header.h"

namespace mcvol {
namespace {

bool named_like_nifti(const char* name) {
  const std::string lower = lower_case(name);
  return lower.ends_with(".nii") || lower.ends_with(".nii.gz");
}

}  // namespace

StrictImageIO::StrictImageIO() {
  this->SetNumberOfDimensions(3);
  this->SetPixelType(itk::IOPixelEnum::SCALAR);
  this->SetComponentType(itk::IOComponentEnum::FLOAT);
  this->SetNumberOfComponents(1);
}

bool StrictImageIO::CanReadFile(const char* name) {
  return named_like_nifti(name) || named_like_text_image(name);
}

void StrictImageIO::ReadImageInformation() {
  const Grid grid = read_image_header({std::string(this->GetFileName()), index_}).grid;
  for (unsigned axis = 0; axis < 3; ++axis) {
    const Eigen::Vector3d column = grid.direction.col(axis);
    this->SetDimensions(axis, static_cast<itk::SizeValueType>(grid.size[axis]));
    this->SetSpacing(axis, grid.spacing_mm[axis]);
    this->SetOrigin(axis, grid.origin_mm[axis]);
    this->SetDirection(axis, std::vector<double>{column[0], column[1], column[2]});
  }
}

void StrictImageIO::Read(void* buffer) {
  const ImageSource source{std::string(this->GetFileName()), index_};
  const auto require_as_announced = [&](const ImageHeader& header) {
    for (unsigned axis = 0; axis < 3; ++axis) {
      if (header.grid.size[axis] == static_cast<std::int64_t>(this->GetDimensions(axis))) continue;
      throw InputError(source.name() + ": changed while it was being read; try again");
    }
  };
  if (named_like_text_image(source.file)) {
    const TextHeader header = read_text_header(source.file);
    require_as_announced(header);
    return read_text_voxels(source.file, header, static_cast<float*>(buffer));
  }
  const NiftiHeader header = read_nifti_header(source);
  require_as_announced(header);
  read_nifti_voxels(source, header, static_cast<float*>(buffer));
}

bool StrictImageIO::CanWriteFile(const char* name) { return named_like_nifti(name); }

void StrictImageIO::Write(const void* buffer) {
  VoxelType type = VoxelType::kFloat32;
  switch (this->GetComponentType()) {
    case itk::IOComponentEnum::UCHAR:
      type = VoxelType::kUint8;
      break;
    case itk::IOComponentEnum::USHORT:
      type = VoxelType::kUint16;
      break;
    case itk::IOComponentEnum::FLOAT:
      break;
    default:
      throw Error(std::string(this->GetFileName()) +
                  ": images of uint8, uint16 or float are written, not of " +
                  this->GetComponentTypeAsString(this->GetComponentType()));
  }
  write_nifti(this->GetFileName(), {grid_of(*this), type, slope_}, buffer,
              placement_ ? &*placement_ : nullptr);
}

Grid grid_of(const itk::ImageIOBase& io) {
  Grid grid;
  for (unsigned axis = 0; axis < 3; ++axis) {
    grid.size[axis] = static_cast<std::int64_t>(io.GetDimensions(axis));
    grid.spacing_mm[axis] = io.GetSpacing(axis);
    grid.origin_mm[axis] = io.GetOrigin(axis);
    const std::vector<double> column = io.GetDirection(axis);
    grid.direction.col(axis) = Eigen::Vector3d(column[0], column[1], column[2]);
  }
  return grid;
}

}  // namespace mcvol

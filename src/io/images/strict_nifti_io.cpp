#include "strict_nifti_io.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <filesystem>
#include <string>
#include <vector>

#include "io/images/nifti/nifti_header.h"
#include "io/images/nifti/nifti_voxels.h"
#include "io/images/nifti/nifti_writer.h"

namespace mcvol {
namespace {

bool named_like_nifti(const char* name) {
  const std::string lower = lower_case(name);
  return lower.ends_with(".nii") || lower.ends_with(".nii.gz");
}

}  // namespace

StrictNiftiImageIO::StrictNiftiImageIO() {
  this->SetNumberOfDimensions(3);
  this->SetPixelType(itk::IOPixelEnum::SCALAR);
  this->SetComponentType(itk::IOComponentEnum::FLOAT);
  this->SetNumberOfComponents(1);
}

bool StrictNiftiImageIO::CanReadFile(const char* name) { return named_like_nifti(name); }

void StrictNiftiImageIO::ReadImageInformation() {
  const Grid grid = read_nifti_header(this->GetFileName()).grid;
  for (unsigned axis = 0; axis < 3; ++axis) {
    const Eigen::Vector3d column = grid.direction.col(axis);
    this->SetDimensions(axis, static_cast<itk::SizeValueType>(grid.size[axis]));
    this->SetSpacing(axis, grid.spacing_mm[axis]);
    this->SetOrigin(axis, grid.origin_mm[axis]);
    this->SetDirection(axis, std::vector<double>{column[0], column[1], column[2]});
  }
}

void StrictNiftiImageIO::Read(void* buffer) {
  const std::filesystem::path path = this->GetFileName();
  read_nifti_voxels(path, read_nifti_header(path), static_cast<float*>(buffer));
}

bool StrictNiftiImageIO::CanWriteFile(const char* name) { return named_like_nifti(name); }

void StrictNiftiImageIO::Write(const void* buffer) {
  const bool bytes = this->GetComponentType() == itk::IOComponentEnum::UCHAR;
  if (!bytes && this->GetComponentType() != itk::IOComponentEnum::FLOAT) {
    throw Error(std::string(this->GetFileName()) +
                ": images of uint8 or float are written, not of " +
                this->GetComponentTypeAsString(this->GetComponentType()));
  }
  write_nifti(this->GetFileName(), grid_of(*this), bytes ? VoxelType::kUint8 : VoxelType::kFloat32,
              buffer, placement_ ? &*placement_ : nullptr);
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

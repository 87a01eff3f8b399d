#include <algorithm>
#include <cmath>

#include "io/images/grid_checks.h"
#include "nifti_raw_header.h"
#include <Eigen/LU>

namespace mcvol {
namespace {

constexpr double kSpacingTolerance = 1e-3;  // relative

/// Of an image with more dimensions than three.
[[noreturn]] void refuse_dimensions(const std::string& name, int used, const std::string& shape) {
  refuse(name, std::to_string(used) + "-D image (" + shape + "), expected 3-D; " +
                   (used == 4 ? "name the image to take of it in a manifest, as " + name +
                                    "[0], or split it"
                              : "split it"));
}

/// Which of a file's images is asked for.
void set_index(const ImageSource& source, int used, const NiftiRawHeader& raw,
               const std::string& shape, NiftiHeader& header) {
  const std::string name = source.file.filename().string();
  if (used > 4 || (used == 4 && !source.index)) refuse_dimensions(name, used, shape);
  if (!source.index) return;
  if (used < 4) {
    refuse(name, "3-D image (" + shape + "), expected a 4-D one, to take " + source.name() +
                     " of it; are the channels in files of their own?");
  }
  header.images = raw.dim(4);
  header.index = *source.index;
  if (header.index >= header.images) {
    refuse(name, "4-D image (" + shape + "), in which there is no " + source.name() +
                     ", expected an index from 0 to " + std::to_string(header.images - 1));
  }
}

Index3 checked_size(const ImageSource& source, const NiftiRawHeader& raw, NiftiHeader& header) {
  const std::string name = source.file.filename().string();
  const std::int64_t dimensions = raw.dim(0);
  if (dimensions < 1 || dimensions > 7) {
    refuse(name, "damaged header: " + std::to_string(dimensions) + " dimensions, expected 3");
  }
  std::string shape;
  int used = 0;
  for (int n = 1; n <= dimensions; ++n) {
    shape += n > 1 ? "x" : "";
    shape += std::to_string(raw.dim(n));
    if (raw.dim(n) < 1) {
      refuse(name, "damaged header: dimension " + std::to_string(n) + " has " +
                       std::to_string(raw.dim(n)) + " voxels, expected at least 1");
    }
    used = raw.dim(n) > 1 ? n : used;
  }
  if (dimensions < 3) {
    refuse(name, std::to_string(dimensions) + "-D image (" + shape +
                     "), expected 3-D; is this the right file?");
  }
  set_index(source, used, raw, shape, header);
  const Index3 size{raw.dim(1), raw.dim(2), raw.dim(3)};
  require_voxel_count(name, size, shape, header.images);
  return size;
}

double mm_per_unit(const std::string& name, const NiftiRawHeader& raw) {
  switch (raw.length_unit()) {
    case 0:
    case 2:
      return 1.0;
    case 1:
      return 1000.0;
    case 3:
      return 1e-3;
    default:
      refuse(name, "damaged header: unknown unit of length (code " +
                       std::to_string(raw.length_unit()) + "), expected mm");
  }
}

Eigen::Vector3d checked_pixdim_mm(const std::string& name, const NiftiRawHeader& raw,
                                  double unit_mm) {
  const Eigen::Vector3d pixdim(raw.pixdim(1), raw.pixdim(2), raw.pixdim(3));
  const Eigen::Vector3d spacing_mm = pixdim * unit_mm;
  const char* unit = unit_mm == 1.0 ? "mm" : unit_mm > 1.0 ? "metres" : "microns";
  require_voxel_size(name, spacing_mm,
                     unit_mm == 1.0
                         ? "pixdim"
                         : "pixdim " + joined_by_x(pixdim) + ", in " + unit + " by xyzt_units");
  return spacing_mm;
}

/// Rotation of the qform (NIfTI's method 2): columns are RAS unit vectors of i, j, k.
Eigen::Matrix3d qform_rotation(const std::string& name, const NiftiRawHeader& raw) {
  double b = raw.quaternion(0);
  double c = raw.quaternion(1);
  double d = raw.quaternion(2);
  double squares = b * b + c * c + d * d;
  if (!std::isfinite(squares) || squares > 1.01) {
    refuse(name, "damaged header: the qform's quaternion is not a rotation");
  }
  // Half turns come out a hair off 1 in single precision; the same bound as the reference library.
  if (squares > 1.0 - 1e-7) {
    const double length = std::sqrt(squares);
    b /= length, c /= length, d /= length;
    squares = 1.0;
  }
  const double a = std::sqrt(1.0 - squares);
  Eigen::Matrix3d rotation;
  rotation << a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c),
      2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b), 2 * (b * d - a * c),
      2 * (c * d + a * b), a * a + d * d - c * c - b * b;
  if (raw.pixdim(0) < 0.0) {
    rotation.col(2) *= -1.0;
  }
  return rotation;
}

/// The transform of the file, in RAS.
struct RasTransform {
  Eigen::Matrix3d direction = Eigen::Matrix3d::Identity();
  Eigen::Vector3d spacing_mm = Eigen::Vector3d::Ones();
  Eigen::Vector3d origin_mm = Eigen::Vector3d::Zero();
};

RasTransform sform_transform(const std::string& name, const NiftiRawHeader& raw, double unit_mm,
                             const Eigen::Vector3d& pixdim_mm) {
  RasTransform transform;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) {
      transform.direction(row, column) = raw.srow(row, column) * unit_mm;
    }
    transform.origin_mm[row] = raw.srow(row, 3) * unit_mm;
  }
  transform.spacing_mm = transform.direction.colwise().norm();
  if (!transform.direction.allFinite() || !transform.origin_mm.allFinite() ||
      !(transform.spacing_mm.minCoeff() > 0.0)) {
    refuse(name, "singular sform (its columns must be finite and not 0); repair the header");
  }
  for (int axis = 0; axis < 3; ++axis) {
    const double ratio = transform.spacing_mm[axis] / pixdim_mm[axis];
    if (std::abs(ratio - 1.0) > kSpacingTolerance) {
      refuse(name, "the sform says voxels of " + joined_by_x(transform.spacing_mm) +
                       " mm, pixdim " + joined_by_x(pixdim_mm) +
                       " mm: the voxel size is ambiguous; repair the header or resample the image");
    }
    transform.direction.col(axis) /= transform.spacing_mm[axis];
  }
  require_no_shear(name, transform.direction, "sform");
  return transform;
}

RasTransform qform_transform(const std::string& name, const NiftiRawHeader& raw, double unit_mm,
                             const Eigen::Vector3d& pixdim_mm) {
  RasTransform transform{qform_rotation(name, raw), pixdim_mm,
                         Eigen::Vector3d(raw.qoffset(0), raw.qoffset(1), raw.qoffset(2)) * unit_mm};
  if (!transform.origin_mm.allFinite()) {
    refuse(name, "damaged header: the qform's offset is not finite");
  }
  return transform;
}

bool is_rotation(const NiftiRawHeader& raw) {
  double squares = 0.0;
  for (int n = 0; n < 3; ++n) squares += raw.quaternion(n) * raw.quaternion(n);
  return std::isfinite(squares) && squares <= 1.01 && std::isfinite(raw.qoffset(0)) &&
         std::isfinite(raw.qoffset(1)) && std::isfinite(raw.qoffset(2));
}

Grid lps_grid(const RasTransform& ras, const Index3& size) {
  const Eigen::Vector3d lps_from_ras(-1.0, -1.0, 1.0);
  Grid grid;
  grid.size = size;
  grid.spacing_mm = ras.spacing_mm;
  grid.origin_mm = lps_from_ras.cwiseProduct(ras.origin_mm);
  grid.direction = lps_from_ras.asDiagonal() * ras.direction;
  return grid;
}

}  // namespace

void set_grid(const ImageSource& source, const NiftiRawHeader& raw, NiftiHeader& header) {
  const std::string name = source.name();
  const Index3 size = checked_size(source, raw, header);
  const double unit_mm = mm_per_unit(name, raw);
  RasTransform ras;
  const Eigen::Vector3d pixdim_mm = checked_pixdim_mm(name, raw, unit_mm);
  ras.spacing_mm = pixdim_mm;
  header.orientation_known = raw.sform_code() > 0 || raw.qform_code() > 0;
  if (raw.sform_code() > 0) {
    ras = sform_transform(name, raw, unit_mm, pixdim_mm);
  } else if (raw.qform_code() > 0) {
    ras = qform_transform(name, raw, unit_mm, pixdim_mm);
  }
  header.grid = lps_grid(ras, size);
  if (raw.sform_code() > 0 && raw.qform_code() > 0 && is_rotation(raw)) {
    const RasTransform other = qform_transform(name, raw, unit_mm, pixdim_mm);
    header.transforms_apart_mm = corner_distance_mm(header.grid, lps_grid(other, size));
  }
}

}  // namespace mcvol

#pragma once

#include "mcvol/image/grid.h"

#include <string>

#include <Eigen/Core>

namespace mcvol {

// What a file may say of its voxels, whatever its format. `name` is the file's, `source` the
// field's where it stands. @throws InputError, one line that starts with the file's name.

/// @param shape as the file has it, "240x240x155". @param images that it holds, of `size` each.
void require_voxel_count(const std::string& name, const Index3& size, const std::string& shape,
                         std::int64_t images = 1);
void require_voxel_size(const std::string& name, const Eigen::Vector3d& spacing_mm,
                        const std::string& source);
/// @param direction its columns have length 1.
void require_no_shear(const std::string& name, const Eigen::Matrix3d& direction,
                      const std::string& source);

std::string joined_by_x(const Eigen::Vector3d& values);

}  // namespace mcvol

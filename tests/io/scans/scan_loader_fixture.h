#pragma once

#include "mcvol/io/scans/scan_loader.h"

#include <filesystem>
#include <string>
#include <vector>

#include "io/images/nifti_fixture.h"
#include "io/images/sphere_fixture.h"

namespace mcvol::test {

/// A "brain": a ball of varying intensity in a background of 0.
inline Image<float> brain_image(const Grid& grid, float scale) {
  const std::vector<Sphere> ball{{middle_of_two_spheres(), 22.0}};
  Image<float> image = image_of<float>(ball, grid);
  for (std::size_t voxel = 0; voxel < image.values.size(); ++voxel) {
    image.values[voxel] *= scale * static_cast<float>(50 + voxel % 13);
  }
  return image;
}

inline PreparedScan load(const std::vector<ImageSource>& files,
                         const ScanPreparation& preparation) {
  StageTimings timings;
  return load_scan(files, preparation, timings);
}

class ScanLoaderFixture : public InFolder {
 protected:
  std::filesystem::path write_channel(const std::string& name, const Image<float>& image) {
    NiftiFixture fixture;
    fixture.set_grid(image.grid);
    fixture.set_voxels(image.values, 16);
    return write(name, fixture);
  }
  static ScanPreparation preparation_for(std::size_t channels) {
    ScanPreparation preparation;
    preparation.intensities.resize(channels);
    return preparation;
  }
  std::string load_refusal(const std::vector<ImageSource>& files) {
    return refusal_of([&] { load(files, preparation_for(files.size())); });
  }

  Grid grid_ = grid_around(middle_of_two_spheres(), 56.0, {1.0, 1.0, 2.0},
                           forty_eight_directions(oblique_rotation())[29]);
};

}  // namespace mcvol::test

#include "mcvol/io/images/resample.h"

#include "mcvol/io/images/image_file.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "io/images/nifti_fixture.h"
#include "io/images/sphere_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Interpolation = GridSpec::Interpolation;
using test::two_spheres;

const std::vector<Eigen::Vector3d> kSpacings{{1.0, 1.0, 1.0}, {0.9, 1.2, 3.0}, {2.5, 0.8, 1.1}};

class Orientations : public test::InFolder {
 protected:
  /// Through a file with the grid as sform, or as qform alone.
  Image<float> through_file(const Image<std::uint8_t>& image, bool qform_only) {
    if (qform_only) {
      // The writer sets both; code 0 leaves the quaternion alone to say where the image lies.
      write_image(folder_ / "image.nii", image);
      std::string bytes = test::file_bytes(folder_ / "image.nii");
      bytes[254] = 0;
      return read_image(write("image.nii", bytes));
    }
    test::NiftiFixture fixture;
    fixture.set_grid(image.grid);
    fixture.set_voxels(image.values, 2);
    return read_image(write("image.nii", fixture));
  }

  void expect_spheres_in_all_orientations(const Eigen::Matrix3d& rotation, bool qform_only) {
    for (const Eigen::Vector3d& spacing_mm : kSpacings) {
      const test::CountingTolerance tolerance = test::counting_tolerance(two_spheres(), spacing_mm);
      ASSERT_LT(tolerance.volume_ml, 0.03 * test::volume_ml(two_spheres()));
      for (const Eigen::Matrix3d& direction : test::forty_eight_directions(rotation)) {
        const Grid grid =
            test::grid_around(test::middle_of_two_spheres(), 52.0, spacing_mm, direction);
        const Image<float> image = reoriented(
            through_file(test::image_of<std::uint8_t>(two_spheres(), grid), qform_only), "LPS");
        EXPECT_EQ(orientation_of(image.grid), "LPS");
        const test::Measured measured = test::measured(image);
        EXPECT_NEAR(measured.volume_ml, test::volume_ml(two_spheres()), tolerance.volume_ml)
            << describe(grid);
        EXPECT_LT((measured.centroid_mm - test::centroid_mm(two_spheres())).norm(),
                  tolerance.centroid_mm + 1e-3)
            << describe(grid);
      }
    }
  }
};

TEST_F(Orientations, SpheresKeepVolumeAndPlaceInAllFortyEightOrientations) {
  expect_spheres_in_all_orientations(Eigen::Matrix3d::Identity(), false);
}

TEST_F(Orientations, SpheresKeepVolumeAndPlaceOnObliqueGrids) {
  expect_spheres_in_all_orientations(test::oblique_rotation(), false);
}

TEST_F(Orientations, SpheresKeepVolumeAndPlaceWhenOnlyTheQformIsSet) {
  expect_spheres_in_all_orientations(test::oblique_rotation(), true);
}

TEST(Reoriented, EveryVoxelKeepsItsValueAndItsPlace) {
  for (const Eigen::Matrix3d& direction : test::forty_eight_directions(test::oblique_rotation())) {
    const Grid grid = test::grid_around({1, 2, 3}, 6.0, {1.0, 1.5, 2.0}, direction);
    Image<float> image(grid);
    std::iota(image.values.begin(), image.values.end(), 1.0F);
    for (const std::string orientation : {"LPS", "RAS", "SAL", "IPR"}) {
      const Image<float> turned = reoriented(image, orientation);
      EXPECT_EQ(orientation_of(turned.grid), orientation);
      for (std::int64_t k = 0; k < turned.grid.size[2]; ++k) {
        for (std::int64_t j = 0; j < turned.grid.size[1]; ++j) {
          for (std::int64_t i = 0; i < turned.grid.size[0]; ++i) {
            const Eigen::Vector3d place_mm = turned.grid.physical_from_index(
                {static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)});
            const Eigen::Vector3d source = grid.index_from_physical(place_mm);
            const Eigen::Vector3d nearest = source.array().round();
            ASSERT_LT((source - nearest).norm(), 1e-9);
            ASSERT_EQ(turned.at(i, j, k), image.at(static_cast<std::int64_t>(nearest[0]),
                                                   static_cast<std::int64_t>(nearest[1]),
                                                   static_cast<std::int64_t>(nearest[2])));
          }
        }
      }
    }
  }
}

TEST(Reoriented, AnOrientationThatIsNoneIsRefused) {
  Grid grid;
  grid.size = {2, 2, 2};
  EXPECT_THROW(reoriented(Image<float>(grid), "LPL"), std::invalid_argument);
  EXPECT_THROW(reoriented(Image<float>(grid), "LPX"), std::invalid_argument);
  EXPECT_THROW(reoriented(Image<float>(grid), "LP"), std::invalid_argument);
}

Grid anisotropic_grid() {
  return test::grid_around(test::middle_of_two_spheres(), 52.0, {0.9, 1.2, 3.0},
                           test::oblique_rotation());
}

TEST(ResampledGrid, SharesTheFirstOuterEdgeAndCoversTheExtent) {
  const Grid grid = anisotropic_grid();
  const Grid target = resampled_grid(grid, {1.0, 2.5, 1.0});
  EXPECT_EQ(target.spacing_mm, Eigen::Vector3d(1.0, 2.5, 1.0));
  const Eigen::Vector3d edge(-0.5, -0.5, -0.5);
  EXPECT_LT((grid.physical_from_index(edge) - target.physical_from_index(edge)).norm(), 1e-9);
  for (int axis = 0; axis < 3; ++axis) {
    const double extent_mm = static_cast<double>(grid.size[axis]) * grid.spacing_mm[axis];
    const double covered_mm = static_cast<double>(target.size[axis]) * target.spacing_mm[axis];
    EXPECT_GE(covered_mm, extent_mm - 1e-9);
    EXPECT_LT(covered_mm, extent_mm + target.spacing_mm[axis]);
  }
}

TEST(ResampledGrid, ASpacingWithinAThousandthIsLeftAlone) {
  Grid grid = anisotropic_grid();
  grid.spacing_mm = {0.9999, 1.0, 2.0};
  const Grid same = resampled_grid(grid, {1.0, 1.0005, 2.0});
  EXPECT_EQ(same.spacing_mm, grid.spacing_mm);
  EXPECT_EQ(same.size, grid.size);
  EXPECT_EQ(same.origin_mm, grid.origin_mm);
  const Grid one_axis = resampled_grid(grid, {1.0, 1.0, 1.0});
  EXPECT_EQ(one_axis.spacing_mm, Eigen::Vector3d(0.9999, 1.0, 1.0));
  EXPECT_EQ(one_axis.size, (Index3{grid.size[0], grid.size[1], 2 * grid.size[2]}));
}

TEST(ResampledGrid, ASpacingThatWouldFillTheMemoryIsRefused) {
  Grid grid;
  grid.size = {240, 240, 155};
  grid.spacing_mm = {1.0, 1.0, 1.0};
  for (const double spacing_mm : {0.01, 1e-300}) {
    EXPECT_THROW(resampled_grid(grid, {spacing_mm, spacing_mm, spacing_mm}), InputError);
  }
  try {
    resampled_grid(grid, {0.01, 0.01, 0.01});
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()),
              "the model's grid.spacing_mm of 0.01 x 0.01 x 0.01 mm would make 8.9e+12 voxels of "
              "the scan, expected at most 2^32; give the model a spacing near the scans'");
  }
  EXPECT_NO_THROW(resampled_grid(grid, {0.25, 0.25, 0.25}));
}

TEST(ResampledGrid, DoublingTheSpacingOfAnEvenSizeHalvesItExactly) {
  Grid grid;
  grid.size = {240, 240, 156};
  grid.spacing_mm = {0.1, 0.1, 0.1};  // 0.1 is no binary fraction
  EXPECT_EQ(resampled_grid(grid, {0.2, 0.2, 0.3}).size, (Index3{120, 120, 52}));
}

/// Intensities with an edge as wide as the coarser voxel, as scanners give them. Thresholded at one
/// half the resampled image must give the sphere's volume: counting gives counting_tolerance on the
/// new grid. Interpolation and smoothing (total SD s) move the half level of a curved surface by
/// about s^2 / r inwards, which is 4 pi r s^2 of volume a sphere.
void expect_sphere_volume_kept(const Eigen::Vector3d& from_mm, const std::array<double, 3>& to_mm,
                               Interpolation interpolation) {
  const Grid grid =
      test::grid_around(test::middle_of_two_spheres(), 56.0, from_mm, test::oblique_rotation());
  const std::vector<test::Sphere> sphere{two_spheres().front()};
  const double widest_mm =
      std::max(from_mm.maxCoeff(), *std::max_element(to_mm.begin(), to_mm.end()));
  const Image<float> image = test::image_of<float>(sphere, grid, widest_mm);
  const Grid target = resampled_grid(grid, to_mm);
  const test::Measured measured = test::measured(resampled(image, target, interpolation));
  const test::CountingTolerance counting = test::counting_tolerance(sphere, target.spacing_mm);
  // Box of linear interpolation plus the Gaussian: at most a voxel's square over 8 ln 2 and over 6.
  const double variance_mm2 = widest_mm * widest_mm * (1.0 / (8.0 * std::numbers::ln2) + 1.0 / 6.0);
  const double shrinkage_ml = 4.0 * std::numbers::pi * sphere[0].radius_mm * variance_mm2 / 1000.0;
  EXPECT_NEAR(measured.volume_ml, sphere[0].volume_ml(), counting.volume_ml + shrinkage_ml)
      << describe(target);
  EXPECT_LT((measured.centroid_mm - sphere[0].centre_mm).norm(), counting.centroid_mm + 0.05)
      << describe(target);
}

TEST(Resampled, UpSamplingKeepsASpheresVolumeAndPlace) {
  for (const Interpolation interpolation : {Interpolation::kLinear, Interpolation::kBspline}) {
    expect_sphere_volume_kept({2.0, 2.0, 2.0}, {1.0, 1.0, 1.0}, interpolation);
    expect_sphere_volume_kept({0.9, 1.2, 3.0}, {0.9, 1.0, 1.0}, interpolation);
  }
}

TEST(Resampled, DownSamplingKeepsASpheresVolumeAndPlace) {
  for (const Interpolation interpolation : {Interpolation::kLinear, Interpolation::kBspline}) {
    expect_sphere_volume_kept({0.7, 0.7, 0.7}, {1.0, 1.0, 1.0}, interpolation);
    expect_sphere_volume_kept({0.5, 0.6, 2.0}, {2.0, 2.0, 2.0}, interpolation);
  }
}

TEST(Resampled, MasksKeepASpheresVolume) {
  for (const std::array<double, 3>& to_mm :
       {std::array<double, 3>{1.0, 1.0, 1.0}, {2.0, 2.0, 2.0}, {1.8, 2.4, 3.0}}) {
    const Image<std::uint8_t> mask =
        test::image_of<std::uint8_t>(two_spheres(), anisotropic_grid());
    const Grid target = resampled_grid(mask.grid, to_mm);
    const test::Measured measured = test::measured(resampled(mask, target));
    // Sampling a digitised sphere: the counting error of both grids.
    const double tolerance_ml =
        test::counting_tolerance(two_spheres(), target.spacing_mm).volume_ml +
        test::counting_tolerance(two_spheres(), mask.grid.spacing_mm).volume_ml;
    EXPECT_NEAR(measured.volume_ml, test::volume_ml(two_spheres()), tolerance_ml);
  }
}

TEST(Resampled, LinearAndBsplineReproduceALinearRampInside) {
  Grid grid;
  grid.size = {20, 20, 20};
  grid.spacing_mm = {1.0, 1.0, 2.0};
  Image<float> ramp(grid);
  for (std::int64_t k = 0; k < 20; ++k) {
    for (std::int64_t j = 0; j < 20; ++j) {
      for (std::int64_t i = 0; i < 20; ++i) {
        ramp.at(i, j, k) = static_cast<float>(3 * i - 2 * j) + static_cast<float>(k);
      }
    }
  }
  // Finer along i and k, coarser along j.
  const Grid target = resampled_grid(grid, {0.5, 1.5, 1.0});
  for (const auto& [interpolation, tolerance] :
       {std::pair{Interpolation::kLinear, 1e-4}, std::pair{Interpolation::kBspline, 2e-3}}) {
    const Image<float> result = resampled(ramp, target, interpolation);
    for (std::int64_t k = 12; k < 28; ++k) {
      const Eigen::Vector3d at =
          grid.index_from_physical(target.physical_from_index({20, 6, static_cast<double>(k)}));
      EXPECT_NEAR(result.at(20, 6, k), 3 * at[0] - 2 * at[1] + at[2], tolerance);
    }
  }
}

TEST(Resampled, AntiAliasingRemovesWhatTheCoarserGridCannotHold) {
  Grid grid;
  grid.size = {64, 8, 8};
  Image<float> stripes(grid);
  for (std::size_t voxel = 0; voxel < stripes.values.size(); ++voxel) {
    stripes.values[voxel] = voxel % 2 == 0 ? 1.0F : -1.0F;  // the highest frequency along i
  }
  const Grid target = resampled_grid(grid, {3.0, 1.0, 1.0});
  // At 3 mm, plain linear interpolation picks every third stripe: +1, -1, +1 ...
  const Image<float> plain = resampled(stripes, target, Interpolation::kNearest);
  EXPECT_EQ(std::abs(plain.at(10, 4, 4)), 1.0F);
  const Image<float> result = resampled(stripes, target, Interpolation::kLinear);
  for (std::int64_t i = 2; i < 18; ++i) {
    // sigma^2 = 8 / (8 ln 2) voxels: the discrete Gaussian keeps exp(-2 sigma^2) = 0.056 at the
    // highest frequency.
    EXPECT_NEAR(std::abs(result.at(i, 4, 4)), std::exp(-2.0 / std::numbers::ln2), 2e-3);
  }
}

TEST(Resampled, AnImageOfOneSliceIsResampledInItsPlane) {
  Grid grid;
  grid.size = {16, 16, 1};
  const Image<float> slice(grid, 3.0F);
  const Grid target = resampled_grid(grid, {2.0, 0.5, 1.0});
  EXPECT_EQ(target.size, (Index3{8, 32, 1}));
  for (const Interpolation interpolation : {Interpolation::kLinear, Interpolation::kBspline}) {
    for (const float value : resampled(slice, target, interpolation).values) {
      EXPECT_NEAR(value, 3.0F, 1e-5F);
    }
  }
}

TEST(Resampled, VoxelsBeyondTheLastOuterEdgeAreZero) {
  Grid grid;
  grid.size = {7, 4, 4};
  const Image<float> image(grid, 3.0F);
  // Centres at 2.5 mm, 7.5 mm: the second lies beyond the edge at 7 mm.
  const Image<float> result =
      resampled(image, resampled_grid(grid, {5.0, 1.0, 1.0}), Interpolation::kLinear);
  EXPECT_EQ(result.grid.size, (Index3{2, 4, 4}));
  EXPECT_NEAR(result.at(0, 2, 2), 3.0F, 1e-5F);
  EXPECT_EQ(result.at(1, 2, 2), 0.0F);
}

TEST(Resampled, TheSameBytesEachTime) {
  const Image<float> image = test::image_of<float>(two_spheres(), anisotropic_grid(), 2.0);
  const Grid target = resampled_grid(image.grid, {1.0, 1.7, 1.0});
  for (const Interpolation interpolation : {Interpolation::kLinear, Interpolation::kBspline}) {
    EXPECT_EQ(resampled(image, target, interpolation).values,
              resampled(image, target, interpolation).values);
  }
}

}  // namespace
}  // namespace mcvol

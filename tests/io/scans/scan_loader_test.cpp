#include "mcvol/io/scans/scan_loader.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "io/scans/scan_loader_fixture.h"
#include "support/shared_files.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using test::NiftiFixture;
using test::refusal_of;
using test::two_spheres;

using test::brain_image;
using test::load;

class ScanLoader : public test::ScanLoaderFixture {};

double mean_inside(const Image<float>& image) {
  double sum = 0.0;
  double count = 0.0;
  for (const float value : image.values) {
    sum += value;
    count += value != 0.0F ? 1.0 : 0.0;
  }
  return sum / count;
}

TEST_F(ScanLoader, ChannelsComeReorientedAndNormalisedOnOneGrid) {
  const Image<float> image = brain_image(grid_, 1.0F);
  const PreparedScan scan =
      load({write_channel("a.nii.gz", image), write_channel("b.nii", brain_image(grid_, 9.0F))},
           preparation_for(2));
  ASSERT_EQ(scan.channels.size(), 2U);
  EXPECT_EQ(orientation_of(scan.grid), "LPS");
  EXPECT_EQ(scan.channels[1].grid.origin_mm, scan.grid.origin_mm);
  EXPECT_FALSE(scan.resampled);
  EXPECT_FALSE(scan.touches_border);
  EXPECT_EQ(std::count(scan.brain.values.begin(), scan.brain.values.end(), 1),
            std::count_if(image.values.begin(), image.values.end(),
                          [](float value) { return value != 0.0F; }));
  EXPECT_EQ(scan.measured.values, scan.brain.values);
  EXPECT_NEAR(mean_inside(scan.channels[0]), 0.0, 1e-6);
  // z-scores do not know the scale.
  for (std::size_t voxel = 0; voxel < scan.brain.values.size(); voxel += 101) {
    EXPECT_NEAR(scan.channels[0].values[voxel], scan.channels[1].values[voxel], 1e-5);
  }
}

TEST_F(ScanLoader, IntensitiesOfTheFilesAreShownBeforeTheyAreNormalised) {
  const Image<float> image = brain_image(grid_, 7.0F);
  ScanPreparation preparation = preparation_for(1);
  float most = 0;
  std::vector<std::uint8_t> brain;
  preparation.before_normalising = [&](const PreparedScan& scan) {
    ASSERT_EQ(scan.channels.size(), 1U);
    most = *std::max_element(scan.channels[0].values.begin(), scan.channels[0].values.end());
    brain = scan.brain.values;
  };
  const PreparedScan scan = load({write_channel("a.nii", image)}, preparation);
  EXPECT_EQ(most, *std::max_element(image.values.begin(), image.values.end()));
  EXPECT_EQ(brain, scan.brain.values);
  EXPECT_NEAR(mean_inside(scan.channels[0]), 0.0, 1e-6);
}

TEST_F(ScanLoader, TimesReadingApartFromPreparing) {
  const auto file = write_channel("a.nii", brain_image(grid_, 1.0F));
  StageTimings timings;
  double whole_s = 0;
  timed(whole_s, [&] { load_scan({file}, preparation_for(1), timings); });
  EXPECT_GT(timings.read_s, 0.0);
  EXPECT_GT(timings.prepare_s, 0.0);
  EXPECT_LE(timings.read_s + timings.prepare_s, whole_s);
}

TEST_F(ScanLoader, BrainIsWhereAnyChannelIsNotZero) {
  Image<float> left = brain_image(grid_, 1.0F);
  Image<float> right = left;
  std::int64_t brain = 0;
  for (std::size_t voxel = 0; voxel < left.values.size(); ++voxel) {
    brain += left.values[voxel] != 0.0F ? 1 : 0;
    (voxel % 2 == 0 ? left : right).values[voxel] = 0.0F;
  }
  const PreparedScan scan =
      load({write_channel("a.nii", left), write_channel("b.nii", right)}, preparation_for(2));
  EXPECT_EQ(std::count(scan.brain.values.begin(), scan.brain.values.end(), 1), brain);
}

TEST_F(ScanLoader, ResamplingKeepsTheBackgroundAtExactlyZeroAndTheBrainItsSize) {
  for (const auto interpolation :
       {GridSpec::Interpolation::kLinear, GridSpec::Interpolation::kBspline}) {
    const Image<float> image = brain_image(grid_, 1.0F);
    ScanPreparation preparation = preparation_for(1);
    preparation.grid.spacing_mm = {{1.5, 1.5, 1.5}};
    preparation.grid.interpolation = interpolation;
    const PreparedScan scan = load({write_channel("a.nii.gz", image)}, preparation);
    EXPECT_TRUE(scan.resampled);
    EXPECT_EQ(scan.grid.spacing_mm, Eigen::Vector3d(1.5, 1.5, 1.5));
    for (std::size_t voxel = 0; voxel < scan.brain.values.size(); ++voxel) {
      if (scan.brain.values[voxel] == 0) {
        ASSERT_EQ(scan.channels[0].values[voxel], 0.0F);
      }
    }
    const std::vector<test::Sphere> ball{{test::middle_of_two_spheres(), 22.0}};
    EXPECT_NEAR(test::measured(scan.brain).volume_ml, test::volume_ml(ball),
                test::counting_tolerance(ball, scan.grid.spacing_mm).volume_ml +
                    test::counting_tolerance(ball, grid_.spacing_mm).volume_ml);
  }
}

TEST_F(ScanLoader, TheScansOwnSpacingPassesThroughUntouched) {
  ScanPreparation preparation = preparation_for(1);
  preparation.intensities[0].method = IntensitySpec::Method::kNone;
  preparation.grid.orientation = orientation_of(grid_);
  preparation.grid.spacing_mm = {{1.0005, 1.0, 2.0}};
  const Image<float> image = brain_image(grid_, 1.0F);
  const PreparedScan scan = load({write_channel("a.nii", image)}, preparation);
  EXPECT_FALSE(scan.resampled);
  EXPECT_EQ(scan.channels[0].values, image.values);
}

TEST_F(ScanLoader, EveryVoxelIsMeasuredWhereTheModelAsksForIt) {
  ScanPreparation preparation = preparation_for(1);
  preparation.measure_all = true;
  const PreparedScan scan = load({write_channel("a.nii", brain_image(grid_, 1.0F))}, preparation);
  EXPECT_EQ(std::count(scan.measured.values.begin(), scan.measured.values.end(), 1),
            scan.grid.voxel_count());
  EXPECT_LT(std::count(scan.brain.values.begin(), scan.brain.values.end(), 1),
            scan.grid.voxel_count());
}

TEST_F(ScanLoader, ABrainThatTouchesTheBorderIsFlaggedAlsoWhenResampled) {
  Image<float> image = brain_image(grid_, 1.0F);
  image.at(grid_.size[0] - 1, 20, 10) = 60.0F;
  ScanPreparation preparation = preparation_for(1);
  EXPECT_TRUE(load({write_channel("a.nii", image)}, preparation).touches_border);
  // At 1.7 mm the last voxel reaches beyond the scan, so the brain no longer touches its border.
  preparation.grid.spacing_mm = {{1.7, 1.7, 1.7}};
  EXPECT_TRUE(load({write_channel("a.nii", image)}, preparation).touches_border);
}

TEST_F(ScanLoader, RefusesChannelsOnTwoGridsNamingBoth) {
  const auto first = write_channel("c_t1.nii.gz", brain_image(grid_, 1.0F));
  Grid other = grid_;
  other.size[2] -= 1;
  const auto second = write_channel("c_t2.nii.gz", brain_image(other, 1.0F));
  EXPECT_EQ(load_refusal({first, second}),
            "c_t2.nii.gz: " + describe(other) + ", expected the grid of c_t1.nii.gz: " +
                describe(grid_) + "; resample all channels of a case onto one grid");
}

TEST_F(ScanLoader, RefusesChannelsThatLieApartSayingHowFar) {
  Grid grid;
  grid.size = {8, 8, 8};
  const auto first = write_channel("c_t1.nii", Image<float>(grid, 1.0F));
  grid.origin_mm[1] = 2.5;
  const auto second = write_channel("c_t2.nii", Image<float>(grid, 1.0F));
  EXPECT_EQ(load_refusal({first, second}),
            "c_t2.nii: 8x8x8 voxels of 1x1x1 mm, LPS, expected the grid of c_t1.nii: 8x8x8 voxels "
            "of 1x1x1 mm, LPS (their corners lie up to 2.5 mm apart); resample all channels of a "
            "case onto one grid");
}

TEST_F(ScanLoader, RefusesAScanOfUnknownOrientation) {
  NiftiFixture fixture;
  fixture.sform_code = 0;
  const auto path = write("a.nii", fixture);
  EXPECT_EQ(load_refusal({path}),
            "a.nii: neither sform nor qform is set, so nothing says which way the image is turned; "
            "set one of them if you know");
}

TEST_F(ScanLoader, RefusesAScanOfZeros) {
  const Image<float> zeros(grid_);
  EXPECT_EQ(load_refusal({write_channel("a.nii.gz", zeros), write_channel("b.nii.gz", zeros)}),
            "a.nii.gz: no brain, every voxel of every channel is 0; are these the right files?");
}

TEST_F(ScanLoader, RefusesOneChannelOfZerosNamingIt) {
  EXPECT_EQ(load_refusal({write_channel("a.nii.gz", brain_image(grid_, 1.0F)),
                          write_channel("b.nii.gz", Image<float>(grid_))}),
            "b.nii.gz: every voxel is 0, nothing to normalise; is this the right file?");
}

TEST_F(ScanLoader, RefusesATruncatedChannelNamingIt) {
  const auto whole = write_channel("a.nii.gz", brain_image(grid_, 1.0F));
  const std::string bytes = test::file_bytes(whole);
  EXPECT_EQ(load_refusal({whole, write("b.nii.gz", bytes.substr(0, bytes.size() / 2))}),
            "b.nii.gz: truncated, the compressed data end too early; copy it again");
}

TEST(SharedScan, LoadsOnItsOwnGridWithTheDeepMedicNormalisation) {
  const auto shared = testing::shared_folder();
  if (!shared) {
    GTEST_SKIP() << "MCVOL_SHARED names no folder";
  }
  const auto folder = *shared / "data" / "brats2021_00006";
  ScanPreparation preparation;
  preparation.grid.spacing_mm = {{1.0, 1.0, 1.0}};
  IntensitySpec intensity;
  intensity.clip_sd = 3.0;
  preparation.intensities.assign(4, intensity);
  std::vector<ImageSource> files;
  for (const std::string channel : {"t1", "t1ce", "t2", "flair"}) {
    files.emplace_back(folder / ("BraTS2021_00006_" + channel + ".nii.gz"));
  }
  const PreparedScan scan = load(files, preparation);
  EXPECT_FALSE(scan.resampled);
  EXPECT_EQ(describe(scan.grid), "240x240x155 voxels of 1x1x1 mm, LPS");
  for (const Image<float>& channel : scan.channels) {
    EXPECT_NEAR(mean_inside(channel), 0.0, 1e-5);
  }
}

}  // namespace
}  // namespace mcvol

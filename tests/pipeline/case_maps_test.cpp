#include "mcvol/pipeline/case_maps.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"
#include "mcvol/io/images/resample.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "pipeline/fake_bundle.h"
#include <Eigen/Geometry>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

Image<float> ramp() {
  Grid grid;
  grid.size = {10, 10, 10};
  grid.spacing_mm = {1, 2, 5};  // 0.01 ml a voxel
  Image<float> image(grid);
  for (std::size_t n = 0; n < 1000; ++n) {
    image.values[n] = static_cast<float>(n * 7919 % 1000) / 1000.0F;
  }
  return image;
}

std::int64_t voxels_in(const Image<std::uint8_t>& set) {
  return std::accumulate(set.values.begin(), set.values.end(), std::int64_t{0});
}

TEST(LevelSet, HoldsAsManyOfTheMostProbableVoxelsAsMakeUpTheVolume) {
  const Image<float> image = ramp();
  const Image<std::uint8_t> set = level_set(image, 1.234);
  EXPECT_EQ(voxels_in(set), 123);
  for (std::size_t n = 0; n < 1000; ++n) EXPECT_EQ(set.values[n] != 0, image.values[n] > 0.8765F);
}

TEST(LevelSet, SetsAreNestedAlsoWhereProbabilitiesAreEqual) {
  Image<float> image = ramp();
  for (float& value : image.values) value = std::round(4 * value) / 4;
  Image<std::uint8_t> smaller = level_set(image, 0);
  EXPECT_EQ(voxels_in(smaller), 0);
  for (int count = 50; count <= 800; count += 50) {
    const Image<std::uint8_t> larger = level_set(image, 0.01 * count);
    EXPECT_EQ(voxels_in(larger), count);
    for (std::size_t n = 0; n < 1000; ++n) EXPECT_LE(smaller.values[n], larger.values[n]);
    smaller = larger;
  }
}

TEST(LevelSet, HasNoVoxelOfProbabilityZeroHoweverLargeTheVolume) {
  Image<float> image = ramp();
  for (std::size_t n = 0; n < 500; ++n) image.values[n] = 0.0F;
  EXPECT_EQ(voxels_in(level_set(image, 1e9)),
            std::count_if(image.values.begin(), image.values.end(), [](float p) { return p > 0; }));
}

/// A probability that is another at every place and the same whichever way the image is turned.
double probability_at(const Eigen::Vector3d& place_mm) {
  return 1.0 / (1.0 + std::exp(-0.1 * place_mm[0] + 0.07 * place_mm[1] - 0.05 * place_mm[2]));
}

std::vector<RegionMap> maps_of(const PreparedScan& scan) {
  std::vector<std::int64_t> voxels;
  std::vector<float> logits;
  for (std::int64_t k = 0; k < scan.grid.size[2]; ++k) {
    for (std::int64_t j = 0; j < scan.grid.size[1]; ++j) {
      for (std::int64_t i = 0; i < scan.grid.size[0]; ++i) {
        const double p = probability_at(scan.grid.physical_from_index(Eigen::Vector3d(
            static_cast<double>(i), static_cast<double>(j), static_cast<double>(k))));
        voxels.push_back(static_cast<std::int64_t>(voxels.size()));
        logits.push_back(static_cast<float>(std::log(p / (1 - p))));
      }
    }
  }
  HistogramSink sink({"whole"}, static_cast<std::int64_t>(voxels.size()), 1, 0);
  sink.accept({voxels, 0, 1, 1, logits});
  return region_maps(scan, sink, {"whole"});
}

/// As load_scan() leaves it, of a file on this grid.
PreparedScan scan_of_file_on(const Grid& own, const std::string& orientation, double spacing_mm) {
  PreparedScan scan;
  scan.own_grid = own;
  scan.grid = reoriented(Image<std::uint8_t>(own), orientation).grid;
  if (spacing_mm > 0) {
    scan.grid = resampled_grid(scan.grid, {spacing_mm, spacing_mm, spacing_mm});
    scan.resampled = true;
  }
  scan.measured = Image<std::uint8_t>(scan.grid, 1);
  return scan;
}

double largest_error(const RegionMap& map, const Grid& own, std::int64_t margin) {
  double largest = 0;
  for (std::int64_t k = margin; k < own.size[2] - margin; ++k) {
    for (std::int64_t j = margin; j < own.size[1] - margin; ++j) {
      for (std::int64_t i = margin; i < own.size[0] - margin; ++i) {
        const double expected = probability_at(own.physical_from_index(Eigen::Vector3d(
            static_cast<double>(i), static_cast<double>(j), static_cast<double>(k))));
        largest = std::max(largest, std::abs(map.probability.at(i, j, k) - expected));
      }
    }
  }
  return largest;
}

TEST(RegionMaps, LieWhereTheScanDoesInAllOrientationsStraightAndOblique) {
  const Eigen::Matrix3d oblique =
      Eigen::AngleAxisd(0.4, Eigen::Vector3d(1, 2, 3).normalized()).toRotationMatrix();
  int tried = 0;
  for (const Eigen::Matrix3d& turn : {Eigen::Matrix3d(Eigen::Matrix3d::Identity()), oblique}) {
    for (const std::array<int, 3>& order :
         {std::array{0, 1, 2}, std::array{0, 2, 1}, std::array{1, 0, 2}, std::array{1, 2, 0},
          std::array{2, 0, 1}, std::array{2, 1, 0}}) {
      for (int flips = 0; flips < 8; ++flips) {
        Grid own;
        own.size = {7, 8, 9};
        own.spacing_mm = {1.0, 1.5, 2.0};
        own.origin_mm = {-3, 4, 5};
        Eigen::Matrix3d axes = Eigen::Matrix3d::Zero();
        for (int axis = 0; axis < 3; ++axis) {
          axes(order[static_cast<std::size_t>(axis)], axis) = (flips >> axis & 1) != 0 ? -1 : 1;
        }
        own.direction = turn * axes;
        const std::vector<RegionMap> same = maps_of(scan_of_file_on(own, "LPS", 0));
        ASSERT_EQ(same.size(), 1U);
        EXPECT_EQ(same[0].probability.grid.size, own.size);
        EXPECT_LT(largest_error(same[0], own, 0), 1e-6);
        // Interpolated, from 1 mm: what linear interpolation leaves of the curvature.
        EXPECT_LT(largest_error(maps_of(scan_of_file_on(own, "RAS", 1.0))[0], own, 1), 2e-3);
        ++tried;
      }
    }
  }
  EXPECT_EQ(tried, 96);
}

class CaseMapFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    source_ = folder_ / "scan.nii.gz";
    write_image(source_, ramp());
  }
  static VolumeRow row(const std::string& level, double lower_ml, double upper_ml) {
    VolumeRow made;
    made.case_id = "case_a";
    made.region = "whole";
    made.level = level;
    made.segmented_ml = 3.0;
    made.raw_lower_ml = lower_ml;
    made.raw_upper_ml = upper_ml;
    return made;
  }
  void write(const std::vector<VolumeRow>& rows, const MapChoice& choice) const {
    write_case_maps(folder_, "case_a", {{"whole", ramp()}}, rows, choice, source_);
  }
  double volume_of(const std::string& name) const {
    const Image<std::int32_t> image = read_label_map(maps_ / name);
    return static_cast<double>(std::count(image.values.begin(), image.values.end(), 1)) * 0.01;
  }

  fs::path folder_ = testing::fresh_folder("maps");
  fs::path maps_ = folder_ / "maps" / "case_a";
  fs::path source_;
  MapChoice all_ = MapChoice::parse({"segmentation,bounds"});
};

TEST_F(CaseMapFiles, AreWhatTheTableSays) {
  write({row("0.5", 2, 4), row("0.9", 1, 6)}, all_);
  EXPECT_NEAR(volume_of("whole.nii.gz"), 3.0, 1e-9);
  EXPECT_NEAR(volume_of("whole_lower_0.5.nii.gz"), 2.0, 1e-9);
  EXPECT_NEAR(volume_of("whole_upper_0.9.nii.gz"), 6.0, 1e-9);
  EXPECT_EQ(read_image(maps_ / "whole_probability.nii.gz").values, ramp().values);
  const auto contents = nlohmann::json::parse(read_file(maps_ / "maps.json"));
  EXPECT_EQ(contents["grid_of"], "scan.nii.gz");
  EXPECT_EQ(contents["images"].size(), 6U);
  EXPECT_NEAR(contents["images"][0]["threshold"].get<double>(), 0.7, 2e-3);
  EXPECT_TRUE(has_case_maps(folder_, "case_a", all_));
  EXPECT_FALSE(has_case_maps(folder_, "case_b", all_));
  fs::remove(maps_ / "whole.nii.gz");
  EXPECT_FALSE(has_case_maps(folder_, "case_a", all_));
}

TEST_F(CaseMapFiles, BoundsOfACalibrationAreDrawnInPlaceOfTheRawOnes) {
  VolumeRow calibrated = row("0.9", 1, 6);
  calibrated.lower_ml = 0.5;
  calibrated.upper_ml = 8.0;
  write({calibrated}, all_);
  EXPECT_NEAR(volume_of("whole_lower_0.9.nii.gz"), 0.5, 1e-9);
  EXPECT_NEAR(volume_of("whole_upper_0.9.nii.gz"), 8.0, 1e-9);
}

TEST_F(CaseMapFiles, BoundsAreMadeAnewForAnotherIntervalOnly) {
  write({row("0.9", 1, 6)}, all_);
  EXPECT_FALSE(renew_bounds(folder_, "case_a", {row("0.9", 1, 6)}));
  EXPECT_TRUE(renew_bounds(folder_, "case_a", {row("0.5", 2, 4)}));
  EXPECT_FALSE(fs::exists(maps_ / "whole_lower_0.9.nii.gz"));
  EXPECT_NEAR(volume_of("whole_lower_0.5.nii.gz"), 2.0, 1e-9);
  EXPECT_TRUE(renew_bounds(folder_, "case_a", {row("0.5", 2, 5)}));
  EXPECT_NEAR(volume_of("whole_upper_0.5.nii.gz"), 5.0, 1e-9);
  EXPECT_TRUE(has_case_maps(folder_, "case_a", all_));
}

TEST_F(CaseMapFiles, RemovingTakesWhatIsOursAndLeavesWhatIsNot) {
  write({row("0.9", 1, 6)}, all_);
  write_file_atomically(maps_ / "notes.txt", "mine");
  remove_case_maps(folder_, "case_a");
  EXPECT_TRUE(fs::exists(maps_ / "notes.txt"));
  EXPECT_EQ(std::distance(fs::directory_iterator(maps_), fs::directory_iterator()), 1);
  fs::remove(maps_ / "notes.txt");
  write({row("0.9", 1, 6)}, all_);
  remove_case_maps(folder_, "case_a");
  EXPECT_FALSE(fs::exists(maps_));
}

TEST_F(CaseMapFiles, AListThatNamesFilesElsewhereTakesNone) {
  write_file_atomically(folder_ / "mine.nii.gz", "x");
  write_file_atomically(maps_ / "maps.json",
                        R"({"images": [{"file": "../../mine.nii.gz", "kind": "bounds"}]})");
  remove_case_maps(folder_, "case_a");
  EXPECT_TRUE(fs::exists(folder_ / "mine.nii.gz"));
}

TEST(MapChoice, TakesWordsApartAndTogether) {
  const MapChoice choice = MapChoice::parse({"segmentation, probability"});
  EXPECT_TRUE(choice.segmentation && choice.probability && !choice.bounds);
  EXPECT_TRUE(MapChoice::parse({"bounds"}).probability) << "which they are made of";
  EXPECT_FALSE(MapChoice::parse({}).any());
  EXPECT_THROW(MapChoice::parse({"labels"}), UsageError);
}

}  // namespace
}  // namespace mcvol

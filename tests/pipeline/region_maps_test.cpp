#include "mcvol/io/images/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "io/images/sphere_fixture.h"
#include "pipeline/case_maps_fixture.h"
#include <Eigen/Geometry>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::ramp;

std::int64_t voxels_in(const Image<std::uint8_t>& set) {
  return std::accumulate(set.values.begin(), set.values.end(), std::int64_t{0});
}

TEST(LevelSet, HoldsAsManyOfTheMostProbableVoxelsAsMakeUpTheVolume) {
  const Image<float> image = ramp();
  const Image<std::uint8_t> set = level_set(image, 1.234);
  EXPECT_EQ(voxels_in(set), 123);
  for (std::size_t n = 0; n < 1000; ++n)
    EXPECT_EQ(set.values[n] != 0, image.values[n] > 876.5F / 1024);
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

/// Of a pass with probability_at(), and further ones with 1.
std::vector<RegionMap> maps_of(const PreparedScan& scan, int passes = 1) {
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
  HistogramSink sink({"whole"}, static_cast<std::int64_t>(voxels.size()), passes, 0,
                     {passes > 1, passes > 1});
  sink.accept({voxels, 0, 1, 1, logits});
  std::fill(logits.begin(), logits.end(), 40.0F);
  for (int pass = 1; pass < passes; ++pass) sink.accept({voxels, pass, 1, 1, logits});
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
  int tried = 0;
  for (const Eigen::Matrix3d& turn :
       {Eigen::Matrix3d(Eigen::Matrix3d::Identity()), test::oblique_rotation()}) {
    for (const Eigen::Matrix3d& direction : test::forty_eight_directions(turn)) {
      Grid own;
      own.size = {7, 8, 9};
      own.spacing_mm = {1.0, 1.5, 2.0};
      own.origin_mm = {-3, 4, 5};
      own.direction = direction;
      const std::vector<RegionMap> same = maps_of(scan_of_file_on(own, "LPS", 0));
      ASSERT_EQ(same.size(), 1U);
      EXPECT_EQ(same[0].probability.grid.size, own.size);
      EXPECT_LT(largest_error(same[0], own, 0), 1.6e-5);  // half a step
      // Interpolated, from 1 mm: what linear interpolation leaves of the curvature.
      EXPECT_LT(largest_error(maps_of(scan_of_file_on(own, "RAS", 1.0))[0], own, 1), 2e-3);
      ++tried;
    }
  }
  EXPECT_EQ(tried, 96);
}

TEST(RegionMaps, SdAndAgreementLieWhereTheProbabilityDoes) {
  Grid own;
  own.size = {7, 8, 9};
  own.spacing_mm = {1.0, 1.5, 2.0};
  own.direction = test::forty_eight_directions(test::oblique_rotation())[17];
  for (const double spacing_mm : {0.0, 1.0}) {
    const RegionMap map = maps_of(scan_of_file_on(own, "RAS", spacing_mm), 2)[0];
    ASSERT_EQ(map.sd->grid.size, own.size);
    ASSERT_EQ(map.agreement->grid.size, own.size);
    for (std::size_t n = 0; n < map.sd->values.size(); ++n) {
      // Of p and 1: mean (p + 1) / 2, deviations of (1 - p) / 2 twice, by n - 1.
      const float mean = map.probability.values[n];
      if (mean == 0.0F) continue;  // beyond what was measured
      ASSERT_NEAR(map.sd->values[n], std::sqrt(2.0F) * (1 - mean), 4e-5);
      if (spacing_mm == 0.0 && std::abs(mean - 0.75F) > 1e-4F) {
        ASSERT_EQ(map.agreement->values[n], mean > 0.75F ? 1.0F : 0.5F);
      }
    }
  }
  const RegionMap without = maps_of(scan_of_file_on(own, "RAS", 0))[0];
  EXPECT_FALSE(without.sd || without.agreement);
}

}  // namespace
}  // namespace mcvol

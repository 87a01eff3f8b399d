#include "mcvol/image/quality_changes.h"

#include <functional>
#include <utility>

#include "image/quality/whole_number_scan.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing_support::scan_of_whole_numbers;

void expect_near(const std::optional<double>& found, const std::optional<double>& expected) {
  ASSERT_EQ(found.has_value(), expected.has_value());
  if (found) EXPECT_NEAR(*found, *expected, 1e-9);
}

template <typename Numbers>
void expect_all_near(const Numbers& found, const Numbers& expected, const char* what) {
  SCOPED_TRACE(what);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t n = 0; n < found.size(); ++n) {
    SCOPED_TRACE(n);
    expect_near(found[n], expected[n]);
  }
}

void expect_alike(const MutualInformation& found, const MutualInformation& expected) {
  expect_near(found.unshifted, expected.unshifted);
  for (std::size_t shift = 0; shift < found.shifted.size(); ++shift) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      expect_all_near(found.shifted[shift][axis], expected.shifted[shift][axis], "shifted");
    }
  }
}

/// @param first_known whether what channels tell of the first one is.
void expect_alike(const ImageQuality& found, const ImageQuality& expected, bool first_known) {
  EXPECT_NEAR(found.brain_ml, expected.brain_ml, 1e-9);
  EXPECT_EQ(found.shifts_voxels, expected.shifts_voxels);
  for (std::size_t a = 0; a < 3; ++a) {
    EXPECT_NEAR(found.brain.spread_mm[a], expected.brain.spread_mm[a], 1e-9);
    EXPECT_NEAR(found.brain.mirror_overlap[a], expected.brain.mirror_overlap[a], 1e-9);
    expect_all_near(found.brain.coskewness[a], expected.brain.coskewness[a], "coskewness");
  }
  expect_all_near(found.brain.coordinate_correlation, expected.brain.coordinate_correlation,
                  "coordinate_correlation");
  expect_all_near(found.brain.mirror_correlation, expected.brain.mirror_correlation,
                  "mirror_correlation");
  ASSERT_EQ(found.channels.size(), expected.channels.size());
  for (std::size_t n = 0; n < found.channels.size(); ++n) {
    SCOPED_TRACE("channel " + std::to_string(n));
    const ChannelQuality &of_found = found.channels[n], &of_expected = expected.channels[n];
    EXPECT_EQ(of_found.quantiles, of_expected.quantiles);
    expect_near(of_found.noise, of_expected.noise);
    expect_all_near(of_found.sharpness, of_expected.sharpness, "sharpness");
    expect_all_near(of_found.axis_correlation, of_expected.axis_correlation, "axis_correlation");
    expect_all_near(of_found.correlations, of_expected.correlations, "correlations");
    expect_all_near(of_found.difference_asymmetry, of_expected.difference_asymmetry,
                    "difference_asymmetry");
    ASSERT_EQ(of_found.mutual_information.has_value(), n > 0);
    if (n == 0) continue;
    expect_alike(*of_found.mutual_information,
                 first_known ? *of_expected.mutual_information : MutualInformation{});
  }
}

template <typename Voxel>
Image<Voxel> turned(const Image<Voxel>& image, const Grid& grid,
                    const std::function<Index3(Index3)>& from) {
  Image<Voxel> result(grid);
  for_each_voxel_of(Image<std::uint8_t>(grid, 1), [&](const Index3& voxel, std::size_t offset) {
    const Index3 at = from(voxel);
    result.values[offset] = image.at(at[0], at[1], at[2]);
  });
  return result;
}

PreparedScan turned(const PreparedScan& scan, const Grid& grid,
                    const std::function<Index3(Index3)>& from) {
  PreparedScan result = scan;
  result.grid = grid;
  result.brain = turned(scan.brain, grid, from);
  for (Image<float>& channel : result.channels) channel = turned(channel, grid, from);
  return result;
}

TEST(QualityChanges, OfChannelsAreWhatLookingAgainGives) {
  const PreparedScan scan = scan_of_whole_numbers();
  const ImageQuality before = image_quality(scan).value();
  for (const auto& [a, b] :
       std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {0, 2}, {1, 2}}) {
    SCOPED_TRACE(std::to_string(a) + " and " + std::to_string(b));
    PreparedScan exchanged = scan;
    std::swap(exchanged.channels[a], exchanged.channels[b]);
    expect_alike(with_channels_exchanged(before, a, b), image_quality(exchanged).value(), a != 0);
  }
}

TEST(QualityChanges, OfAnAxisAreWhatLookingAgainGives) {
  const PreparedScan scan = scan_of_whole_numbers();
  const ImageQuality before = image_quality(scan).value();
  for (std::size_t axis = 0; axis < 3; ++axis) {
    SCOPED_TRACE(axis);
    const PreparedScan reversed = turned(scan, scan.grid, [&](Index3 voxel) {
      voxel[axis] = scan.grid.size[axis] - 1 - voxel[axis];
      return voxel;
    });
    ImageQuality again = image_quality(reversed).value();
    // Of which way a pair of voxels is looked at, rounding alone is left.
    expect_alike(with_axis_reversed(before, axis), again, true);
  }
}

TEST(QualityChanges, OfTwoAxesAreWhatLookingAgainGives) {
  const PreparedScan scan = scan_of_whole_numbers();
  const ImageQuality before = image_quality(scan).value();
  for (const auto& [a, b] :
       std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {0, 2}, {1, 2}}) {
    SCOPED_TRACE(std::to_string(a) + " and " + std::to_string(b));
    Grid grid = scan.grid;
    std::swap(grid.size[a], grid.size[b]);
    std::swap(grid.spacing_mm[static_cast<Eigen::Index>(a)],
              grid.spacing_mm[static_cast<Eigen::Index>(b)]);
    const PreparedScan exchanged = turned(scan, grid, [a = a, b = b](Index3 voxel) {
      std::swap(voxel[a], voxel[b]);
      return voxel;
    });
    expect_alike(with_axes_exchanged(before, a, b), image_quality(exchanged).value(), true);
  }
}

}  // namespace
}  // namespace mcvol

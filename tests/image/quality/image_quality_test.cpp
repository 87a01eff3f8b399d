#include "mcvol/image/image_quality.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "image/quality/whole_number_scan.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing_support::scan_of_whole_numbers;

constexpr double kTolerance = 1e-9;

template <typename Found, typename Expected>
void expect_near(const Found& found, const Expected& expected) {
  ASSERT_EQ(std::size(found), std::size(expected));
  for (std::size_t n = 0; n < std::size(found); ++n) {
    if constexpr (std::is_same_v<std::decay_t<decltype(found[n])>, double>) {
      EXPECT_NEAR(found[n], expected[n], kTolerance) << n;
    } else {
      EXPECT_NEAR(found[n].value(), expected[n], kTolerance) << n;
    }
  }
}

using Numbers = std::vector<double>;

// The numbers in the following three tests are those of make_expected.py.
TEST(ImageQuality, OfTheBrainsShapeIsWhatNumpyGives) {
  const ImageQuality quality = image_quality(scan_of_whole_numbers()).value();
  EXPECT_NEAR(quality.brain_ml, 2.43, kTolerance);
  expect_near(quality.brain.spread_mm, Numbers{2.36838096493, 3.62250765747, 7.47014427943});
  expect_near(quality.brain.coordinate_correlation,
              Numbers{-0.0117168770914, -0.0267590989437, -0.0176934482506});
  expect_near(quality.brain.coskewness[0],
              Numbers{-0.0776177476838, 0.0473971332035, 0.0217899124467});
  expect_near(quality.brain.coskewness[1],
              Numbers{0.0663768429325, -0.0843890792084, 0.00609639177416});
  expect_near(quality.brain.coskewness[2], Numbers{0.23471519484, 0.25876305969, -0.337724205678});
  expect_near(quality.brain.mirror_overlap,
              Numbers{0.851851851852, 0.833333333333, 0.744444444444});
  expect_near(quality.brain.mirror_correlation,
              Numbers{0.13876914812, 0.417339334623, 0.0163140349529});
}

TEST(ImageQuality, OfChannelsIsWhatNumpyGives) {
  const ImageQuality quality = image_quality(scan_of_whole_numbers()).value();
  ASSERT_EQ(quality.channels.size(), 3u);
  const auto& [first, second, third] =
      std::tie(quality.channels[0], quality.channels[1], quality.channels[2]);
  expect_near(first.quantiles, Numbers{0.92375, 1.75, 3.25, 4.5, 5.75, 7.5, 8.125});
  expect_near(third.quantiles, Numbers{-2.0, -1.8125, -1.0625, -0.5625, 0.125, 0.875, 1.225625});
  EXPECT_NEAR(first.noise.value(), 0.406756752892, kTolerance);
  EXPECT_NEAR(second.noise.value(), 0.606858409132, kTolerance);
  EXPECT_NEAR(third.noise.value(), 0.454796164898, kTolerance);
  expect_near(first.sharpness, Numbers{0.782586444725, 0.669377121511, 0.536868481645});
  expect_near(third.sharpness, Numbers{0.740514343766, 0.720250863816, 0.755778880499});
  expect_near(first.axis_correlation, Numbers{-0.0429581825042, -0.0392600282522, 0.737342449411});
  expect_near(third.axis_correlation, Numbers{-0.759714327462, -0.0125641919465, -0.0113291248791});
  expect_near(first.correlations, Numbers{});
  expect_near(second.correlations, Numbers{0.554463390839});
  expect_near(third.correlations, Numbers{0.0127960486137, 0.0132120499064});
  expect_near(first.difference_asymmetry, Numbers{});
  expect_near(second.difference_asymmetry, Numbers{0.114665721965});
  expect_near(third.difference_asymmetry, Numbers{0.301546510733, -0.0167600933186});
}

TEST(ImageQuality, OfShiftedChannelsIsWhatNumpyGives) {
  const ImageQuality quality = image_quality(scan_of_whole_numbers()).value();
  EXPECT_EQ(quality.shifts_voxels[0], (std::array<std::int64_t, 3>{2, 2, 1}));
  EXPECT_EQ(quality.shifts_voxels[1], (std::array<std::int64_t, 3>{4, 3, 2}));
  EXPECT_FALSE(quality.channels[0].mutual_information);
  const MutualInformation& second = quality.channels[1].mutual_information.value();
  EXPECT_NEAR(second.unshifted.value(), 0.9613636822, kTolerance);
  std::vector<std::optional<double>> shifted;
  for (const auto& axes : second.shifted) {
    for (const auto& sides : axes) shifted.insert(shifted.end(), sides.begin(), sides.end());
  }
  expect_near(shifted, Numbers{1.10773881965, 1.09080921072, 1.05302855141, 1.07983183689,
                               0.908117747606, 0.930988357076, 1.32081275601, 1.30753807855,
                               1.13322111335, 1.21932635843, 1.03535894012, 0.983020037506});
  EXPECT_NEAR(quality.channels[2].mutual_information.value().unshifted.value(), 0.771999525998,
              kTolerance);
}

/// A head of soft walls, wider behind than in front and narrower below, with noise.
PreparedScan large_scan(bool reversed) {
  PreparedScan scan;
  scan.grid.size = {70, 80, 60};
  scan.brain = Image<std::uint8_t>(scan.grid);
  scan.channels.assign(2, Image<float>(scan.grid));
  std::mt19937 generator(5);
  std::normal_distribution<float> normal(0.0F, 0.3F);
  for (std::int64_t k = 0; k < 60; ++k) {
    for (std::int64_t j = 0; j < 80; ++j) {
      for (std::int64_t i = 0; i < 70; ++i) {
        const std::int64_t to = reversed ? 59 - k : k;
        const double x = static_cast<double>(i) - 35, y = static_cast<double>(j) - 40,
                     z = static_cast<double>(k) - 25;
        const double wide = 30 * std::sqrt(std::max(0.0, 1 - z * z / 625)) * (1 + 0.01 * z);
        const bool inside = x * x + y * y * 0.8 < wide * wide;
        scan.brain.at(i, j, to) = inside ? 1 : 0;
        const auto light = static_cast<float>(std::cos(x / 9) + y / 40 + z / 60);
        const float noise = normal(generator);
        scan.channels[0].at(i, j, to) = inside ? light + noise : 0.0F;
        scan.channels[1].at(i, j, to) = inside ? 2 * light + normal(generator) : 0.0F;
      }
    }
  }
  return scan;
}

TEST(ImageQuality, OfALargeBrainIsThatOfAnEvenShareOfIt) {
  const PreparedScan scan = large_scan(false);
  const ImageQuality quality = image_quality(scan).value();
  const std::int64_t voxels = std::count(scan.brain.values.begin(), scan.brain.values.end(), 1);
  ASSERT_GT(voxels, kMostQualityVoxels);
  EXPECT_DOUBLE_EQ(quality.brain_ml, static_cast<double>(voxels) / 1000);
  std::vector<float> values;
  for (std::size_t n = 0; n < scan.brain.values.size(); ++n) {
    if (scan.brain.values[n] != 0) values.push_back(scan.channels[0].values[n]);
  }
  std::sort(values.begin(), values.end());
  double sum = 0, squares = 0;
  for (const float value : values) {
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const double count = static_cast<double>(values.size());
  const double sd = std::sqrt(squares / count - sum / count * (sum / count));
  for (std::size_t n = 0; n < kQualityQuantiles.size(); ++n) {
    const auto rank = static_cast<std::size_t>(kQualityQuantiles[n] * (count - 1));
    EXPECT_NEAR(quality.channels[0].quantiles[n], static_cast<double>(values[rank]), 0.03);
  }
  EXPECT_NEAR(quality.channels[0].noise.value(), 0.3 / sd, 0.03 * 0.3 / sd);
  EXPECT_EQ(image_quality(scan), quality) << "the same scan gives the same bits";
}

TEST(ImageQuality, AReversedAxisChangesTheSignsOfItsNumbersAlone) {
  const ImageQuality there = image_quality(large_scan(false)).value();
  const ImageQuality back = image_quality(large_scan(true)).value();
  const auto coskewness = [](const ImageQuality& quality, std::size_t a, std::size_t b) {
    return quality.brain.coskewness[a][b].value();
  };
  EXPECT_LT(coskewness(there, 2, 2), -0.01);
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      const double sign = a == 2 ? -1 : 1;
      EXPECT_NEAR(coskewness(back, a, b), sign * coskewness(there, a, b), 1e-9) << a << b;
    }
  }
  for (const std::size_t pair : {1u, 2u}) {  // x and z, y and z
    EXPECT_NEAR(back.brain.coordinate_correlation[pair].value(),
                -there.brain.coordinate_correlation[pair].value(), 1e-9);
  }
  const auto tilt = [](const ImageQuality& quality, std::size_t axis) {
    return quality.channels[1].axis_correlation[axis].value();
  };
  EXPECT_GT(tilt(there, 2), 0.1);
  EXPECT_NEAR(tilt(back, 2), -tilt(there, 2), 0.02);
  EXPECT_NEAR(tilt(back, 1), tilt(there, 1), 0.02);
  // Left and right are alike, above and below are not.
  EXPECT_GT(there.brain.mirror_overlap[0], 0.97);
  EXPECT_LT(there.brain.mirror_overlap[2], 0.95);
  EXPECT_GT(there.brain.mirror_correlation[0].value(),
            there.brain.mirror_correlation[1].value() + 0.2);
}

TEST(ImageQuality, BlurAlongAnAxisTakesItsSharpnessAndNoise) {
  PreparedScan scan = large_scan(false);
  const ImageQuality before = image_quality(scan).value();
  const Image<float> sharp = scan.channels[0];
  for (std::int64_t k = 1; k < 59; ++k) {
    for (std::int64_t j = 0; j < 80; ++j) {
      for (std::int64_t i = 0; i < 70; ++i) {
        scan.channels[0].at(i, j, k) =
            (sharp.at(i, j, k - 1) + 2 * sharp.at(i, j, k) + sharp.at(i, j, k + 1)) / 4;
      }
    }
  }
  const ImageQuality after = image_quality(scan).value();
  const ChannelQuality &of_sharp = before.channels[0], &of_blurred = after.channels[0];
  EXPECT_LT(of_blurred.sharpness[2].value() / of_blurred.sharpness[0].value(),
            0.8 * of_sharp.sharpness[2].value() / of_sharp.sharpness[0].value());
  EXPECT_LT(of_blurred.noise.value(), 0.7 * of_sharp.noise.value());
}

TEST(ImageQuality, WhatCannotBeSaidIsLeftOut) {
  PreparedScan scan;
  EXPECT_EQ(image_quality(scan), std::nullopt);
  scan.grid.size = {4, 4, 1};
  scan.brain = Image<std::uint8_t>(scan.grid);
  scan.channels.assign(2, Image<float>(scan.grid, 3.0F));
  EXPECT_EQ(image_quality(scan), std::nullopt);
  scan.brain.at(1, 2, 0) = 1;
  const ImageQuality quality = image_quality(scan).value();
  EXPECT_EQ(quality.brain.coordinate_correlation, AxisNumbers{});
  EXPECT_EQ(quality.brain.coskewness, (std::array<AxisNumbers, 3>{}));
  EXPECT_EQ(quality.brain.mirror_overlap[0], 1.0);
  EXPECT_EQ(quality.brain.mirror_correlation, AxisNumbers{});
  const ChannelQuality& second = quality.channels[1];
  EXPECT_EQ(second.quantiles.front(), 3.0);
  EXPECT_EQ(second.noise, std::nullopt);
  EXPECT_EQ(second.sharpness, AxisNumbers{});
  EXPECT_EQ(second.correlations, std::vector<std::optional<double>>(1));
  EXPECT_EQ(second.difference_asymmetry, std::vector<std::optional<double>>(1));
  EXPECT_EQ(second.mutual_information, MutualInformation{});
}

TEST(ImageQuality, BrightSpotsOfOneChannelShowInItsDifferenceFromTheOther) {
  PreparedScan scan = large_scan(false);
  // Alike but for noise, another contrast of what is slow, and a few spots.
  std::mt19937 generator(3);
  std::bernoulli_distribution is_spot(0.002);
  for (std::size_t n = 0; n < scan.brain.values.size(); ++n) {
    const float spot = is_spot(generator) ? 4.0F : 0.0F;
    scan.channels[1].values[n] = 0.8F * scan.channels[0].values[n] + spot;
  }
  const double found = image_quality(scan).value().channels[1].difference_asymmetry.front().value();
  EXPECT_GT(found, 0.4);
  std::swap(scan.channels[0], scan.channels[1]);
  EXPECT_NEAR(image_quality(scan).value().channels[1].difference_asymmetry.front().value(), -found,
              1e-6);
}

}  // namespace
}  // namespace mcvol

#include "mcvol/image/background.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include <Eigen/Geometry>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr std::int64_t kSide = 48;

/// A head of intensities 200 to 1000, none twice, about the middle; elsewhere `outside()`.
Image<float> head(double radius, const std::function<double()>& outside,
                  const Eigen::Matrix3d& turn = Eigen::Matrix3d::Identity()) {
  Grid grid;
  grid.size = {kSide, kSide, kSide};
  Image<float> image(grid);
  std::mt19937 generator(7);
  std::uniform_real_distribution<double> intensity(200.0, 1000.0);
  for (std::int64_t k = 0; k < kSide; ++k) {
    for (std::int64_t j = 0; j < kSide; ++j) {
      for (std::int64_t i = 0; i < kSide; ++i) {
        const Eigen::Vector3d from_middle =
            turn * (Eigen::Vector3d(i, j, k) - Eigen::Vector3d::Constant(0.5 * (kSide - 1)));
        const bool inside =
            from_middle.cwiseQuotient(Eigen::Vector3d(0.8, 1.0, 0.9)).norm() < radius;
        image.at(i, j, k) = static_cast<float>(inside ? intensity(generator) : outside());
      }
    }
  }
  return image;
}

std::function<double()> always(double value) {
  return [value] { return value; };
}

std::function<double()> normal(double mean, double sd) {
  return [generator = std::mt19937(3), noise = std::normal_distribution<double>(
                                           mean, sd)]() mutable { return noise(generator); };
}

std::int64_t voxels_outside(const Image<float>& image, const Background& background) {
  return std::count_if(image.values.begin(), image.values.end(),
                       [&](float value) { return background.contains(value); });
}

std::int64_t voxels_equal(const Image<float>& image, float value) {
  return std::count(image.values.begin(), image.values.end(), value);
}

TEST(Background, IsTheOneValueOfTheBorder) {
  for (const float value : {0.0F, -0.5F, -0.002F, 1e-6F, -3.7F, 5000.0F}) {
    const Image<float> image = head(20, always(value));
    const Background background = find_background(image, 0.0);
    ASSERT_TRUE(background.found) << value;
    EXPECT_EQ(background.value, static_cast<double>(value));
    EXPECT_EQ(background.tolerance, 0.0);
    EXPECT_EQ(background.is_exactly_zero(), value == 0.0F);
    EXPECT_EQ(voxels_outside(image, background), voxels_equal(image, value));
  }
}

TEST(Background, IsFoundBesideHeadsThatAreTiltedOrCutOff) {
  const Eigen::Matrix3d tilt =
      Eigen::AngleAxisd(0.5, Eigen::Vector3d(1, 2, 3).normalized()).toRotationMatrix();
  // At 32 the head sticks out of every face, and holds two thirds of the border.
  for (const double radius : {24.0, 28.0, 32.0}) {
    for (const float value : {0.0F, -0.5F}) {
      const Image<float> image = head(radius, always(value), tilt);
      const Background background = find_background(image, 0.0);
      ASSERT_TRUE(background.found) << radius << ": " << background.border_share;
      EXPECT_EQ(background.value, static_cast<double>(value));
      EXPECT_EQ(voxels_outside(image, background), voxels_equal(image, value));
    }
  }
}

TEST(Background, IsANarrowBandOfNoise) {
  std::mt19937 generator(5);
  std::uniform_real_distribution<double> flat(-0.01, 0.01);
  for (const auto& outside : {std::function<double()>([&] { return flat(generator); }),
                              normal(0.0, 0.5), normal(-20.0, 1.0)}) {
    const Image<float> image = head(20, outside);
    const Background background = find_background(image, 0.0);
    ASSERT_TRUE(background.found);
    EXPECT_GT(background.tolerance, 0.0);
    EXPECT_EQ(voxels_outside(image, background),
              std::count_if(image.values.begin(), image.values.end(),
                            [](float value) { return value < 100.0F; }));
  }
}

TEST(Background, AStepOfTheStorageIsNoDifference) {
  std::mt19937 generator(5);
  const Image<float> image = head(20, [&] { return generator() % 2 == 0 ? -3.0 : 9.0; });
  EXPECT_FALSE(find_background(image, 0.0).found);
  const Background background = find_background(image, 12.0);
  ASSERT_TRUE(background.found);
  EXPECT_TRUE(background.contains(-3.0F));
  EXPECT_TRUE(background.contains(9.0F));
  EXPECT_FALSE(background.contains(100.0F));
}

TEST(Background, ResiduesAreNoBrainButAFewAreLeftAlone) {
  Image<float> image = head(20, always(0));
  const std::int64_t outside = voxels_equal(image, 0.0F);
  std::int64_t left = 1000;
  for (float& value : image.values) {
    if (value == 0.0F && left-- > 0) value = 1e-4F;
  }
  // They lie on the border first, where they could be noise: in the middle then.
  std::rotate(image.values.begin(), image.values.begin() + 60'000, image.values.end());
  Background background = find_background(image, 0.0);
  ASSERT_TRUE(background.found);
  EXPECT_GE(voxels_outside(image, background), outside);
  image = head(20, always(0));
  image.at(kSide / 2, kSide / 2, kSide / 2) = 1e-4F;
  background = find_background(image, 0.0);
  EXPECT_TRUE(background.is_exactly_zero());
  EXPECT_FALSE(background.contains(1e-4F));
}

TEST(Background, IsNotThereInAScanWithAirOrFullOfTissue) {
  // The magnitude of complex noise, as in the air of a scan that was not skull-stripped.
  auto real = normal(0, 20), imaginary = normal(0, 20);
  EXPECT_FALSE(
      find_background(head(20, [&] { return std::hypot(real(), imaginary()); }), 0.0).found);
  real = normal(0, 6), imaginary = normal(0, 6);
  EXPECT_FALSE(
      find_background(head(20, [&] { return std::round(std::hypot(real(), imaginary())); }), 1.0)
          .found);
  const Background none = find_background(head(1000, always(0)), 0.0);
  EXPECT_FALSE(none.found);
  EXPECT_LT(none.border_share, Background::kLeastBorderShare);
}

TEST(Background, WholeNumbersNextToItStayBrain) {
  Image<float> image = head(20, always(0));
  for (float& value : image.values) value = std::round(value / 300.0F);
  const Background background = find_background(image, 1.0);
  EXPECT_TRUE(background.is_exactly_zero());
}

TEST(BrainBeside, AVoxelAloneIsNoBrainWhereTheBackgroundIsNotZero) {
  for (const float value : {0.0F, -0.5F}) {
    Image<float> image = head(20, always(value));
    const auto brain = static_cast<std::int64_t>(image.values.size()) - voxels_equal(image, value);
    image.at(0, 0, 0) = -13.7F;
    const Background background = find_background(image, 0.0);
    const auto& marked = brain_beside(background, image).values;
    EXPECT_EQ(std::count(marked.begin(), marked.end(), 1), brain + (value == 0.0F ? 1 : 0));
  }
}

TEST(PutBackgroundAtZero, ZeroInTheBrainStaysBrain) {
  Grid grid;
  grid.size = {4, 1, 1};
  Image<float> image(grid);
  image.values = {-0.5F, 0.0F, 3.0F, -0.5F};
  Image<std::uint8_t> brain(grid);
  brain.values = {0, 1, 1, 0};
  put_background_at_zero(image, brain);
  EXPECT_EQ(image.values,
            (std::vector<float>{0.0F, std::numeric_limits<float>::min(), 3.0F, 0.0F}));
}

}  // namespace
}  // namespace mcvol

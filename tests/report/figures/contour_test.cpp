#include "report/figures/contour.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Lines = std::vector<std::vector<PicturePoint>>;

/// Signed: lines round high values have the one sign, holes the other.
double area_of(const std::vector<PicturePoint>& line) {
  double twice = 0;
  for (std::size_t n = 0; n < line.size(); ++n) {
    const PicturePoint& a = line[n];
    const PicturePoint& b = line[(n + 1) % line.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return twice / 2;
}

double area_of(const Lines& lines) {
  double area = 0;
  for (const auto& line : lines) area += area_of(line);
  return std::abs(area);
}

/// 200 less 8 per pixel from the middle of 41 x 41 pixels.
std::vector<std::uint8_t> cone() {
  std::vector<std::uint8_t> values;
  for (int y = 0; y < 41; ++y) {
    for (int x = 0; x < 41; ++x) {
      values.push_back(static_cast<std::uint8_t>(
          std::lround(std::max(0.0, 200 - 8 * std::hypot(x - 20, y - 20)))));
    }
  }
  return values;
}

TEST(Contours, OfAConeAreCirclesAroundItsMiddle) {
  const Lines lines = contours_at(cone(), 41, 120.5);
  ASSERT_EQ(lines.size(), 1u);
  const double radius = (200 - 120.5) / 8;
  for (const PicturePoint& point : lines[0]) {
    // Half a step of rounding, and what a straight piece between two pixels leaves out.
    EXPECT_NEAR(std::hypot(point.x - 20.5, point.y - 20.5), radius, 0.5 / 8 + 0.02);
  }
  EXPECT_NEAR(area_of(lines), M_PI * radius * radius, 0.02 * M_PI * radius * radius);
}

TEST(Contours, OfOnePixelIsADiamondAroundItsCentre) {
  const Lines lines = contours_at({0, 0, 0, 0, 100, 0, 0, 0, 0}, 3, 50);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].size(), 4u);
  EXPECT_DOUBLE_EQ(area_of(lines), 0.5);
  for (const PicturePoint& point : lines[0]) {
    EXPECT_DOUBLE_EQ(std::abs(point.x - 1.5) + std::abs(point.y - 1.5), 0.5);
  }
}

TEST(Contours, CloseAtTheEdgeOfThePicture) {
  const Lines lines = contours_at(std::vector<std::uint8_t>(6, 200), 3, 100);
  ASSERT_EQ(lines.size(), 1u);
  // Half a pixel beyond the outer centres, corners cut.
  EXPECT_DOUBLE_EQ(area_of(lines), 3 * 2 - 4 * 0.125);
}

TEST(Contours, OfAHoleRunTheOtherWay) {
  const std::vector<std::uint8_t> ring{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0,
                                       9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
  const Lines lines = contours_at(ring, 5, 4.5);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_LT(area_of(lines[0]) * area_of(lines[1]), 0);
  EXPECT_DOUBLE_EQ(area_of(lines), 5 * 5 - 4 * 0.125 - 0.5);
}

TEST(Contours, AtASaddleFollowTheMeanOfItsValues) {
  // Two high corners that touch: apart where the middle is low, joined where it is high.
  EXPECT_EQ(contours_at({100, 0, 0, 100}, 2, 60).size(), 2u);
  EXPECT_EQ(contours_at({100, 0, 0, 100}, 2, 40).size(), 1u);
}

TEST(Contours, WithNothingAboveTheLevelAreNone) {
  EXPECT_TRUE(contours_at({1, 2, 3, 4}, 2, 4).empty());
}

TEST(Contours, SmallIslandsAndHolesGoButTheLargestLineStays) {
  const Lines large{{{1, 1}, {4, 1}, {4, 4}, {1, 4}}};
  const Lines small{{{1.5, 1.5}, {1.5, 2.5}, {2.5, 2.5}, {2.5, 1.5}}};
  EXPECT_EQ(without_small({large[0], small[0]}, 2).size(), 1u);
  EXPECT_EQ(without_small({large[0], small[0]}, 1).size(), 2u);
  EXPECT_DOUBLE_EQ(area_of(without_small({small[0], large[0]}, 100)), area_of(large));
  EXPECT_EQ(without_small({}, 2).size(), 0u);
}

TEST(ContourPath, IsClosedAndInTenthsOfAPixel) {
  const Lines square{{{1, 1}, {3, 1}, {3, 3}, {1, 3}}};
  EXPECT_EQ(path_of(square, 1), "M10 10l20 0 0 20-20 0z");
  EXPECT_EQ(path_of(square, 2), "M10 20l20 0 0 40-20 0z");
}

TEST(ContourPath, LeavesOutPointsThatChangeNothing) {
  const Lines square{{{1, 1}, {2, 1}, {3, 1}, {3, 2.95}, {3, 3}, {2, 3.05}, {1, 3}, {1, 2}}};
  EXPECT_EQ(path_of(square, 1), path_of({{{1, 1}, {3, 1}, {3, 3}, {1, 3}}}, 1));
  const Lines circle = contours_at(cone(), 41, 100.5);
  const std::string path = path_of(circle, 1);
  EXPECT_LT(path.size(), 400u);
  EXPECT_EQ(path_of({{{1, 1}, {1.01, 1}}}, 1), "");
}

}  // namespace
}  // namespace mcvol

#include <algorithm>
#include <cmath>

#include "report/pages/page_checks.h"
#include "report/pages/slice_paths.h"
#include "report/pages/slices.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::contains;
using testing::count_of;

/// An ellipsoid on a grid along L, P and S, anisotropic and cut in its middle along every plane.
struct Ellipsoid {
  Grid grid;
  Eigen::Vector3d semiaxes_mm{12, 18, 27};
  Eigen::Vector3d centre{22.0, 40.0, 45.0};  ///< of a voxel, in mm

  Ellipsoid() {
    grid.size = {40, 45, 30};
    grid.spacing_mm = {1, 2, 3};
  }

  /// Level sets of the same shape: 0 on the ellipsoid, 20 in its centre.
  double logit_at(const Eigen::Vector3d& point) const {
    const double radius = (point - centre).cwiseQuotient(semiaxes_mm).norm();
    return std::clamp(20 * (1 - radius), -16.0, 16.0);
  }

  double volume_ml() const { return 4.0 / 3 * M_PI * semiaxes_mm.prod() / 1000; }

  /// Through the centre. Pixels by what the plane's letters say, not by SlicePlane.
  ThumbnailSlice slice(Plane plane) const {
    const std::int64_t right = grid.size[0], back = grid.size[1], up = grid.size[2];
    ThumbnailSlice made{plane,
                        plane == Plane::kSagittal ? back : right,
                        plane == Plane::kAxial ? back : up,
                        0,
                        {{}},
                        {{}}};
    made.index = plane == Plane::kAxial ? 15 : plane == Plane::kCoronal ? 20 : 22;
    for (std::int64_t row = 0; row < made.height; ++row) {
      for (std::int64_t column = 0; column < made.width; ++column) {
        const auto x = static_cast<double>(column);
        const auto y = static_cast<double>(row);
        const auto below = static_cast<double>(up - 1 - row);  // superior at the top
        const Eigen::Vector3d index = plane == Plane::kAxial     ? Eigen::Vector3d{x, y, 15}
                                      : plane == Plane::kCoronal ? Eigen::Vector3d{x, 20, below}
                                                                 : Eigen::Vector3d{22, x, below};
        made.channels[0].push_back(100);
        const double logit = logit_at(index.cwiseProduct(grid.spacing_mm));
        made.regions[0].push_back(static_cast<std::uint8_t>(std::lround(byte_from_logit(logit))));
      }
    }
    return made;
  }

  CaseSlice case_slice(const std::vector<Plane>& planes) const {
    CaseSlice made;
    made.grid = grid;
    made.thumbnail.channels = {0};
    made.thumbnail.channel_of_region = {0};
    for (const Plane plane : planes) made.thumbnail.slices.push_back(slice(plane));
    LogitHistogram mean;
    for (std::int64_t n = 0; n < grid.voxel_count(); ++n) {
      const Eigen::Vector3d index(static_cast<double>(n % grid.size[0]),
                                  static_cast<double>(n / grid.size[0] % grid.size[1]),
                                  static_cast<double>(n / grid.size[0] / grid.size[1]));
      mean.add(static_cast<float>(logit_at(index.cwiseProduct(grid.spacing_mm))));
    }
    made.means = {{"whole", mean}};
    return made;
  }
};

const std::vector<Plane> kAllPlanes{Plane::kAxial, Plane::kCoronal, Plane::kSagittal};

/// Of one case with the volumes of the ellipsoid at 1, 0.9 and 1.1 times its size.
std::string section_with(const std::vector<std::string>& flags, const std::vector<Plane>& planes) {
  const Ellipsoid ellipsoid;
  VolumeRow row;
  row.case_id = "a";
  row.region = "whole";
  row.level = "0.9";
  row.status = "ok";
  row.flags = flags;
  row.raw_volume_ml = ellipsoid.volume_ml();
  row.raw_lower_ml = std::pow(0.9, 3) * ellipsoid.volume_ml();
  row.raw_upper_ml = std::pow(1.1, 3) * ellipsoid.volume_ml();
  ReportContent report;
  report.level = NominalCoverage::parse("0.9");
  report.run.model = {{"channels", {{{"name", "flair"}}}}};
  report.rows = {row};
  report.slice_of = [&](const std::string&) { return ellipsoid.case_slice(planes); };
  return slice_section(report, {{&report.rows[0]}}).html;
}

/// Half the width and height of a path and its middle, in mm.
struct Extent {
  double half_width = 0, half_height = 0, x = 0, y = 0;

  Extent(const std::string& page, const std::string& id, double pixel_width_mm) {
    const auto points = testing::points_of_path(page, id);
    if (points.empty()) return;
    const auto [left, right] = std::minmax_element(
        points.begin(), points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
    const auto [top, bottom] = std::minmax_element(
        points.begin(), points.end(), [](const auto& a, const auto& b) { return a.y < b.y; });
    // Tenths of a pixel's width, along both sides: pixels are drawn as long as they are.
    const double mm = pixel_width_mm / 10;
    half_width = mm * (right->x - left->x) / 2;
    half_height = mm * (bottom->y - top->y) / 2;
    x = mm * (left->x + right->x) / 2;
    y = mm * (top->y + bottom->y) / 2;
  }
};

TEST(SlicePlanes, OfAFlaggedCaseHaveTheContoursOfAnEllipsoidAtItsPlaceInItsProportions) {
  const std::string page = section_with({"touches_border"}, kAllPlanes);
  const Ellipsoid ellipsoid;
  const Eigen::Vector3d& axes = ellipsoid.semiaxes_mm;
  const Eigen::Vector3d& centre = ellipsoid.centre;
  const Eigen::Vector3d& spacing = ellipsoid.grid.spacing_mm;
  const double from_top = 29 * spacing[2] - centre[2];
  struct Expected {
    std::string name;
    double pixel_width, across, down, x, y, pixel_height;
  };
  // The centre of the first pixel is half a pixel from the corner; the whole slice is shown.
  const std::vector<Expected> planes{
      {"s0", spacing[0], axes[0], axes[1], centre[0], centre[1], spacing[1]},
      {"s0p1", spacing[0], axes[0], axes[2], centre[0], from_top, spacing[2]},
      {"s0p2", spacing[1], axes[1], axes[2], centre[1], from_top, spacing[2]}};
  for (const Expected& plane : planes) {
    for (const auto& [line, scale] : {std::pair{"m", 1.0}, {"l", 0.9}, {"u", 1.1}}) {
      const Extent found(page, plane.name + "r0" + line, plane.pixel_width);
      // Lines are straight between pixels, histograms and bytes are steps of the logit: a tenth of
      // the size is two of its units.
      const double within = 0.25 * std::max(plane.pixel_width, plane.pixel_height);
      EXPECT_NEAR(found.half_width, scale * plane.across, within) << plane.name << line;
      EXPECT_NEAR(found.half_height, scale * plane.down, within) << plane.name << line;
      EXPECT_NEAR(found.x, plane.x + plane.pixel_width / 2, within) << plane.name << line;
      EXPECT_NEAR(found.y, plane.y + plane.pixel_height / 2, within) << plane.name << line;
    }
  }
}

TEST(SlicePlanes, HaveTheirNameNumberSidesAndScale) {
  const std::string page = section_with({"uncertain"}, kAllPlanes);
  EXPECT_EQ(testing::unpaired_tags(page), std::vector<std::string>{});
  EXPECT_EQ(testing::outside_references(page), "");
  EXPECT_TRUE(contains(page, "a, axial slice 16 of 30 from below, whole 24.4"));
  EXPECT_TRUE(contains(page, "a, coronal slice 21 of 45 from the front, whole 24.4"));
  EXPECT_TRUE(contains(page, "a, sagittal slice 23 of 40 from the right, whole 24.4"));
  EXPECT_TRUE(contains(page, "whole sagittal slice, flair</span>"));
  const auto marks = [&](const std::string& text) { return count_of(page, text); };
  EXPECT_EQ(marks("at-left\">R</span><span class=\"mark at-right\">L</span>"
                  "<span class=\"mark at-top\">A</span><span class=\"mark at-bottom\">P</span>"),
            3);
  EXPECT_EQ(marks("at-left\">R</span><span class=\"mark at-right\">L</span>"
                  "<span class=\"mark at-top\">S</span><span class=\"mark at-bottom\">I</span>"),
            3);
  EXPECT_EQ(marks("at-left\">A</span><span class=\"mark at-right\">P</span>"
                  "<span class=\"mark at-top\">S</span><span class=\"mark at-bottom\">I</span>"),
            3);
  // The whole slices are 40, 40 and 90 mm wide: bars of 1, 1 and 2 cm.
  EXPECT_EQ(count_of(page, "width:25.0%\"><span class=\"mark \">1 cm<"), 2);
  EXPECT_GE(count_of(page, "width:22.2%\"><span class=\"mark \">2 cm<"), 1);
  // As long as they are: 40 x 90, 40 x 90 and 90 x 90 mm, in tenths of a pixel's width.
  EXPECT_GE(count_of(page, "viewBox=\"0 0 400 900\""), 2);
  EXPECT_GE(count_of(page, "viewBox=\"0 0 450 450\""), 1);
  EXPECT_TRUE(contains(page, "a coronal and a sagittal slice"));
  EXPECT_EQ(count_of(page, "<details class=\"panel\"><summary"), 9);
}

TEST(SlicePlanes, OfACaseWithNothingToLookAtAreTheAxialOnes) {
  for (const char* flag : {"uncalibrated", "resampled", "simulated_calibration", "other_seed"}) {
    const std::string page = section_with({flag}, kAllPlanes);
    EXPECT_EQ(count_of(page, "class=\"panels\""), 1) << flag;
    EXPECT_FALSE(contains(page, "coronal")) << flag;
    EXPECT_FALSE(contains(page, "sagittal")) << flag;
  }
  for (const char* flag : {"uncertain", "outside_calibration_range", "touches_border",
                           "large_brain", "small_brain", "masks_differ", "no_background"}) {
    EXPECT_EQ(count_of(section_with({flag}, kAllPlanes), "class=\"panels\""), 3) << flag;
  }
}

TEST(SlicePlanes, OfAnOlderFileAreTheAxialOnesWhateverTheFlags) {
  const std::string page = section_with({"touches_border"}, {Plane::kAxial});
  EXPECT_EQ(count_of(page, "class=\"panels\""), 1);
  EXPECT_FALSE(contains(page, "coronal"));
  EXPECT_TRUE(contains(page, "<span class=\"flag\">⚑</span></h3>"));
}

}  // namespace
}  // namespace mcvol

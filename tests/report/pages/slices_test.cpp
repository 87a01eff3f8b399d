#include "report/pages/slices.h"

#include "mcvol/volumetry/conversion.h"

#include <cmath>

#include "report/pages/page_checks.h"
#include "report/pages/slice_paths.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::area_of_path;
using testing::contains;

constexpr std::int64_t kSide = 60;

/// One slice thick, so that the area of a contour is the volume of what it holds: logits fall with
/// the distance from the middle, by 1 a pixel, from 20 pixels for p = 0.5. A voxel is 0.01 ml.
CaseSlice disc() {
  CaseSlice slice;
  slice.grid.size = {kSide, kSide, 1};
  slice.grid.spacing_mm = {1, 1, 10};
  Thumbnail& thumbnail = slice.thumbnail;
  thumbnail.channels = {0};
  thumbnail.channel_of_region = {0};
  thumbnail.slices = {{Plane::kAxial, kSide, kSide, 0, {{}}, {{}}}};
  LogitHistogram mean;
  for (std::int64_t n = 0; n < kSide * kSide; ++n) {
    const double x = static_cast<double>(n % kSide) - 29.5;
    const double y = static_cast<double>(n / kSide) - 29.5;
    const double logit = std::clamp(20 - std::hypot(x, y), -16.0, 16.0);
    mean.add(static_cast<float>(logit));
    thumbnail.slices[0].channels[0].push_back(100);
    thumbnail.slices[0].regions[0].push_back(
        static_cast<std::uint8_t>(std::lround(byte_from_logit(logit))));
  }
  slice.means = {{"whole", mean}};
  return slice;
}

VolumeRow row_of(const std::string& case_id) {
  VolumeRow row;
  row.case_id = case_id;
  row.region = "whole";
  row.level = "0.9";
  row.status = "ok";
  row.raw_volume_ml = 12.5;
  row.raw_lower_ml = 9;
  row.raw_upper_ml = 16;
  return row;
}

ReportContent report_on_cases(const std::vector<std::string>& case_ids) {
  ReportContent report;
  report.level = NominalCoverage::parse("0.9");
  report.run.model = {{"channels", {{{"name", "flair"}}, {{"name", "t1ce"}}}}};
  for (const std::string& case_id : case_ids) report.rows.push_back(row_of(case_id));
  report.slice_of = [](const std::string&) { return disc(); };
  return report;
}

SliceSection section_of(const ReportContent& report) {
  std::vector<RowsOfCase> cases;
  for (const VolumeRow& row : report.rows) cases.push_back({&row});
  return slice_section(report, cases);
}

/// Closed lines of the path that `id` names.
int subpaths_of(const std::string& page, const std::string& id) {
  const std::size_t begin = page.find(" d=\"", page.find("<path id=\"" + id + "\"")) + 4;
  return testing::count_of(page.substr(begin, page.find('"', begin) - begin), "M");
}

/// Within a tenth of a pixel: straight pieces cut corners, and bytes are steps of the logit.
void expect_disc_of_area(const std::string& page, const std::string& id, double area) {
  EXPECT_NEAR(std::sqrt(area_of_path(page, id) / M_PI), std::sqrt(area / M_PI), 0.1) << id;
}

TEST(Slices, ContoursHoldTheVolumesOfTheInterval) {
  const std::string page = section_of(report_on_cases({"a"})).html;
  expect_disc_of_area(page, "s0r0m", 1250);
  expect_disc_of_area(page, "s0r0l", 900);
  expect_disc_of_area(page, "s0r0u", 1600);
}

TEST(Slices, ContoursAreThoseOfTheCalibratedIntervalWhereThereIsOne) {
  ReportContent report = report_on_cases({"a"});
  report.rows[0].volume_ml = 10;
  report.rows[0].lower_ml = 0;
  report.rows[0].upper_ml = 30;
  const std::string page = section_of(report).html;
  expect_disc_of_area(page, "s0r0m", 1000);
  EXPECT_EQ(area_of_path(page, "s0r0l"), -1);  // nothing holds 0 ml
  EXPECT_TRUE(contains(page, "whole 10.0 [0.00, 30.0]"));
}

TEST(Slices, LinesKeepTheirWidthOnTheScreenAtAnySize) {
  const std::string page = section_of(report_on_cases({"a"})).html;
  // On each path: what <use> shows is not styled by what surrounds the path.
  const int ids = testing::count_of(page, "<path id=");
  EXPECT_EQ(ids, 3);
  EXPECT_EQ(testing::count_of(page, "\" vector-effect=\"non-scaling-stroke\" d="), ids);
}

TEST(Slices, LeaveSmallIslandsOutOfTheDrawing) {
  ReportContent report = report_on_cases({"a"});
  report.slice_of = [](const std::string&) {
    CaseSlice slice = disc();
    // 16 mm² and 25 mm² above every level, in the corners.
    for (const auto& [corner, side] : {std::pair{2, 4}, std::pair{52, 5}}) {
      for (int n = 0; n < side * side; ++n) {
        slice.thumbnail.slices[0]
            .regions[0][static_cast<std::size_t>(corner + n % side + kSide * (corner + n / side))] =
            255;
      }
    }
    return slice;
  };
  const std::string page = section_of(report).html;
  EXPECT_EQ(subpaths_of(page, "s0r0m"), 2);
  EXPECT_TRUE(contains(page, "Islands and holes below 20 mm²"));
}

TEST(Slices, NeedNothingButThemselvesAndSayInWordsWhatTheyShow) {
  const std::string page = section_of(report_on_cases({"a"})).html;
  EXPECT_EQ(testing::unpaired_tags(page), std::vector<std::string>{});
  EXPECT_EQ(testing::outside_references(page), "");
  EXPECT_TRUE(contains(page,
                       "role=\"img\" aria-label=\"a, axial slice 1 of 1 from below, "
                       "whole 12.5 [9.00, 16.0] ml, flair\""))
      << page.substr(0, 3000);
  EXPECT_TRUE(contains(page, "aria-label=\"a, axial slice 1 of 1 from below, uncertainty\""));
  EXPECT_TRUE(contains(page, "not calibrated"));
}

TEST(Slices, HaveTheirNumberTheSidesOfThePatientAndABarOfLength) {
  const std::string page = section_of(report_on_cases({"a"})).html;
  for (const char* mark : {">1 of 1</span>", "at-left\">R</span>", "at-right\">L</span>",
                           "at-top\">A</span>", "at-bottom\">P</span>"}) {
    EXPECT_EQ(testing::count_of(page, mark), 3) << mark;
  }
  // The whole slice is 60 mm wide.
  EXPECT_TRUE(contains(page, "class=\"scale\" style=\"width:33.3%\"><span class=\"mark \">2 cm<"));
}

TEST(Slices, AreCountedFromBelowWhicheverWayTheGridRuns) {
  ReportContent report = report_on_cases({"a"});
  report.slice_of = [](const std::string&) {
    CaseSlice slice = disc();
    slice.grid.size[2] = 10;
    slice.thumbnail.slices[0].index = 2;
    return slice;
  };
  EXPECT_TRUE(contains(section_of(report).html, ">3 of 10<"));
  report.slice_of = [](const std::string&) {
    CaseSlice slice = disc();
    slice.grid.size[2] = 10;
    slice.grid.direction.col(2) *= -1;
    slice.thumbnail.slices[0].index = 2;
    return slice;
  };
  EXPECT_TRUE(contains(section_of(report).html, ">8 of 10<"));
}

TEST(Slices, OfARegionAreDrawnOnItsChannelAndEachScanIsThereOnce) {
  ReportContent report = report_on_cases({"a"});
  report.rows.push_back(report.rows[0]);
  report.rows[1].region = "core";
  report.slice_of = [](const std::string&) {
    CaseSlice slice = disc();
    Thumbnail& thumbnail = slice.thumbnail;
    thumbnail.channels = {0, 1};
    thumbnail.channel_of_region = {0, 1};
    thumbnail.slices[0].channels.emplace_back(kSide * kSide, 200);
    thumbnail.slices[0].regions.push_back(thumbnail.slices[0].regions[0]);
    slice.means.emplace_back("core", slice.means[0].second);
    return slice;
  };
  const std::string page = slice_section(report, {{&report.rows[0], &report.rows[1]}}).html;
  EXPECT_TRUE(contains(page, "core 12.5 [9.00, 16.0] ml, t1ce"));
  EXPECT_EQ(testing::count_of(page, "<image id=\"s0c0\""), 1);
  EXPECT_EQ(testing::count_of(page, "<image id=\"s0c1\""), 1);
  EXPECT_EQ(testing::count_of(page, "<use href=\"#s0c0\""), 1);  // of the whole region
  EXPECT_EQ(testing::count_of(page, "<image"), 3);               // and the uncertainty
}

TEST(Slices, OfSeparatePlacesAreRowsOfTheirOwn) {
  ReportContent report = report_on_cases({"a"});
  report.slice_of = [](const std::string&) {
    CaseSlice slice = disc();
    slice.grid.size[2] = 9;
    slice.thumbnail.slices.push_back(slice.thumbnail.slices[0]);
    slice.thumbnail.slices[1].index = 6;
    return slice;
  };
  const std::string page = section_of(report).html;
  EXPECT_EQ(testing::count_of(page, "class=\"panels\""), 2);
  EXPECT_TRUE(contains(page, "a, axial slice 7 of 9 from below, whole 12.5"));
  EXPECT_GT(area_of_path(page, "s0p1r0m"), 0);
}

TEST(Slices, OfVersion01AreShownWithoutANumber) {
  ReportContent report = report_on_cases({"a"});
  report.run.options["thumbnails"] = "t2f";
  report.slice_of = [](const std::string&) {
    CaseSlice slice = disc();
    slice.thumbnail.channels[0].reset();
    slice.thumbnail.slices[0].index.reset();
    return slice;
  };
  const std::string page = section_of(report).html;
  EXPECT_TRUE(contains(page, "aria-label=\"a, axial slice, whole axial slice, t2f\""));
  EXPECT_FALSE(contains(page, "mark number"));
}

TEST(Slices, OpenByAClickOrAKeyWithoutAScript) {
  const std::string page = section_of(report_on_cases({"a"})).html;
  EXPECT_EQ(testing::count_of(page, "<details class=\"panel\"><summary"), 3);
}

TEST(Slices, OfLongPixelsAreDrawnLong) {
  ReportContent report = report_on_cases({"a"});
  report.slice_of = [](const std::string&) {
    CaseSlice slice = disc();
    slice.grid.spacing_mm = {1, 3, 10};
    return slice;
  };
  EXPECT_TRUE(contains(section_of(report).html, "viewBox=\"0 0 600 1800\""));
}

TEST(Slices, CaseWithoutOneIsPassedOver) {
  ReportContent report = report_on_cases({"a", "b"});
  report.slice_of = [](const std::string& case_id) -> std::optional<CaseSlice> {
    if (case_id == "a") return std::nullopt;
    return disc();
  };
  const SliceSection section = section_of(report);
  EXPECT_EQ(section.case_ids, std::set<std::string>{"b"});
  EXPECT_TRUE(contains(section.html, "1 of 2 cases"));
  report.slice_of = [](const std::string&) { return std::nullopt; };
  EXPECT_EQ(section_of(report).html, "");
  report.slice_of = nullptr;
  EXPECT_EQ(section_of(report).html, "");
}

TEST(Slices, EmptySliceOrNoVolumeIsNoPicture) {
  ReportContent report = report_on_cases({"a"});
  report.slice_of = [](const std::string&) {
    CaseSlice slice = disc();
    ThumbnailSlice& only = slice.thumbnail.slices[0];
    only.channels[0].assign(only.channels[0].size(), 0);
    only.regions[0] = only.channels[0];
    return slice;
  };
  EXPECT_EQ(section_of(report).html, "");
}

TEST(Slices, AreAtMostTwoHundredAndMostOfThemFolded) {
  std::vector<std::string> ids;
  for (int n = 0; n < 205; ++n) ids.push_back("case_" + std::to_string(1000 + n));
  const SliceSection section = section_of(report_on_cases(ids));
  EXPECT_EQ(section.case_ids.size(), kMostSlices);
  EXPECT_TRUE(contains(section.html, "200 of 205 cases"));
  EXPECT_EQ(testing::count_of(section.html, "<h3>"), 200);
  const std::size_t fold = section.html.find("<details><summary>");
  EXPECT_EQ(testing::count_of(section.html.substr(0, fold), "<h3>"), 12);
}

}  // namespace
}  // namespace mcvol

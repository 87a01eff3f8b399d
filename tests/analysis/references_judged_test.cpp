#include "mcvol/analysis/calibrate.h"
#include "mcvol/analysis/evaluate.h"
#include "mcvol/io/images/image_file.h"

#include <algorithm>
#include <functional>
#include <sstream>

#include "analysis/synthetic_results.h"
#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing_support::expect_part;
using testing_support::measured_record;
using testing_support::message_from;
using testing_support::sharp_region;
using testing_support::write_text;

/// Thirty cases 001 to 030 of two regions, core part of whole, that are known to the voxel, and
/// references that a test spoils.
class ReferencesJudged : public ::testing::Test {
 protected:
  static constexpr int kCases = 30;

  void SetUp() override {
    testing::write_synthetic_results(folder("results"), {});
    for (int n = 1; n <= kCases; ++n) {
      write_case_record(record(id(n), n), case_record_path(folder("results"), id(n)));
    }
    write_references();
  }
  fs::path folder(const std::string& name) const { return temporary_.path() / name; }
  static std::string id(int n) { return std::string(n < 10 ? "00" : "0") + std::to_string(n); }
  /// Whole 2.1 to 5 ml, core a third of it.
  static CaseRecord record(const std::string& case_id, int n) {
    CaseRecord record = measured_record(case_id, sha256_of_identity(testing::synthetic_identity()));
    record.inputs[0].sha256 = sha256_of_bytes(std::to_string(n));
    std::mt19937_64 generator(static_cast<std::uint64_t>(n));
    record.image_quality = testing_support::drawn_scan(generator);
    record.image_quality->channels.resize(1);
    const std::int64_t whole = 2000 + 100 * n;
    const std::vector<std::int64_t> passes{whole - 30, whole - 15, whole, whole + 15, whole + 30};
    std::vector<std::int64_t> of_core;
    for (const std::int64_t voxels : passes) of_core.push_back(voxels / 3);
    record.regions = {sharp_region("whole", passes, whole),
                      sharp_region("core", of_core, whole / 3)};
    for (RegionRecord& region : record.regions) {
      region.without_dropout = {region.mean};
      region.agreement = testing::nested_agreement(region.passes);
    }
    return record;
  }
  static double whole_ml(int n) { return (2000 + 100.0 * n) / 1000 * (n % 2 == 0 ? 1.1 : 0.9); }
  using Row = std::function<std::string(int n, const std::string& region, double volume_ml)>;
  void write_references(const Row& row = usual_row, const std::string& more = "") const {
    std::string text = "case_id,region,volume_ml\n";
    for (int n = 1; n <= kCases; ++n) {
      text += row(n, "whole", whole_ml(n));
      text += row(n, "core", whole_ml(n) / 3);
    }
    write_text(folder("references.csv"), text + more);
  }
  static std::string usual_row(int n, const std::string& region, double volume_ml) {
    return id(n) + "," + region + "," + std::to_string(volume_ml) + "\n";
  }
  ReferenceSource source(bool accept = false) {
    ReferenceSource source;
    source.path = folder("references.csv");
    source.accept = accept;
    source.said = [this](const ReferencedResults& results) {
      facts_ = results.facts;
      notes_ = results.notes;
      left_out_ = results.left_out;
    };
    return source;
  }
  ReferencedResults read(bool accept = false) {
    return read_referenced_results(folder("results"), source(accept), 1);
  }
  std::string refusal() {
    return message_from<UsageError>([&] { read(); });
  }

  TemporaryFolder temporary_;
  std::vector<std::string> facts_, notes_, left_out_;
};

TEST_F(ReferencesJudged, RatioToTheRawVolumeIsSaid) {
  EXPECT_EQ(read().cases.size(), 30u);
  EXPECT_EQ(facts_, (std::vector<std::string>{
                        "whole: reference over raw volume 0.90 (median of 30 cases)",
                        "core: reference over raw volume 0.90 (median of 30 cases)"}));
  EXPECT_TRUE(notes_.empty());
  EXPECT_TRUE(left_out_.empty());
}

TEST_F(ReferencesJudged, AnotherUnitIsRefusedAndNamed) {
  const std::string at = folder("references.csv").string();
  write_references([](int n, const std::string& region, double volume_ml) {
    return usual_row(n, region, 1000 * volume_ml);
  });
  EXPECT_EQ(refusal(), at + ": the median ratio of reference to raw volume is expected between 0.2 "
                            "and 5, found whole 900, core 901: they look like mm³ or voxels; give "
                            "them in ml, or use them as they are with --accept-references");
  EXPECT_EQ(facts_.size(), 2u) << "said before it is refused";
  write_references([](int n, const std::string& region, double volume_ml) {
    return usual_row(n, region, volume_ml / 1000);
  });
  expect_part(refusal(), "whole 0.0009, core 0.0009: they look like litres");
  write_references([](int n, const std::string& region, double volume_ml) {
    return usual_row(n, region, region == "core" ? 8 * volume_ml : 10 * volume_ml);
  });
  expect_part(refusal(), "whole 9.00, core 7.21; correct volume_ml");
  EXPECT_EQ(read(true).cases.size(), 30u);
  ASSERT_EQ(notes_.size(), 1u);
  expect_part(notes_[0], "used as they are (--accept-references)");
}

TEST_F(ReferencesJudged, NumbersOfVoxelsAreToldFromCubicMillimetres) {
  for (int n = 1; n <= kCases; ++n) {
    CaseRecord coarse = record(id(n), n);
    coarse.grid.spacing_mm = {2, 2, 2};
    write_case_record(coarse, case_record_path(folder("results"), id(n)));
  }
  write_references([](int n, const std::string& region, double volume_ml) {
    return usual_row(n, region, 1000 * volume_ml);  // Voxels of 8 mm³: 125 for a ml.
  });
  expect_part(refusal(), "found whole 112, core 113: they look like voxels; give");
}

TEST_F(ReferencesJudged, VolumesThatMcvolHasMeasuredAreRefused) {
  write_references([](int n, const std::string& region, double) {
    const int whole = 2000 + 100 * n;
    return usual_row(n, region, (region == "core" ? whole / 3 : whole) / 1000.0);
  });
  expect_part(refusal(),
              ": 60 of 60 references equal what mcvol has measured itself; give volumes");
}

TEST_F(ReferencesJudged, ExchangedRegionsAreRefused) {
  write_references([](int n, const std::string& region, double volume_ml) {
    return usual_row(n, region == "core" ? "whole" : "core", volume_ml);
  });
  expect_part(refusal(),
              ": the regions look exchanged: their references fit the measured volumes far better "
              "with whole like core, core like whole; correct the column region");
}

TEST_F(ReferencesJudged, PartThatIsMostlyLargerThanTheWholeIsRefused) {
  write_references([](int n, const std::string& region, double volume_ml) {
    return usual_row(n, region, region == "core" ? 4 * volume_ml : volume_ml);
  });
  expect_part(
      refusal(),
      "the reference of core is larger than that of whole, of which it is part, in 30 of 30 "
      "cases, such as 001; correct the references");
  write_references([](int n, const std::string& region, double volume_ml) {
    return usual_row(n, region, n == 4 && region == "core" ? 4 * volume_ml : volume_ml);
  });
  read();
  ASSERT_EQ(notes_.size(), 1u);
  expect_part(notes_[0], "in 1 of 30 cases, such as 004");
}

TEST_F(ReferencesJudged, RegionWithoutAnyVolumeThatWasMeasuredIsRefused) {
  write_references([](int n, const std::string& region, double volume_ml) {
    return usual_row(n, region, region == "core" ? 0 : volume_ml);
  });
  expect_part(refusal(), "core: every reference is 0 ml, and 1.2 ml were measured");
}

TEST_F(ReferencesJudged, LostZerosAreSaidWithAnExampleOfEachSide) {
  write_references([](int n, const std::string& region, double volume_ml) {
    if (n % 2 == 0) return usual_row(n, region, volume_ml);
    return std::to_string(n) + "," + region + "," + std::to_string(volume_ml) + "\n";
  });
  EXPECT_EQ(read().cases.size(), 15u);
  EXPECT_EQ(
      left_out_,
      (std::vector<std::string>{
          folder("references.csv").string() +
          ": 15 case(s) match no measured one, and 15 measured one(s) match none: \"1\" there "
          "is \"001\" here but for zeros, blanks, capitals or an ending; write them alike"}));
}

TEST_F(ReferencesJudged, SurplusCasesAreCountedOnlyUnlessMeasuredOnesLackAReference) {
  write_references(usual_row, "900,whole,3\n901,whole,4\n");
  EXPECT_EQ(read().cases.size(), 30u);
  EXPECT_TRUE(left_out_.empty());
  EXPECT_EQ(notes_,
            (std::vector<std::string>{"2 case(s) of the references have not been measured"}));
  write_references([](int n, const std::string& region, double volume_ml) {
    return n == 30 ? "x" + usual_row(n, region, volume_ml) : usual_row(n, region, volume_ml);
  });
  EXPECT_EQ(read().cases.size(), 29u);
  ASSERT_EQ(left_out_.size(), 1u);
  expect_part(left_out_[0], "such as \"x030\" there and \"030\" here");
}

TEST_F(ReferencesJudged, RegionNamesThatMatchNothingAreSaid) {
  write_references([](int n, const std::string& region, double volume_ml) {
    return usual_row(n, n < 10 && region == "core" ? "Core " : region, volume_ml);
  });
  EXPECT_EQ(read().cases.size(), 30u);
  ASSERT_EQ(left_out_.size(), 1u);
  expect_part(left_out_[0], "9 row(s) of no region of the model: \"Core\" there is \"core\" here");
  EXPECT_EQ(notes_, (std::vector<std::string>{"9 case(s) have no reference of core, others have"}));
  write_references(usual_row, "001,necrosis,1\n");
  read();
  EXPECT_TRUE(left_out_.empty());
  ASSERT_EQ(notes_.size(), 1u);
  expect_part(notes_[0], "necrosis: no region of the model; passed over");
}

TEST_F(ReferencesJudged, ReasonsComeBeforeTheErrorWhereNothingIsLeft) {
  for (int n = 1; n <= kCases; ++n) {
    write_text(case_record_path(folder("results"), id(n)), "{");
  }
  expect_part(refusal(), "no measured case of");
  ASSERT_EQ(left_out_.size(), 30u);
  expect_part(left_out_[0], "001.json, line 1, ");
}

TEST_F(ReferencesJudged, ScansWithEqualInputsCountOnce) {
  write_case_record(record("again", 7), case_record_path(folder("results"), "again"));
  write_references(usual_row, "again,whole,3\nagain,core,1\n");
  CalibrateOptions options;
  options.results = folder("results");
  options.references = source();
  options.output = folder("calibration.json");
  const CalibrateReport report = calibrate(options);
  EXPECT_EQ(report.scans, 30u);
  const std::vector<std::string> said{
      "1 case(s) left out since each scan counts once, such as again, which is 007 again"};
  EXPECT_EQ(report.notes, said);
  EvaluateOptions evaluation;
  evaluation.results = folder("results");
  evaluation.references = source();
  evaluation.calibration = CalibrationChoice::parse("none");
  const Evaluation evaluated = evaluate(evaluation);
  EXPECT_EQ(evaluated.coverage.front().summary.n, 30);
  EXPECT_EQ(evaluated.notes, said);
}

/// The same cases with label maps: 2 is core here, 1 the rest of whole.
class LabelMapsJudged : public ReferencesJudged {
 protected:
  static constexpr int kCases = 8;

  void SetUp() override {
    testing::write_synthetic_results(folder("results"), {});
    for (int n = 1; n <= kCases; ++n) {
      write_case_record(record(id(n), n), case_record_path(folder("results"), id(n)));
    }
    fs::create_directories(folder("references.csv"));  // Where source() looks.
    write_maps({{1, 1}, {2, 2}});
  }
  /// @param stored what is in the files for each of the labels.
  void write_maps(const std::map<int, std::uint8_t>& stored) const {
    for (int n = 1; n <= kCases; ++n) {
      Grid grid;
      grid.size = {20, 20, 20};
      Image<std::uint8_t> map(grid);
      const std::int64_t whole = 1900 + 100 * n;
      for (std::int64_t voxel = 0; voxel < whole; ++voxel) {
        map.values[static_cast<std::size_t>(voxel)] = stored.at(voxel < whole / 3 ? 2 : 1);
      }
      write_image(folder("references.csv") / (id(n) + "_seg.nii.gz"), map);
    }
  }
  std::string mapped_refusal(std::map<int, int> label_map) {
    ReferenceSource mapped = source();
    mapped.label_map = std::move(label_map);
    return message_from<UsageError>([&] { read_referenced_results(folder("results"), mapped, 1); });
  }
};

TEST_F(LabelMapsJudged, RightOnesAreUsed) {
  EXPECT_EQ(read().cases.size(), 8u);
  EXPECT_TRUE(notes_.empty());
  EXPECT_TRUE(left_out_.empty());
}

TEST_F(LabelMapsJudged, RegionWhoseLabelNoMapHoldsIsSaid) {
  write_maps({{1, 1}, {2, 1}});
  expect_part(refusal(), "core: every reference is 0 ml");
  ASSERT_EQ(notes_.size(), 1u);
  expect_part(notes_[0], "no label map holds a label of core (2), so that its references are all");
}

TEST_F(LabelMapsJudged, ValueOfLabelMapThatNoFileHasIsSaid) {
  EXPECT_EQ(mapped_refusal({{4, 2}}), "");
  ASSERT_EQ(notes_.size(), 1u);
  expect_part(notes_[0], "no label map holds the value 4 of --label-map 4=2");
}

TEST_F(LabelMapsJudged, ExchangedLabelsAreRefusedWithTheMappingThatFits) {
  write_maps({{1, 2}, {2, 1}});
  expect_part(refusal(),
              "the labels 1 and 2 look exchanged: the label maps fit the measured volumes "
              "far better with --label-map 1=2,2=1,");
  EXPECT_EQ(mapped_refusal({{1, 2}, {2, 1}}), "");
  write_maps({{1, 2}, {2, 9}});
  expect_part(mapped_refusal({{9, 1}}), "with --label-map 1=2,2=1,9=2,");
}

TEST_F(LabelMapsJudged, ValueOfNoRegionIsItsCasesOwnInOneMapAndRefusedAsAConventionInMore) {
  const auto slip = [&](int n) {
    const fs::path file = folder("references.csv") / (id(n) + "_seg.nii.gz");
    Image<std::int32_t> before = read_label_map(file);
    Image<std::uint8_t> map(before.grid);
    std::copy(before.values.begin(), before.values.end(), map.values.begin());
    map.values.back() = 3;
    write_image(file, map);
  };
  slip(5);
  EXPECT_EQ(read().cases.size(), 7u);
  ASSERT_EQ(left_out_.size(), 1u);
  expect_part(left_out_[0], "005_seg.nii.gz: the value 3 belongs to no region of the model; say");
  slip(2);
  expect_part(refusal(), "002_seg.nii.gz: the value 3 belongs to no region of the model; say");
  expect_part(refusal(), "; 2 label maps hold it");
  EXPECT_TRUE(left_out_.empty());
  EXPECT_EQ(mapped_refusal({{3, 0}}), "");
}

TEST_F(LabelMapsJudged, MapUnderAnotherNameIsSaidAndTheUnreadableOneIsNamed) {
  fs::rename(folder("references.csv") / "002_seg.nii.gz",
             folder("references.csv") / "002_label.nii.gz");
  write_text(folder("references.csv") / "003_seg.nii.gz", "no image");
  EXPECT_EQ(read().cases.size(), 6u);
  ASSERT_EQ(left_out_.size(), 2u);
  expect_part(left_out_[0], "003_seg.nii.gz");
  expect_part(left_out_[1], "such as \"002_label\" there and \"002\" here");
}

}  // namespace
}  // namespace mcvol

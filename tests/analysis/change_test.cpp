#include "mcvol/analysis/change.h"

#include "mcvol/analysis/calibrate.h"
#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"

#include <map>

#include "analysis/synthetic_results.h"
#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing_support::message_from;
using testing_support::write_text;

/// 80 scans to calibrate on; 60 others, scan by scan baseline and follow-up of 30 subjects.
class Change : public ::testing::Test {
 protected:
  static constexpr int kReferences = 80;
  static constexpr int kPairs = 30;

  void SetUp() override {
    scans_ = testing::synthetic_scans(kReferences + 2 * kPairs, 33);
    const std::vector<testing::SyntheticScan> known(scans_.begin(), scans_.begin() + kReferences);
    const std::vector<testing::SyntheticScan> others(scans_.begin() + kReferences, scans_.end());
    testing::write_synthetic_results(folder("known"), known);
    testing::write_synthetic_results(folder("results"), others);
    testing::write_synthetic_references(folder("references.csv"), scans_);
    CalibrateOptions calibration;
    calibration.results = folder("known");
    calibration.references.path = folder("references.csv");
    calibration.output = folder("calibration.json");
    calibrate(calibration);
    std::string pairs = "subject_id,baseline,followup\n";
    for (int pair = 0; pair < kPairs; ++pair) {
      pairs += "s" + std::to_string(pair) + "," + baseline(pair) + "," + followup(pair) + "\n";
    }
    write_text(folder("pairs.csv"), pairs);
  }
  fs::path folder(const std::string& name) const { return temporary_.path() / name; }
  std::string baseline(int pair) const { return scans_[kReferences + 2 * pair].case_id; }
  std::string followup(int pair) const { return scans_[kReferences + 2 * pair + 1].case_id; }

  ChangeOptions options() const {
    ChangeOptions options;
    options.results = folder("results");
    options.pairs = folder("pairs.csv");
    options.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
    options.levels = parse_levels({"0.5", "0.8"});
    options.threads = 2;
    return options;
  }

  TemporaryFolder temporary_;
  std::vector<testing::SyntheticScan> scans_;
};

TEST_F(Change, HasARowForEachPairRegionAndLevel) {
  const ChangeTable table = measure_change(options());
  ASSERT_EQ(table.rows.size(), kPairs * 2u * 2u);
  EXPECT_EQ(table.pairs, kPairs);
  EXPECT_EQ(table.failed, 0);
  const ChangeRow& first = table.rows[0];
  EXPECT_EQ(first.pair.subject_id, "s0");
  EXPECT_EQ(first.region, "whole");
  EXPECT_EQ(first.level, "0.5");
  EXPECT_LT(*first.lower_ml, *first.change_ml);
  EXPECT_LT(*first.change_ml, *first.upper_ml);
  EXPECT_LT(*table.rows[1].lower_ml, *first.lower_ml);
  EXPECT_NEAR(*first.p_growth + *first.p_shrinkage + *first.p_tie, 1, 1e-12);
  EXPECT_EQ(table.rows[2].region, "core");
}

TEST_F(Change, TableReadsBackWithTheColumnsPromised) {
  ChangeOptions with_threshold = options();
  with_threshold.growth_threshold = 0.25;
  const std::string text = change_csv(measure_change(with_threshold).rows);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "subject_id,baseline,followup,region,level,change_ml,lower_ml,upper_ml,p_growth,"
            "p_shrinkage,p_tie,status,flags,error,growth_threshold,correlation");
  const CsvTable table = parse_csv(text, "change.csv");
  ASSERT_EQ(table.records.size(), kPairs * 4u);
  EXPECT_EQ(table.records[0].fields[11], "ok");
  EXPECT_EQ(table.records[0].fields[14], "0.25");
  EXPECT_EQ(table.records[0].fields[15], "0.0000");
}

TEST_F(Change, BonferroniIsWiderAndSaysNothingOfGrowth) {
  ChangeOptions bonferroni = options();
  bonferroni.dependence.kind = ChangeDependence::Kind::kBonferroni;
  const ChangeTable wide = measure_change(bonferroni);
  const ChangeTable usual = measure_change(options());
  int wider = 0;
  for (std::size_t n = 0; n < wide.rows.size(); ++n) {
    EXPECT_FALSE(wide.rows[n].p_growth);
    EXPECT_FALSE(wide.rows[n].correlation);
    wider += *wide.rows[n].upper_ml - *wide.rows[n].lower_ml >
             *usual.rows[n].upper_ml - *usual.rows[n].lower_ml;
  }
  EXPECT_EQ(wider, static_cast<int>(wide.rows.size()));
  // Level 0.9 takes 0.95 of each scan, which takes 39 references; 0.96 takes 0.98: 99.
  bonferroni.levels = parse_levels({"0.96"});
  EXPECT_THROW(measure_change(bonferroni), CalibrationError);
}

TEST_F(Change, MoreCorrelationIsNarrower) {
  ChangeOptions correlated = options();
  correlated.dependence.correlation = 0.9;
  double narrow = 0;
  double usual = 0;
  for (const ChangeRow& row : measure_change(correlated).rows)
    narrow += *row.upper_ml - *row.lower_ml;
  for (const ChangeRow& row : measure_change(options()).rows)
    usual += *row.upper_ml - *row.lower_ml;
  EXPECT_LT(narrow, usual);
}

TEST_F(Change, CorrelationIsEstimatedFromReferencePairs) {
  // Each scan is paired with one as far off: the same volume twice, seen alike.
  std::string pairs = "subject_id,baseline,followup\n";
  std::string references = "case_id,region,volume_ml\n";
  for (int pair = 0; pair < kPairs; ++pair) {
    testing::SyntheticScan twin = scans_[kReferences + 2 * pair];
    twin.case_id = "twin_" + std::to_string(pair);
    testing::write_synthetic_results(folder("results"), {twin});
    pairs += "s," + baseline(pair) + "," + twin.case_id + "\n";
    for (const std::string& id : {baseline(pair), twin.case_id}) {
      for (const char* region : {"whole", "core"}) {
        references += id + "," + region + "," + std::to_string(twin.truth_ml) + "\n";
      }
    }
  }
  write_text(folder("pairs.csv"), pairs);
  write_text(folder("pair_references.csv"), references);
  ChangeOptions estimated = options();
  estimated.references = ReferenceSource{folder("pair_references.csv")};
  const ChangeTable table = measure_change(estimated);
  ASSERT_EQ(table.estimates.size(), 2u);
  EXPECT_EQ(table.estimates[0], "whole: correlation 1.00 [1.00, 1.00] of 30 reference pairs");
  EXPECT_NEAR(*table.rows[0].correlation, 1, 1e-9);
  ChangeOptions given = options();
  given.dependence.correlation = 1;
  EXPECT_EQ(change_csv(table.rows), change_csv(measure_change(given).rows));
  EXPECT_NE(change_csv(table.rows), change_csv(measure_change(options()).rows));
  write_text(folder("pairs.csv"), "subject_id,baseline,followup\ns," + baseline(0) + ",twin_0\n");
  const std::string message = message_from<UsageError>([&] { measure_change(estimated); });
  EXPECT_NE(message.find("1 pair(s) with both references, expected at least 20"), std::string::npos)
      << message;
}

TEST_F(Change, PairThatCannotBeComparedIsARowAndEndsNothing) {
  write_text(folder("pairs.csv"), "subject_id,baseline,followup\nlost," + baseline(0) +
                                      ",nowhere\nfound," + baseline(1) + "," + followup(1) + "\n");
  const ChangeTable table = measure_change(options());
  EXPECT_EQ(table.failed, 1);
  ASSERT_EQ(table.rows.size(), 5u);
  EXPECT_EQ(table.rows[0].status, "failed");
  EXPECT_EQ(table.rows[0].error,
            "nowhere: not among the cases of the results; correct the pair, or measure the case");
  EXPECT_FALSE(table.rows[0].change_ml);
  EXPECT_EQ(table.rows[1].status, "ok");
}

TEST_F(Change, NeedsACalibration) {
  ChangeOptions raw = options();
  raw.calibration = {CalibrationChoice::Kind::kNone, {}};
  const std::string message = message_from<UsageError>([&] { measure_change(raw); });
  EXPECT_NE(message.find("no calibration"), std::string::npos) << message;
}

}  // namespace
}  // namespace mcvol

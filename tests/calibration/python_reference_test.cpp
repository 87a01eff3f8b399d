#include "mcvol/calibration/conformity_score.h"
#include "mcvol/calibration/coverage.h"
#include "mcvol/calibration/scores.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/text_file.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/covered_range.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using nlohmann::json;

/// What tests/calibration/make_reference.py wrote.
const json& reference() {
  static const json read =
      parse_json(read_file(MCVOL_CALIBRATION_REFERENCE), MCVOL_CALIBRATION_REFERENCE,
                 [](const std::string& message) { throw std::runtime_error(message); });
  return read;
}

std::vector<LogitHistogram> passes_of(const json& scan) {
  std::vector<LogitHistogram> passes;
  for (std::size_t t = 0; t < scan["weights"].size(); ++t) {
    const auto weights = scan["weights"][t].get<std::array<std::int64_t, kHistogramNodes>>();
    passes.push_back(LogitHistogram::from_weights(weights, scan["above_half"][t]));
  }
  return passes;
}

ConformityScore score_of(const std::vector<LogitHistogram>& passes, double rho) {
  const double voxel_ml = reference()["voxel_ml"];
  return {ScoreKind::kConformal, VolumeDistribution(passes, voxel_ml, {Sampler::kCopula, rho}),
          voxel_ml};
}

TEST(PythonReference, AgreesOnScaledScores) {
  const double voxel_ml = reference()["voxel_ml"];
  for (const json& scan : reference()["scans"]) {
    const std::vector<LogitHistogram> passes = passes_of(scan);
    for (const json& expected : scan["cases"]) {
      const ConformityScore score(
          ScoreKind::kScaled,
          VolumeDistribution(passes, voxel_ml, {Sampler::kCopula, expected["rho"]}), voxel_ml);
      EXPECT_NEAR(score.at(expected["volume_ml"], 0.5), expected["scaled"].get<double>(), 1e-9);
    }
  }
}

TEST(PythonReference, AgreesOnTheDrawsOfAbsentTumours) {
  for (const json& expected : reference()["uniforms"]) {
    EXPECT_EQ(atom_uniform(expected["case_id"], expected["region"]),
              expected["uniform"].get<double>())
        << expected.dump();
  }
}

TEST(PythonReference, AgreesOnPitAndCrpsTo1e9) {
  int compared = 0;
  for (const json& scan : reference()["scans"]) {
    const std::vector<LogitHistogram> passes = passes_of(scan);
    for (const json& expected : scan["cases"]) {
      const ConformityScore score = score_of(passes, expected["rho"]);
      const double volume_ml = expected["volume_ml"];
      SCOPED_TRACE(expected.dump());
      EXPECT_NEAR(score.crps(volume_ml), expected["crps"].get<double>(), 1e-9);
      if (volume_ml > score.least_ml()) {
        EXPECT_NEAR(score.at(volume_ml, 0.5), expected["probit"].get<double>(), 1e-9);
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 36);
}

TEST(PythonReference, AgreesOnWhereAnAbsentTumourRanks) {
  for (const json& scan : reference()["scans"]) {
    const std::vector<LogitHistogram> passes = passes_of(scan);
    for (const json& expected : scan["cases"]) {
      const ConformityScore score = score_of(passes, expected["rho"]);
      // The whole atom has the rank of its upper end.
      EXPECT_NEAR(score.at(0.0, 1.0), expected["probit_at_least"].get<double>(), 1e-8);
      // u = xi F(v0)
      EXPECT_NEAR(normal_log_cdf(score.at(0.0, 0.25)),
                  normal_log_cdf(score.at(0.0, 1.0)) + std::log(0.25), 1e-9);
      EXPECT_EQ(score.at(0.0, 0.5), score.at(score.least_ml(), 0.5));
    }
  }
}

TEST(PythonReference, ScoreOfAVolumeLeadsBackToTheVolume) {
  for (const json& scan : reference()["scans"]) {
    const std::vector<LogitHistogram> passes = passes_of(scan);
    for (const json& expected : scan["cases"]) {
      const ConformityScore score = score_of(passes, expected["rho"]);
      const double volume_ml = expected["volume_ml"];
      if (volume_ml <= score.least_ml() || volume_ml > 9) continue;
      EXPECT_NEAR(score.volume_ml(score.at(volume_ml, 0.5)) / volume_ml, 1, 1e-9);
    }
  }
}

TEST(PythonReference, AgreesOnProportionsAndPromises) {
  for (const json& expected : reference()["proportions"]) {
    const Range range = clopper_pearson(expected["covered"], expected["n"], 0.95);
    EXPECT_NEAR(range.lower, expected["lower"].get<double>(), 1e-9) << expected.dump();
    EXPECT_NEAR(range.upper, expected["upper"].get<double>(), 1e-9) << expected.dump();
  }
  for (const json& expected : reference()["promises"]) {
    const Range range = coverage_range(expected["n"], expected["k"], 0.9);
    EXPECT_NEAR(range.lower, expected["lower"].get<double>(), 1e-9) << expected.dump();
    EXPECT_NEAR(range.upper, expected["upper"].get<double>(), 1e-9) << expected.dump();
    const Range counts = testing::covered_range(300, expected["n"], expected["k"], 1 - 0.05 / 3);
    EXPECT_EQ(counts.lower, expected["count_lower"].get<double>()) << expected.dump();
    EXPECT_EQ(counts.upper, expected["count_upper"].get<double>()) << expected.dump();
  }
}

TEST(PythonReference, AgreesOnIntervalScores) {
  for (const json& expected : reference()["interval_scores"]) {
    const NominalCoverage level = NominalCoverage::parse(expected["level"]);
    EXPECT_NEAR(interval_score(expected["lower"], expected["upper"], expected["truth"], level),
                expected["score"].get<double>(), 1e-9);
  }
}

}  // namespace
}  // namespace mcvol

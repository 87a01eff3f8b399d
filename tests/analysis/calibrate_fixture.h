#pragma once

#include "mcvol/analysis/calibrate.h"
#include "mcvol/analysis/evaluate.h"

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/synthetic_results.h"
#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol::testing {

namespace fs = std::filesystem;

/// Sixty scans of known volume to calibrate on, and forty others.
class Calibrate : public ::testing::Test {
 protected:
  static constexpr int kReferences = 60;

  void SetUp() override {
    const auto all = synthetic_scans(kReferences + 40, 21);
    calibration_scans_.assign(all.begin(), all.begin() + kReferences);
    test_scans_.assign(all.begin() + kReferences, all.end());
    write_synthetic_results(folder("results"), calibration_scans_);
    write_synthetic_references(folder("references.csv"), all);
  }
  fs::path folder(const std::string& name) const { return temporary_.path() / name; }

  CalibrateOptions options() const {
    CalibrateOptions options;
    options.results = folder("results");
    options.references.path = folder("references.csv");
    options.output = folder("calibration.json");
    options.method = IntervalMethod::kConformal;
    options.threads = 2;
    options.version = "0.1.0";
    return options;
  }
  EvaluateOptions evaluation(const std::string& results) const {
    EvaluateOptions options;
    options.results = folder(results);
    options.references.path = folder("references.csv");
    options.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
    options.threads = 2;
    return options;
  }

  TemporaryFolder temporary_;
  std::vector<SyntheticScan> calibration_scans_, test_scans_;
};

}  // namespace mcvol::testing

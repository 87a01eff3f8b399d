#include "pipeline/predict/predict_fixture.h"

#include "mcvol/analysis/calibrate.h"
#include "mcvol/files/text_file.h"

namespace mcvol::testing {

namespace fs = std::filesystem;

void Predict::SetUp() {
  write_fake_bundle(root_ / "model");
  write_fake_scan(root_ / "scans", "case_a", 1);
  write_fake_scan(root_ / "scans", "case_b", 2);
  write_fake_scan(root_ / "scans", "case_c", 3);
  services_.load_segmenter = [this](const Bundle&, const SegmenterOptions& wanted) {
    behaviour_->loads += 1;
    memory_bytes_ = wanted.memory_bytes;
    return std::make_unique<FakeSegmenter>(behaviour_);
  };
  services_.stop = [] { return std::nullopt; };
}

PredictOptions Predict::options(const std::string& out) const {
  PredictOptions options;
  options.scans = {root_ / "scans"};
  options.model = root_ / "model";
  options.output = root_ / out;
  options.passes = 3;
  options.threads = 1;
  options.version = "0.0.0";
  return options;
}

PredictOutcome Predict::run(const PredictOptions& options) {
  listener_ = Listener();
  return predict(options, services_, listener_);
}

void Predict::calibrate_on_results(const fs::path& output) const {
  write_file_atomically(root_ / "references.csv",
                        "case_id,region,volume_ml\ncase_a,whole,1\ncase_b,whole,2\n"
                        "case_c,whole,1.5\ncase_a,core,1\ncase_b,core,1.2\ncase_c,core,0\n");
  CalibrateOptions calibration;
  calibration.results = root_ / "out";
  calibration.references.path = root_ / "references.csv";
  calibration.output = output;
  calibration.levels = parse_levels({"0.5"});
  calibrate(calibration);
}

PredictOptions Predict::calibrated_run() {
  run(options());
  calibrate_on_results(root_ / "calibration.json");
  PredictOptions calibrated = options();
  calibrated.levels = parse_levels({"0.5"});
  calibrated.calibration = {CalibrationChoice::Kind::kFile, root_ / "calibration.json"};
  run(calibrated);
  return calibrated;
}

std::string Predict::table(const std::string& out) const {
  return read_file(root_ / out / "volumes.csv");
}

RunFile Predict::run_file(const std::string& out) const {
  return read_run_file(root_ / out).value();
}

CaseRecord Predict::record(const std::string& case_id) const {
  return read_case_record(root_ / "out" / "cases" / (case_id + ".json"));
}

}  // namespace mcvol::testing

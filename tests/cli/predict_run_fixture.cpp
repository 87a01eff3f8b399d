#include "cli/predict_run_fixture.h"

#include "mcvol/files/csv.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <optional>

namespace mcvol::testing {

namespace fs = std::filesystem;

namespace {

fs::path scans_of_the_suite, usual_results;
std::optional<ProcessResult> usual_run;

}  // namespace

void PredictRun::SetUpTestSuite() {
  scans_of_the_suite = fresh_folder("scans");
  usual_results = fresh_folder("usual") / "out";
  usual_run.reset();  // That of a suite before this one is gone with its folder.
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    write_fake_scan(scans_of_the_suite, case_id, case_id[5], 5.0);
  }
}

void PredictRun::SetUp() {
#ifdef MCVOL_TINY_BUNDLES
  model_ = fs::path(MCVOL_TINY_BUNDLES) / "tiny";
#else
  GTEST_SKIP() << "no make_tiny_bundle in this build";
#endif
  scans_ = scans_of_the_suite;
}

std::vector<std::string> PredictRun::arguments(const std::string& out,
                                               const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{"predict", scans_.string(),        "--model",  model_.string(),
                                     "--out",   (root_ / out).string(), "--device", "cpu"};
  const bool counts = std::find(more.begin(), more.end(), "--passes") != more.end();
  if (!counts) arguments.insert(arguments.end(), {"--passes", "4"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

ProcessResult PredictRun::predict(const std::string& out,
                                  const std::vector<std::string>& more) const {
  return run_mcvol(arguments(out, more));
}

std::string PredictRun::table(const std::string& out) const {
  return read_file(root_ / out / "volumes.csv");
}

ProcessResult PredictRun::copy_of_usual_run(const std::string& out) const {
  // A path that is absolute stands for itself behind root_.
  if (!usual_run) usual_run = predict(usual_results.string());
  fs::copy(usual_results, root_ / out, fs::copy_options::recursive);
  return *usual_run;
}

std::map<std::string, std::string> PredictRun::contents(const std::string& out) const {
  std::map<std::string, std::string> files;
  if (!fs::exists(root_ / out)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(root_ / out)) {
    const std::string name = entry.path().lexically_relative(root_ / out).string();
    if (!entry.is_regular_file() || name == ".lock" || name == "run.json") continue;
    files[name] = name == "report.html" ? "" : read_file(entry.path());
  }
  return files;
}

std::string PredictRun::calibration(const std::string& out, const std::string& name,
                                    double factor) const {
  std::string text = "case_id,region,volume_ml\n";
  const ProcessResult rows =
      run_mcvol({"interval", (root_ / out).string(), "--calibration", "none", "--level", "0.5"});
  const CsvTable table = parse_csv(rows.out, "rows");
  for (const CsvRecord& record : table.records) {
    const double raw_ml = std::stod(record.fields[*table.column("raw_volume_ml")]);
    text +=
        record.fields[0] + "," + record.fields[1] + "," + std::to_string(factor * raw_ml) + "\n";
  }
  write_file_atomically(root_ / (name + ".csv"), text);
  const std::string file = (root_ / (name + ".json")).string();
  const ProcessResult made = run_mcvol({"calibrate", (root_ / out).string(), "--references",
                                        (root_ / (name + ".csv")).string(), "--level", "0.5",
                                        "--output", file, "--accept-references"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  return file;
}

ProcessResult PredictRun::predict_signalled_after(const std::string& case_id, int signal_number,
                                                  const std::string& out,
                                                  const std::string& finished) const {
  const std::string line = " " + case_id + ": whole_tumour ";
  return signal_held_mcvol(arguments(out, {"--print", "csv"}), signal_number, line,
                           bytes_before(case_id, finished));
}

}  // namespace mcvol::testing

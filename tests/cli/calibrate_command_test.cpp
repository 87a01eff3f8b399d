#include "mcvol/files/csv.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <memory>

#include "analysis/synthetic_results.h"
#include "cli/checks.h"
#include "files/temporary_folder.h"
#include <gtest/gtest.h>

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// calibrate, interval, evaluate, change and inspect, one after the other, on synthetic scans, of
/// which each test has a copy.
class CalibrateCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    made_ = std::make_unique<TemporaryFolder>();
    const auto all = synthetic_scans(80, 33);
    write_synthetic_results(made_->path() / "known", {all.begin(), all.begin() + 50});
    write_synthetic_results(made_->path() / "new", {all.begin() + 50, all.end()});
    write_synthetic_references(made_->path() / "references.csv", all);
  }
  static void TearDownTestSuite() { made_.reset(); }
  void SetUp() override { fs::copy(made_->path(), temporary_.path(), fs::copy_options::recursive); }
  std::string path(const std::string& name) const { return (temporary_.path() / name).string(); }
  ProcessResult calibrate(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"calibrate",    path("known"),
                                       "--references", path("references.csv"),
                                       "--output",     path("calibration.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_mcvol(arguments);
  }

  static std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
    return text;
  }

  static inline std::unique_ptr<TemporaryFolder> made_;
  TemporaryFolder temporary_;
};

TEST_F(CalibrateCommand, PrintsWhatIsPromisedAsCsv) {
  const ProcessResult result = calibrate();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.rfind("region,from_ml,level,n,rank,expected_coverage,", 0), 0u);
  EXPECT_TRUE(contains(result.out, "\nwhole,0,0.9,50,2,0.9216,")) << result.out;
  EXPECT_TRUE(contains(result.err, "whole: level 0.9 covers 92.2 % on average")) << result.err;
  EXPECT_TRUE(contains(result.err, "30 case(s) of the references have not been measured"));
}

TEST_F(CalibrateCommand, ReferencesInAnotherUnitAreRefusedUnlessAccepted) {
  const CsvTable table = read_csv(path("references.csv"));
  std::string text = "case_id,region,volume_ml\n";
  for (const CsvRecord& record : table.records) {
    text += record.fields[0] + "," + record.fields[1] + "," + record.fields[2] + "e3\n";
  }
  write_file_atomically(path("references.csv"), text);
  const ProcessResult refused = calibrate();
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_TRUE(contains(refused.err, "info: whole: reference over raw volume ")) << refused.err;
  EXPECT_TRUE(contains(refused.err, "they look like mm³;")) << refused.err;
  EXPECT_FALSE(fs::exists(path("calibration.json")));
  EXPECT_EQ(calibrate({"--accept-references"}).exit_code, 0);
}

TEST_F(CalibrateCommand, NamesThatMatchNothingAreExitCode3OfEveryCommandWithReferences) {
  calibrate();
  write_file_atomically(path("typo.csv"),
                        replaced(read_file(path("references.csv")), "scan_51,", "Scan_51,"));
  const std::string said =
      "\"Scan_51\" there is \"scan_51\" here but for zeros, blanks, capitals or an ending";
  std::string pairs = "subject_id,baseline,followup\n";
  for (int n = 52; n < 80; ++n) {
    pairs += "s,scan_" + std::to_string(n) + ",scan_" + std::to_string(n == 79 ? 52 : n + 1) + "\n";
  }
  write_file_atomically(path("pairs.csv"), pairs);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"evaluate", path("new"), "--calibration", path("calibration.json")},
           {"calibrate", path("new"), "--output", path("other.json")},
           {"change", path("new"), "--calibration", path("calibration.json"), "--pairs",
            path("pairs.csv")}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--references", path("typo.csv"), "--quiet"});
    const ProcessResult result = run_mcvol(arguments);
    EXPECT_EQ(result.exit_code, 3) << command[0] << result.err;
    EXPECT_TRUE(contains(result.err, said)) << command[0] << result.err;
  }
  for (const char* written : {"new/coverage.csv", "other.json", "new/change.csv"}) {
    EXPECT_TRUE(fs::exists(path(written))) << written;
  }
}

TEST_F(CalibrateCommand, UnreadableRecordIsExitCode3OfEveryCommandThatReadsResults) {
  calibrate();
  write_file_atomically(path("new") + "/cases/broken.json", "{");
  write_file_atomically(path("pairs.csv"), "subject_id,baseline,followup\nann,scan_50,broken\n");
  const std::vector<std::string> with{"--calibration", path("calibration.json")};
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"interval", path("new")},
           {"report", path("new")},
           {"evaluate", path("new"), "--references", path("references.csv")},
           {"change", path("new"), "--pairs", path("pairs.csv")},
           {"calibrate", path("new"), "--references", path("references.csv"), "--output",
            path("other.json")},
           {"merge", path("new"), "--out", path("merged")}}) {
    std::vector<std::string> arguments = command;
    if (command[0] != "calibrate" && command[0] != "merge") {
      arguments.insert(arguments.end(), with.begin(), with.end());
    }
    const ProcessResult result = run_mcvol(arguments);
    EXPECT_EQ(result.exit_code, 3) << command[0] << result.err;
    EXPECT_TRUE(contains(result.err, "broken")) << command[0] << result.err;
  }
  EXPECT_TRUE(fs::exists(path("merged") + "/volumes.csv"));
  EXPECT_TRUE(fs::exists(path("other.json")));
}

TEST_F(CalibrateCommand, TableOfMcvolIsNoReference) {
  EXPECT_EQ(run_mcvol({"interval", path("known"), "--output", path("own.csv")}).exit_code, 0);
  const ProcessResult result = run_mcvol({"calibrate", path("known"), "--references",
                                          path("own.csv"), "--output", path("calibration.json")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(contains(result.err, "own.csv: a table of mcvol's own")) << result.err;
}

TEST_F(CalibrateCommand, QuietMeansAnEmptyStderr) { EXPECT_EQ(calibrate({"--quiet"}).err, ""); }

TEST_F(CalibrateCommand, PlanNeedsNoResults) {
  const ProcessResult result = run_mcvol({"calibrate", "--plan", "--level", "0.95"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "\n0.95,39,1,0.9500,")) << result.out;
  EXPECT_EQ(result.err, "");
}

TEST_F(CalibrateCommand, IntervalTabulatesWithIt) {
  calibrate({"--simulated"});
  const ProcessResult result = run_mcvol({"interval", path("new"), "--calibration",
                                          path("calibration.json"), "--level", "0.5", "--quiet"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1 + 2 * 30);
  EXPECT_TRUE(contains(result.out, "simulated_calibration"));
  EXPECT_FALSE(contains(result.out, "uncalibrated"));
}

TEST_F(CalibrateCommand, IntervalWithoutACalibrationWarnsOnce) {
  const ProcessResult result = run_mcvol({"interval", path("new")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(contains(result.err, "uncalibrated"));
  EXPECT_EQ(run_mcvol({"interval", path("new"), "--calibration", "none"}).err, "");
}

TEST_F(CalibrateCommand, EvaluateWritesItsTables) {
  calibrate();
  const ProcessResult result =
      run_mcvol({"evaluate", path("new"), "--references", path("references.csv"), "--calibration",
                 path("calibration.json"), "--out", path("evaluation")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(contains(result.err, "whole, regression at 0.9: "));
  EXPECT_FALSE(contains(result.err, "level_sets"));
  EXPECT_TRUE(contains(read_file(temporary_.path() / "evaluation/coverage.csv"),
                       "\nwhole,no_dropout,0.9,"));
  for (const char* name : {"coverage.csv", "comparison.csv", "intervals.csv", "evaluation.html"}) {
    EXPECT_TRUE(fs::exists(temporary_.path() / "evaluation" / name)) << name;
  }
}

TEST_F(CalibrateCommand, ChangeWritesItsTableIntoTheResultFolder) {
  calibrate();
  write_file_atomically(path("pairs.csv"),
                        "subject_id,baseline,followup\nann,scan_50,scan_51\nbob,scan_52,nowhere\n");
  const std::vector<std::string> command{"change",        path("new"),
                                         "--pairs",       path("pairs.csv"),
                                         "--calibration", path("calibration.json")};
  const ProcessResult result = run_mcvol(command);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(contains(result.err, "error: bob: ")) << result.err;
  EXPECT_TRUE(contains(result.err, "2 pair(s), 1 failed")) << result.err;
  const std::string written = read_file(path("new") + "/change.csv");
  EXPECT_TRUE(contains(written, "\nann,scan_50,scan_51,whole,0.9,")) << written;
  std::vector<std::string> to_stdout = command;
  to_stdout.insert(to_stdout.end(), {"--output", "-", "--quiet"});
  EXPECT_EQ(run_mcvol(to_stdout).out, written);
}

TEST_F(CalibrateCommand, ReportIsAPageInTheResultFolder) {
  calibrate();
  const ProcessResult result =
      run_mcvol({"report", path("new"), "--calibration", path("calibration.json")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  const std::string page = read_file(path("new") + "/report.html");
  EXPECT_EQ(page.rfind("<!doctype html>", 0), 0u);
  EXPECT_TRUE(contains(page, "Tumour volumes of 30 cases"));
  EXPECT_TRUE(contains(page, "the 50 that it was calibrated on"));
  EXPECT_EQ(run_mcvol({"report", path("nowhere")}).exit_code, 2);
  EXPECT_EQ(run_mcvol({"report", path("new"), "--level", "0.999"}).exit_code, 0);  // uncalibrated
  EXPECT_EQ(run_mcvol({"report", path("new"), "--calibration", path("calibration.json"), "--level",
                       "0.999"})
                .exit_code,
            2);
}

TEST_F(CalibrateCommand, ReportShowsTheChangesInTheResultFolder) {
  calibrate();
  write_file_atomically(path("pairs.csv"), "subject_id,baseline,followup\nann,scan_50,scan_51\n");
  const std::vector<std::string> report{"report", path("new"), "--calibration",
                                        path("calibration.json")};
  run_mcvol(report);
  EXPECT_FALSE(contains(read_file(path("new") + "/report.html"), "Change between two scans"));
  run_mcvol({"change", path("new"), "--pairs", path("pairs.csv"), "--calibration",
             path("calibration.json")});
  EXPECT_EQ(run_mcvol(report).exit_code, 0);
  EXPECT_TRUE(contains(read_file(path("new") + "/report.html"), "ann: baseline scan_50 "));
  write_file_atomically(path("new") + "/change.csv", "subject_id\nann\n");
  const ProcessResult damaged = run_mcvol(report);
  EXPECT_EQ(damaged.exit_code, 0);
  EXPECT_TRUE(contains(damaged.err, "change.csv: expected the table that mcvol change writes"))
      << damaged.err;
  EXPECT_FALSE(contains(read_file(path("new") + "/report.html"), "Change between two scans"));
}

TEST_F(CalibrateCommand, InspectSaysWhatACalibrationIs) {
  calibrate();
  const ProcessResult result = run_mcvol({"inspect", path("calibration.json")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "calibration")) << result.out;
  EXPECT_TRUE(contains(result.out, "references 50")) << result.out;
}

TEST_F(CalibrateCommand, MistakesAreNamedWithWhatToDo) {
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& part) {
    const ProcessResult result = run_mcvol(arguments);
    EXPECT_EQ(result.exit_code, 2) << part;
    EXPECT_TRUE(contains(result.err, part)) << result.err;
    EXPECT_EQ(result.out, "");
  };
  refused({"calibrate"}, "no result folder given");
  refused({"calibrate", path("known")}, "--references");
  refused({"calibrate", path("nowhere"), "--references", path("references.csv")},
          "no such folder; expected a result folder");
  refused({"calibrate", path("known"), "--references", path("references.csv"), "--strata", "9,3"},
          "--strata: expected ascending volumes");
  refused({"calibrate", path("known"), "--references", path("references.csv"), "--method", "best"},
          "--method");
  refused({"interval", path("known"), "--rho", "0.5"}, "--rho goes with --sampler copula");
  refused({"interval", path("known"), "--calibration", path("references.csv")}, "references.csv");
  refused({"evaluate", path("known")}, "--references");
  refused({"change", path("known")}, "--pairs");
  write_file_atomically(path("pairs.csv"), "subject_id,baseline,followup\na,scan_1,scan_2\n");
  refused({"change", path("known"), "--pairs", path("pairs.csv")}, "no calibration");
  refused({"change", path("known"), "--pairs", path("pairs.csv"), "--correlation", "2"},
          "--correlation (or bonferroni): expected a number from -1 to 1");
  refused({"change", path("known"), "--pairs", path("nowhere.csv")}, "nowhere.csv");
}

}  // namespace
}  // namespace mcvol::testing

#include "mcvol/files/text_file.h"
#include "mcvol/io/records/run_lock.h"

#include <algorithm>

#include "cli/checks.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

// What predict does without ever loading a network: discovery, refusals, locks, lists.

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

class PredictCommand : public ::testing::Test {
 protected:
  void SetUp() override { write_fake_bundle(root_ / "model"); }

  ProcessResult predict(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"predict", (root_ / "scans").string(),
                                       "--model", (root_ / "model").string(),
                                       "--out",   (root_ / "out").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_mcvol(arguments);
  }
  /// A scan that is found, but has no flair.
  void write_scan_without_flair(const std::string& case_id) const {
    write_fake_scan(root_ / "scans", case_id, 0, 4.0, {"t1"});
  }
  static void expect_one_line(const ProcessResult& result, int exit_code, const std::string& part) {
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(contains(result.err, part)) << result.err;
    EXPECT_EQ(result.err.rfind("error: ", 0), 0u) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }

  fs::path root_ = fresh_folder("predict");
};

TEST_F(PredictCommand, NoSuchFolderCannotStart) {
  expect_one_line(predict(), 1, "scans");
  EXPECT_FALSE(fs::exists(root_ / "out"));
}

TEST_F(PredictCommand, EmptyFolderCannotStart) {
  fs::create_directories(root_ / "scans");
  expect_one_line(predict(), 1, "scans");
}

TEST_F(PredictCommand, DicomFolderIsAFailedRowNamedAsSuch) {
  const std::string preamble = std::string(128, '\0') + "DICM";
  write_file_atomically(root_ / "scans" / "IM0001.dcm", preamble);
  write_file_atomically(root_ / "scans" / "IM0002.dcm", preamble);
  const ProcessResult result = predict({"--quiet"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_TRUE(contains(result.err, "error: scans: 2 DICOM file(s) such as IM0001.dcm"))
      << result.err;
  EXPECT_TRUE(contains(read_file(root_ / "out" / "volumes.csv"), "scans,")) << result.err;
}

TEST_F(PredictCommand, ListSaysWhichNamesWereChangedAndWhatIsNoScan) {
  write_scan_without_flair("case a");
  fs::create_directories(root_ / "scans" / "case_b");
  const ProcessResult result = predict({"--list"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "'case a' by its files\t\n")) << result.out;
  EXPECT_TRUE(contains(result.out, "case_b\trefuse\tan empty folder: there is no file in it\t\n"))
      << result.out;
}

TEST_F(PredictCommand, CasesArePickedByNameAndAnotherNameIsRefused) {
  for (const char* id : {"sub-01_ses-1", "sub-01_ses-2", "sub-02"}) write_scan_without_flair(id);
  const auto listed = [&](const std::vector<std::string>& more) {
    std::vector<std::string> options{"--list"};
    options.insert(options.end(), more.begin(), more.end());
    const std::string out = predict(options).out;
    return std::count(out.begin(), out.end(), '\n');
  };
  EXPECT_EQ(listed({}), 3);
  EXPECT_EQ(listed({"--case", "sub-02"}), 1);
  EXPECT_EQ(listed({"--case", "sub-02", "--case", "sub-01_ses-1"}), 2);
  EXPECT_EQ(listed({"--participant-label", "01"}), 2);
  EXPECT_EQ(listed({"--participant-label", "sub-01", "--case", "sub-02"}), 3);
  expect_one_line(predict({"--case", "sub-03"}), 2,
                  "--case: expected one of the 3 found, such as sub-02, found \"sub-03\"");
  expect_one_line(predict({"--participant-label", "1"}), 2, "--participant-label: expected one");
}

TEST_F(PredictCommand, NetworkWithAnotherHashIsABadBundle) {
  write_scan_without_flair("case_a");
  write_file_atomically(root_ / "model" / "network.pt", "other bytes");
  expect_one_line(predict(), 2, "sha256");
  EXPECT_FALSE(fs::exists(root_ / "out"));
}

TEST_F(PredictCommand, UnknownModelFieldIsABadBundle) {
  write_scan_without_flair("case_a");
  std::string model = read_file(root_ / "model" / "model.json");
  model.insert(model.find('{') + 1, "\"colour\": 1,");
  write_file_atomically(root_ / "model" / "model.json", model);
  expect_one_line(predict(), 2, "colour");
}

TEST_F(PredictCommand, MissingChannelIsExitCode3AndARow) {
  write_scan_without_flair("case_a");
  const ProcessResult result = predict({"--calibration", "none"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(contains(result.err, "error: case_a: ")) << result.err;
  EXPECT_TRUE(contains(result.err, "flair")) << result.err;
  const std::string table = read_file(root_ / "out" / "volumes.csv");
  EXPECT_TRUE(contains(table, "\ncase_a,,,")) << table;
  EXPECT_TRUE(contains(table, ",failed,")) << table;
}

TEST_F(PredictCommand, PrintedRowsAreThoseOfTheTable) {
  write_scan_without_flair("case_a");
  write_scan_without_flair("case_b");
  const ProcessResult csv = predict({"--print", "csv"});
  EXPECT_EQ(csv.out, read_file(root_ / "out" / "volumes.csv"));
  const ProcessResult lines = predict({"--print", "jsonl"});
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 2);
  EXPECT_EQ(lines.out.rfind("{\"case_id\":\"case_a\"", 0), 0u) << lines.out;
}

TEST_F(PredictCommand, MissingCalibrationIsOneWarningUnlessItIsMeant) {
  write_scan_without_flair("case_a");
  const std::string err = predict().err;
  EXPECT_EQ(err.find("warning: uncalibrated"), err.rfind("uncalibrated") - 9) << err;
  EXPECT_FALSE(contains(predict({"--calibration", "none"}).err, "uncalibrated"));
}

TEST_F(PredictCommand, ListSaysWhatWouldBeMeasuredAndWhyNotAndWritesNothing) {
  write_fake_scan(root_ / "scans", "case_a");
  write_scan_without_flair("case_b");
  const ProcessResult result = predict({"--list", "--quiet"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(
      result.out.rfind(
          "case_a\tmeasure\t\tt1=case_a_t1.nii.gz, flair=case_a_flair.nii.gz\ncase_b\trefuse\t", 0),
      0u)
      << result.out;
  EXPECT_TRUE(contains(result.out, "flair"));
  EXPECT_FALSE(fs::exists(root_ / "out"));
}

TEST_F(PredictCommand, ListNeedsNoResultFolder) {
  write_fake_scan(root_ / "scans", "case_a");
  const ProcessResult result = run_mcvol(
      {"predict", (root_ / "scans").string(), "--model", (root_ / "model").string(), "--list"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "case_a\tmeasure\t\tt1=case_a_t1.nii.gz, flair=case_a_flair.nii.gz\n");
}

TEST_F(PredictCommand, FolderHeldByAnotherRunIsExitCode4) {
  write_scan_without_flair("case_a");
  const RunLock lock(root_ / "out");
  expect_one_line(predict(), 4, "out");
}

TEST_F(PredictCommand, OtherSeedOnTheSameFolderIsRefusedByName) {
  write_scan_without_flair("case_a");
  predict();
  expect_one_line(predict({"--seed", "1"}), 2, "seed");
  EXPECT_EQ(predict({"--seed", "1", "--fresh"}).exit_code, 3);
}

TEST_F(PredictCommand, MemoryOfTheConfigFileIsHeldByTheRunFile) {
  write_scan_without_flair("case_a");
  write_file_atomically(root_ / "run.toml", "memory = '512M'\n");
  predict({"--config", (root_ / "run.toml").string()});
  const auto run = nlohmann::json::parse(read_file(root_ / "out" / "run.json"));
  EXPECT_EQ(run["options"]["memory_bytes"], 512 << 20);
}

TEST_F(PredictCommand, OtherMemoryIsRefusedByNameWhereTheWindowIsFlexibleAndOnlyThere) {
  write_scan_without_flair("case_a");
  predict();
  EXPECT_EQ(predict({"--memory", "2G"}).exit_code, 3);
  write_fake_bundle(root_ / "model",
                    [](nlohmann::json& model) { model["window"]["flexible"] = true; });
  EXPECT_EQ(predict({"--fresh"}).exit_code, 3);
  expect_one_line(predict({"--memory", "2G"}), 2,
                  "its results were made with window.memory_bytes 4294967296, this run has "
                  "2147483648; use another --out, or --fresh to start again");
}

TEST_F(PredictCommand, PassesThatAnEnsembleCannotShareEvenlyAreAUsageErrorBeforeAnyWork) {
  write_scan_without_flair("case_a");
  write_fake_bundle(root_ / "model",
                    [&](nlohmann::json& model) { make_fake_ensemble(root_ / "model", 3, model); });
  const std::string expected =
      "--passes: expected a multiple of 3, the number of networks in the model, found 20; use 18 "
      "or "
      "21";
  expect_one_line(predict(), 2, expected);
  expect_one_line(predict({"--list"}), 2, expected);
  EXPECT_FALSE(fs::exists(root_ / "out"));
  EXPECT_EQ(predict({"--passes", "21"}).exit_code, 3);
}

TEST_F(PredictCommand, OutputThatIsAFileCannotStart) {
  write_scan_without_flair("case_a");
  write_file_atomically(root_ / "out", "a file");
  expect_one_line(predict(), 1, "out");
}

TEST_F(PredictCommand, ReadOnlyOutputCannotStart) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  write_scan_without_flair("case_a");
  fs::create_directories(root_ / "out");
  chmod((root_ / "out").c_str(), S_IRUSR | S_IXUSR);
  expect_one_line(predict(), 1, "out");
  chmod((root_ / "out").c_str(), S_IRWXU);
}

TEST_F(PredictCommand, FileThatIsNoNetworkIsABadBundleBeforeAnyRecord) {
  write_fake_scan(root_ / "scans", "case_a");
  const ProcessResult result = predict({"--calibration", "none"});
  expect_one_line(result, 2, "network.pt");
  EXPECT_FALSE(fs::exists(root_ / "out" / "cases"));
}

TEST_F(PredictCommand, ConfigFileGivesTheOptionsAndTheCommandLineWins) {
  write_scan_without_flair("case_a");
  const fs::path file = root_ / "run.toml";
  write_file_atomically(file, "scans = ['" + (root_ / "scans").string() + "']\nmodel = '" +
                                  (root_ / "model").string() + "'\nout = '" +
                                  (root_ / "elsewhere").string() + "'\nquiet = true\n");
  const ProcessResult result =
      run_mcvol({"predict", "--config", file.string(), "--out", (root_ / "out").string()});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_TRUE(fs::exists(root_ / "out" / "volumes.csv"));
  EXPECT_FALSE(fs::exists(root_ / "elsewhere"));
  EXPECT_FALSE(contains(result.err, "info:")) << result.err;
}

}  // namespace
}  // namespace mcvol::testing

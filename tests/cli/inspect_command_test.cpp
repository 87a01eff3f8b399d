#include "mcvol/files/text_file.h"

#include "cli/process.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

class InspectCommand : public ::testing::Test {
 protected:
  ProcessResult inspect(const fs::path& path, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"inspect", path.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_mcvol(arguments);
  }
  fs::path root_ = fresh_folder("inspect");
};

TEST_F(InspectCommand, ScanIsDescribedByItsGrid) {
  write_fake_scan(root_, "case_a");
  const ProcessResult result = inspect(root_ / "case_a" / "case_a_t1.nii.gz", {"--json"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const auto facts = nlohmann::json::parse(result.out);
  EXPECT_EQ(facts["kind"], "scan");
  EXPECT_EQ(facts["size"], nlohmann::json({12, 12, 12}));
  EXPECT_EQ(facts["spacing_mm"], nlohmann::json({2.0, 2.0, 2.0}));
  EXPECT_DOUBLE_EQ(facts["voxel_volume_ml"], 0.008);
}

TEST_F(InspectCommand, TextNamesTheSameFacts) {
  write_fake_scan(root_, "case_a");
  const ProcessResult result = inspect(root_ / "case_a" / "case_a_t1.nii.gz");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.out.find("kind: scan\nsize: 12, 12, 12\n"), std::string::npos) << result.out;
}

TEST_F(InspectCommand, DamagedScanIsRefusedWithTheExitCodeItWouldGive) {
  write_file_atomically(root_ / "x.nii", "no header");
  const ProcessResult result = inspect(root_ / "x.nii", {"--json"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("error: x.nii"), std::string::npos) << result.err;
  EXPECT_TRUE(nlohmann::json::parse(result.out).contains("refused"));
}

TEST_F(InspectCommand, BundleWithAnUnknownFieldIsRefused) {
  write_fake_bundle(root_ / "model");
  std::string model = read_file(root_ / "model" / "model.json");
  model.insert(model.find('{') + 1, "\"colour\": 1,");
  write_file_atomically(root_ / "model" / "model.json", model);
  const ProcessResult result = inspect(root_ / "model");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("colour"), std::string::npos) << result.err;
}

TEST_F(InspectCommand, ResultFolderAndRecordAreDescribed) {
  write_fake_bundle(root_ / "model");
  write_fake_scan(root_ / "scans", "case_a", 0, 4.0, {"t1"});
  run_mcvol({"predict", (root_ / "scans").string(), "--model", (root_ / "model").string(), "--out",
             (root_ / "out").string()});
  const auto results = nlohmann::json::parse(inspect(root_ / "out", {"--json"}).out);
  EXPECT_EQ(results["kind"], "result folder");
  EXPECT_EQ(results["state"], "complete");
  EXPECT_EQ(results["failed"], 1);
  const auto record =
      nlohmann::json::parse(inspect(root_ / "out" / "cases" / "case_a.json", {"--json"}).out);
  EXPECT_EQ(record["kind"], "case record");
  EXPECT_EQ(record["status"], "failed");
}

TEST_F(InspectCommand, UnknownThingsAreRefusedAndOthersStillDescribed) {
  write_fake_scan(root_, "case_a");
  EXPECT_EQ(inspect(root_ / "nothing").exit_code, 1);
  const ProcessResult result =
      run_mcvol({"inspect", root_.string(), (root_ / "case_a" / "case_a_t1.nii.gz").string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("--list"), std::string::npos);
  EXPECT_NE(result.out.find("kind: scan"), std::string::npos);
}

}  // namespace
}  // namespace mcvol::testing

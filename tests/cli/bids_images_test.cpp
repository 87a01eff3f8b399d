#include "mcvol/files/text_file.h"

#include <set>

#include "cli/checks.h"
#include "cli/predict_run_fixture.h"
#include <nlohmann/json.hpp>

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// Where `scripts/setup.sh --tests` puts the validator of BIDS.
fs::path validator() { return fs::path(MCVOL_SOURCE_DIR) / ".deps" / "bids-validator"; }

/// Scans in BIDS layout, and the tiny network with suffixes that fit them.
class BidsImages : public PredictRun {
 protected:
  void SetUp() override {
    PredictRun::SetUp();
    if (IsSkipped()) return;
    fs::copy(model_, root_ / "model", fs::copy_options::recursive);
    model_ = root_ / "model";
    nlohmann::json model = nlohmann::json::parse(read_file(model_ / "model.json"));
    model["channels"][0]["suffixes"].push_back("T1w");
    model["channels"][1]["suffixes"].push_back("FLAIR");
    write_file_atomically(model_ / "model.json", model.dump());
    scans_ = root_ / "study";
    write_session("sub-01_ses-1", "sub-01/ses-1");
    write_session("sub-01_ses-2_run-1_space-SRI24_desc-brain", "sub-01/ses-2");
    write_session("sub-01_ses-2_run-2_space-MNI152NLin6Asym_res-1", "sub-01/ses-2");
    write_session("sub-x2", "sub-x2");
    write_file_atomically(scans_ / "dataset_description.json",
                          R"({"Name": "study", "BIDSVersion": "1.9.0"})");
  }

  void write_session(const std::string& case_id, const fs::path& folder) const {
    write_fake_scan(root_ / "made", case_id, static_cast<int>(case_id.size()), 5.0,
                    {"T1w", "FLAIR"});
    const fs::path anat = scans_ / folder / "anat";
    fs::create_directories(anat);
    for (const auto& file : fs::directory_iterator(root_ / "made" / case_id)) {
      fs::rename(file.path(), anat / file.path().filename());
    }
  }

  /// What the validator says of a data set; it may use no network.
  nlohmann::json validated(const fs::path& data_set) const {
    const ProcessResult result = run_program(
        "/usr/bin/env",
        {"DENO_DIR=" + (root_ / "deno").string(), "DENO_NO_UPDATE_CHECK=1",
         (validator() / "bin" / "deno").string(), "run", "--no-prompt", "--allow-read",
         "--allow-env", (validator() / "bids_validator_deno" / "bids-validator.js").string(),
         "--format", "json", data_set.string()});
    const nlohmann::json report = nlohmann::json::parse(result.out, nullptr, false);
    EXPECT_FALSE(report.is_discarded()) << result.out << result.err;
    return report;
  }

  /// Codes of the issues of a severity, with what a sidecar lacks.
  static std::set<std::string> issues(const nlohmann::json& report, const std::string& severity) {
    std::set<std::string> codes;
    for (const nlohmann::json& issue : report.at("issues").at("issues")) {
      if (issue.value("severity", "") != severity) continue;
      const std::string part = issue.value("subCode", "");
      codes.insert(issue.value("code", "") + (part.empty() ? "" : " " + part));
    }
    return codes;
  }

  void expect_valid(const std::string& out, std::size_t subjects) const {
    const nlohmann::json report = validated(root_ / out / "maps");
    EXPECT_EQ(issues(report, "error"), std::set<std::string>{}) << report.dump(1);
    // A README and authors are the user's to add; where the scans lie is in no result, and which
    // file a template's space is of is not known.
    const std::set<std::string> usual{"README_FILE_MISSING", "TOO_FEW_AUTHORS",
                                      "SIDECAR_KEY_RECOMMENDED Sources",
                                      "SIDECAR_KEY_RECOMMENDED SpatialReference"};
    for (const std::string& code : issues(report, "warning")) {
      EXPECT_TRUE(usual.contains(code)) << code;
    }
    EXPECT_EQ(report["summary"]["subjects"].size(), subjects);
    EXPECT_EQ(report["summary"]["dataTypes"], nlohmann::json::array({"anat"}));
  }
};

const std::vector<std::string> kEverything{
    "--save", "segmentation,probability,bounds,sd,agreement,labels,entropy"};

TEST_F(BidsImages, AreAValidDerivativeDataSet) {
  if (!fs::exists(validator() / ".done")) {
    GTEST_SKIP() << "no validator of BIDS; scripts/setup.sh --tests fetches it";
  }
  const ProcessResult result = predict("out", kEverything);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_valid("out", 2);
  EXPECT_EQ(
      run_mcvol({"maps", (root_ / "out").string(), "--save", "bounds", "--level", "0.5"}).exit_code,
      0);
  expect_valid("out", 2);
  // That it looks at names and sidecars at all.
  const fs::path anat = root_ / "out/maps/sub-01/ses-1/anat";
  fs::copy(anat / "sub-01_ses-1_dseg.nii.gz", anat / "sub-01_ses-1_odd.nii.gz");
  EXPECT_EQ(issues(validated(root_ / "out/maps"), "error"), std::set<std::string>{"NOT_INCLUDED"});
  fs::remove(anat / "sub-01_ses-1_odd.nii.gz");
  fs::remove(root_ / "out/maps/sub-01/ses-2/anat" /
             "sub-01_ses-2_run-1_space-SRI24_label-tumourcore_desc-brain_mask.json");
  EXPECT_TRUE(issues(validated(root_ / "out/maps"), "error")
                  .contains("SIDECAR_KEY_REQUIRED SpatialReference"));
}

TEST_F(BidsImages, OfScansOfAnotherLayoutAreAValidDataSetToo) {
  if (!fs::exists(validator() / ".done")) {
    GTEST_SKIP() << "no validator of BIDS; scripts/setup.sh --tests fetches it";
  }
  scans_ = root_ / "others";
  for (const char* case_id : {"BraTS2021_00006", "p1", "odd+name.1"}) {
    write_fake_scan(scans_, case_id, case_id[1], 5.0);
  }
  std::vector<std::string> arguments = kEverything;
  arguments.insert(arguments.end(), {"--save-layout", "bids"});
  const ProcessResult result = predict("out", arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  expect_valid("out", 3);
}

TEST_F(BidsImages, AreFoundAgainByTheSameLineAndDrawnWhereTheyLie) {
  const std::string out = "study/derivatives/mcvol";
  const std::vector<std::string> saving{"--save", "probability,segmentation"};
  const ProcessResult first = predict(out, saving);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const fs::path anat = root_ / out / "maps/sub-01/ses-1/anat";
  const std::string bytes = read_file(anat / "sub-01_ses-1_label-wholetumour_probseg.nii.gz");
  const ProcessResult again = predict(out, saving);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
  EXPECT_TRUE(contains(again.err, "4 of 4 cases measured (4 before)")) << again.err;
  EXPECT_EQ(read_file(anat / "sub-01_ses-1_label-wholetumour_probseg.nii.gz"), bytes);
  const ProcessResult drawn = run_mcvol({"maps", (root_ / out).string(), "--save", "labels"});
  EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
  EXPECT_EQ(read_file(anat / "sub-01_ses-1_dseg.tsv"),
            "index\tname\n0\tbackground\n1\twhole_tumour less tumour_core\n2\ttumour_core\n");
}

TEST_F(BidsImages, LayoutsThatDoNotFitAreUsageErrors) {
  expect_usage_error(arguments("out", {"--save-layout", "bids"}),
                     "--save-layout: goes with --save");
  ASSERT_EQ(predict("out", {"--save", "labels"}).exit_code, 0);
  expect_usage_error(arguments("out", {"--save", "labels", "--save-layout", "cases"}),
                     "has images in layout bids, expected those of --save-layout cases");
}

}  // namespace
}  // namespace mcvol::testing

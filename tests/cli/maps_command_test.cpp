#include "mcvol/files/text_file.h"
#include "mcvol/io/records/run_lock.h"

#include "cli/checks.h"
#include "cli/predict_run_fixture.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

class MapsCommand : public PredictRun {
 protected:
  ProcessResult maps(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"maps", (root_ / out).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_mcvol(arguments);
  }
};

TEST_F(MapsCommand, ImagesAreDrawnFromWhatPredictSaved) {
  EXPECT_EQ(predict("out", {"--save", "probability"}).exit_code, 0);
  const ProcessResult result = maps("out", {"--level", "0.95", "--case", "case_b"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(contains(result.err, "images of 1 case(s) drawn, 0 had them, 0 without"));
  EXPECT_TRUE(fs::exists(root_ / "out/maps/case_b/whole_tumour_upper_0.95.nii.gz"));
  EXPECT_TRUE(fs::exists(root_ / "out/maps/case_b/whole_tumour.nii.gz"));
  EXPECT_FALSE(fs::exists(root_ / "out/maps/case_a/whole_tumour.nii.gz"));
  const ProcessResult needs_passes = maps("out", {"--save", "sd"});
  EXPECT_EQ(needs_passes.exit_code, 3);
  EXPECT_TRUE(contains(needs_passes.err, "error: case_a: sd cannot be made of what is saved"));
  EXPECT_TRUE(contains(needs_passes.err, "mcvol predict SCANS --model DIR --out "));
  const RunLock lock(root_ / "out");
  EXPECT_EQ(maps("out").exit_code, 4);
}

TEST_F(MapsCommand, CasesWithoutASavedProbabilityAreExitCode3) {
  copy_of_usual_run("out");
  const ProcessResult result = maps("out", {"--quiet"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(
      contains(result.err, "error: case_c: segmentation,probability,bounds cannot be made"));
  write_file_atomically(root_ / "out/cases/case_a.json", "{");
  EXPECT_EQ(maps("out").exit_code, 3) << "a record that cannot be read";
}

TEST_F(MapsCommand, OptionsThatDoNotFitAreUsageErrors) {
  copy_of_usual_run("out");
  const std::string out = (root_ / "out").string();
  expect_usage_error({"maps", out, "--save", "segmentation", "--level", "0.5"},
                     "--level goes with bounds among --save");
  expect_usage_error({"maps", out, "--save", "everything"}, "or entropy, found \"everything\"");
  expect_usage_error({"maps", out, "--save", ""}, "--save: no kind");
  expect_usage_error({"maps", out, "--case", "case_x"}, "has no record of case_x");
  expect_usage_error({"maps", (root_ / "nothing").string()}, "nothing");
}

}  // namespace
}  // namespace mcvol::testing

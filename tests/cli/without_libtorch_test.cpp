#include "mcvol/files/text_file.h"

#include <filesystem>

#include "analysis/synthetic_results.h"
#include "cli/process.h"
#include "files/temporary_folder.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>

// Only what runs a network needs LibTorch: the program alone, copied to a folder where there is no
// libmcvol_network.so, which is what links it.

namespace mcvol::testing {
namespace {

class WithoutLibTorch : public ::testing::Test {
 protected:
  void SetUp() override {
    program_ = temporary_.path() / "bin" / "mcvol";
    std::filesystem::create_directories(program_.parent_path());
    std::filesystem::copy_file(MCVOL_EXECUTABLE, program_);
  }
  ProcessResult run(const std::vector<std::string>& arguments) const {
    return run_program(program_.string(), arguments);
  }
  std::string path(const std::string& name) const { return (temporary_.path() / name).string(); }

  TemporaryFolder temporary_;
  std::filesystem::path program_;
};

TEST_F(WithoutLibTorch, TheProgramDoesNotNameItAmongItsLibraries) {
  const std::string program = read_file(program_);
  EXPECT_NE(program.find("libITKCommon"), std::string::npos);
  for (const char* library : {"libtorch_cpu.so", "libc10.so"}) {
    EXPECT_EQ(program.find(library), std::string::npos) << library;
  }
}

TEST_F(WithoutLibTorch, VersionAndHelpArePrinted) {
  EXPECT_EQ(run({"--version"}).exit_code, 0);
  EXPECT_EQ(run({"predict", "--help"}).exit_code, 0);
}

TEST_F(WithoutLibTorch, ResultsAreCalibratedTabulatedEvaluatedAndShown) {
  const auto scans = synthetic_scans(60, 5);
  write_synthetic_results(path("results"), {scans.begin(), scans.begin() + 40});
  write_synthetic_results(path("new"), {scans.begin() + 40, scans.end()});
  write_synthetic_references(path("references.csv"), scans);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"calibrate", path("results"), "--references", path("references.csv"), "--output",
            path("calibration.json")},
           {"interval", path("new"), "--calibration", path("calibration.json")},
           {"evaluate", path("new"), "--calibration", path("calibration.json"), "--references",
            path("references.csv"), "--out", path("evaluation")},
           {"report", path("new")}}) {
    const ProcessResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << arguments.front() << ": " << result.err;
  }
}

TEST_F(WithoutLibTorch, PredictSaysWhatIsMissing) {
  write_fake_bundle(path("bundle"));
  write_fake_scan(path("scans"), "a");
  const ProcessResult result =
      run({"predict", path("scans"), "--model", path("bundle"), "--out", path("out")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, path("lib/libmcvol_network.so"), result.err);
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "keep it beside the program", result.err);
}

}  // namespace
}  // namespace mcvol::testing

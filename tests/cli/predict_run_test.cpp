#include "mcvol/files/text_file.h"

#include <algorithm>

#include "cli/checks.h"
#include "cli/predict_run_fixture.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

// predict and inspect with a real, tiny network.

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

TEST_F(PredictRun, MeasuresThreeScansWithALinePerScan) {
  const ProcessResult result = copy_of_usual_run("out");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(contains(result.err, "info: 3/3 case_c: whole_tumour ")) << result.err;
  const std::string text = table("out");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 3 * 2);
  EXPECT_TRUE(contains(text, "\ncase_b,tumour_core,0.9,,,,")) << text;
}

TEST_F(PredictRun, QuietRunSaysNothing) {
  const ProcessResult result = predict("out", {"--quiet"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "");
}

TEST_F(PredictRun, PrintedRowsAreThoseOfTheTable) {
  const ProcessResult result = predict("out", {"--print", "csv", "--quiet"});
  EXPECT_EQ(result.out, table("out"));
}

TEST_F(PredictRun, SecondRunKeepsWhatIsThere) {
  copy_of_usual_run("out");
  const std::string before = table("out");
  const ProcessResult result = predict("out", {"--verbose"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(contains(result.err, "(3 before)")) << result.err;
  EXPECT_FALSE(contains(result.err, "network on")) << result.err;
  EXPECT_EQ(table("out"), before);
}

TEST_F(PredictRun, PageIsOfAWholeRunOrOfMergedShardsAndNotOfAShard) {
  copy_of_usual_run("whole");
  predict("parts", {"--shard", "1/2"});
  predict("parts", {"--shard", "2/2"});
  const std::string parts = (root_ / "parts").string();
  EXPECT_FALSE(fs::exists(root_ / "parts" / "shards" / "1-of-2" / "report.html"));
  EXPECT_EQ(run_mcvol({"merge", parts, "--out", parts}).exit_code, 0);
  for (const char* out : {"whole", "parts"}) {
    EXPECT_TRUE(contains(read_file(root_ / out / "report.html"), "Tumour volumes of 3 cases"))
        << out;
  }
}

TEST_F(PredictRun, PageShowsASliceOfEachScanUnlessAskedNotTo) {
  copy_of_usual_run("out");
  const std::string page = read_file(root_ / "out" / "report.html");
  EXPECT_TRUE(contains(page, "id=\"slice-case_b\"")) << page.substr(0, 2000);
  EXPECT_TRUE(contains(page, "data:image/png;base64,"));
  const std::string other = (root_ / "without.html").string();
  EXPECT_EQ(run_mcvol({"report", (root_ / "out").string(), "--no-thumbnails", "--output", other})
                .exit_code,
            0);
  EXPECT_FALSE(contains(read_file(other), "data:image"));
  EXPECT_EQ(predict("without", {"--no-thumbnails"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(root_ / "without" / "thumbnails"));
  EXPECT_FALSE(contains(read_file(root_ / "without" / "report.html"), "<h2>Slices"));
}

TEST_F(PredictRun, PageGoesWithoutTheSliceOfAnotherMeasurement) {
  copy_of_usual_run("out");
  const fs::path slices = root_ / "out" / "thumbnails";
  fs::copy_file(slices / "case_b.png", slices / "case_a.png", fs::copy_options::overwrite_existing);
  const ProcessResult result = run_mcvol({"report", (root_ / "out").string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(result.err,
                       "a slice is left out: case_a.png: of another measurement of the case; "
                       "measure it again with --fresh"))
      << result.err;
  const std::string page = read_file(root_ / "out" / "report.html");
  EXPECT_TRUE(contains(page, "id=\"slice-case_b\""));
  EXPECT_FALSE(contains(page, "id=\"slice-case_a\""));
}

TEST_F(PredictRun, PageGoesWithoutASliceThatIsGoneOrDamaged) {
  copy_of_usual_run("out");
  const std::string out = (root_ / "out").string();
  write_file_atomically(root_ / "out" / "thumbnails" / "case_a.png", "no picture");
  fs::remove(root_ / "out" / "thumbnails" / "case_b.png");
  const ProcessResult result = run_mcvol({"report", out});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(result.err, "a slice is left out: case_a.png: expected a grey PNG"))
      << result.err;
  EXPECT_FALSE(contains(result.err, "case_b")) << result.err;
  const std::string page = read_file(root_ / "out" / "report.html");
  EXPECT_TRUE(contains(page, "id=\"slice-case_c\""));
  EXPECT_FALSE(contains(page, "id=\"slice-case_a\""));
  EXPECT_TRUE(contains(page, "1 of 3 cases"));
}

TEST_F(PredictRun, SlicesHoldPixelsOnly) {
  copy_of_usual_run("out");
  const std::string bytes = read_file(root_ / "out" / "thumbnails" / "case_a.png");
  for (const char* text : {"tEXt", "iTXt", "zTXt", "eXIf", "tIME", "case_a"}) {
    EXPECT_FALSE(contains(bytes, text)) << text;
  }
  EXPECT_FALSE(contains(read_file(root_ / "out" / "report.html"), root_.string()));
}

TEST_F(PredictRun, MemoryDoesNotChangeAByteWhereTheWindowIsFixed) {
  copy_of_usual_run("much");
  predict("little", {"--memory", "64M"});
  EXPECT_EQ(table("little"), table("much"));
}

TEST_F(PredictRun, PassesUntilSettledAreCountedInTheTableTheRecordAndThePage) {
  write_file_atomically(root_ / "run.toml", "passes = \"auto\"\nmc-tolerance = 0.9\n");
  const ProcessResult result =
      predict("out", {"--config", (root_ / "run.toml").string(), "--passes", "auto"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(table("out"), ",20,ok,")) << table("out");
  const ProcessResult inspected =
      run_mcvol({"inspect", (root_ / "out" / "cases" / "case_a.json").string(), "--json"});
  const auto facts = nlohmann::json::parse(inspected.out);
  EXPECT_EQ(facts["passes"], 20);
  EXPECT_EQ(facts["regions"][0]["monte_carlo_error_ml"].size(), 2u);
  EXPECT_TRUE(contains(read_file(root_ / "out" / "report.html"), "mc_tolerance"));
  const ProcessResult other = predict("out", {"--passes", "auto"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_TRUE(contains(other.err, "mc_tolerance 0.9, this run has 0.1")) << other.err;
  const ProcessResult fixed = predict("out", {"--passes", "20"});
  EXPECT_EQ(fixed.exit_code, 2);
  EXPECT_TRUE(contains(fixed.err, "passes \"auto\", this run has 20")) << fixed.err;
}

TEST_F(PredictRun, PassesThatDoNotSettleAreFlaggedAndThePageSaysSo) {
  const ProcessResult result = predict("out", {"--passes", "auto", "--mc-tolerance", "1e-9"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(table("out"), ",320,ok,mc_tolerance_missed;")) << table("out");
  EXPECT_TRUE(contains(read_file(root_ / "out" / "report.html"), "above the tolerance"));
  // Other levels and commands go by what was measured.
  const ProcessResult interval =
      run_mcvol({"interval", (root_ / "out").string(), "--level", "0.5"});
  EXPECT_EQ(interval.exit_code, 0) << interval.err;
  EXPECT_TRUE(contains(interval.out, ",320,ok,mc_tolerance_missed;")) << interval.out;
}

TEST_F(PredictRun, BadScanAmongGoodOnesIsExitCode3) {
  fs::copy(scans_, root_ / "scans", fs::copy_options::recursive);
  scans_ = root_ / "scans";
  write_file_atomically(scans_ / "case_b" / "case_b_t1.nii.gz", "not gzip");
  const ProcessResult result = predict("out");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_TRUE(contains(result.err, "error: case_b: ")) << result.err;
  EXPECT_TRUE(contains(table("out"), "\ncase_c,whole_tumour,")) << table("out");
}

TEST_F(PredictRun, InspectPrintsDropoutAndWhereTheSplitFell) {
  const ProcessResult result = run_mcvol({"inspect", model_.string(), "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const auto facts = nlohmann::json::parse(result.out);
  EXPECT_EQ(facts["kind"], "model bundle");
  ASSERT_EQ(facts["dropout"].size(), 2u);
  EXPECT_EQ(facts["dropout"][0]["rate"], 0.4);
  EXPECT_NE(facts["work"]["split_at"], "");
  EXPECT_GT(facts["work"]["share_per_pass"], 0.0);
}

TEST_F(PredictRun, InspectPrintsTheWindowAndWhatItTakes) {
  const auto facts = nlohmann::json::parse(run_mcvol({"inspect", model_.string(), "--json"}).out);
  EXPECT_EQ(facts["networks"], 1);
  EXPECT_EQ(facts["window"],
            nlohmann::json::parse(R"({"input": [16, 16, 16], "output": [16, 16, 16],
                                      "overlap": 0.0, "blend": "none", "flexible": false})"));
  EXPECT_GE(facts["work"]["passes_per_batch"], 1);
  EXPECT_GT(facts["work"]["memory_of_window_and_pass_bytes"], 0);
  const std::string text = run_mcvol({"inspect", model_.string()}).out;
  EXPECT_TRUE(contains(text, "\nnetworks: 1\nwindow: \n  input: 16, 16, 16\n")) << text;
  EXPECT_TRUE(contains(text, "\n  blend: none\n  flexible: no\n")) << text;
  EXPECT_TRUE(contains(text, "iB\n")) << text;
}

}  // namespace
}  // namespace mcvol::testing

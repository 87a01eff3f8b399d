#include "mcvol/files/text_file.h"

#include <algorithm>

#include "cli/process.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>

// predict and inspect with a real, tiny network.

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class PredictRun : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef MCVOL_MAKE_TINY_BUNDLE
    const ProcessResult made = run_program(MCVOL_MAKE_TINY_BUNDLE, {(root_ / "model").string()});
    ASSERT_EQ(made.exit_code, 0) << made.err;
#else
    GTEST_SKIP() << "no make_tiny_bundle in this build";
#endif
    for (const char* case_id : {"case_a", "case_b", "case_c"}) {
      write_fake_scan(root_ / "scans", case_id, case_id[5], 5.0);
    }
  }
  std::vector<std::string> arguments(const std::string& out,
                                     const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{
        "predict", (root_ / "scans").string(), "--model",  (root_ / "model").string(),
        "--out",   (root_ / out).string(),     "--device", "cpu"};
    const bool counts = std::find(more.begin(), more.end(), "--passes") != more.end();
    if (!counts) arguments.insert(arguments.end(), {"--passes", "4"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  ProcessResult predict(const std::string& out, const std::vector<std::string>& more = {}) const {
    return run_mcvol(arguments(out, more));
  }
  std::string table(const std::string& out) const { return read_file(root_ / out / "volumes.csv"); }

  fs::path root_ = fresh_folder("run");
};

TEST_F(PredictRun, MeasuresThreeScansWithALinePerScan) {
  const ProcessResult result = predict("out");
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
  predict("out");
  const std::string before = table("out");
  const ProcessResult result = predict("out", {"--verbose"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(contains(result.err, "(3 before)")) << result.err;
  EXPECT_FALSE(contains(result.err, "network on")) << result.err;
  EXPECT_EQ(table("out"), before);
}

TEST_F(PredictRun, ThreadsAndShardsDoNotChangeAByte) {
  predict("whole", {"--threads", "1"});
  predict("threads", {"--threads", "2"});
  EXPECT_EQ(table("threads"), table("whole"));
  predict("parts", {"--shard", "1/2"});
  predict("parts", {"--shard", "2/2"});
  const std::string parts = (root_ / "parts").string();
  EXPECT_FALSE(fs::exists(root_ / "parts" / "shards" / "1-of-2" / "report.html"));
  EXPECT_EQ(run_mcvol({"merge", parts, "--out", parts}).exit_code, 0);
  EXPECT_EQ(table("parts"), table("whole"));
  for (const char* out : {"whole", "parts"}) {
    EXPECT_TRUE(contains(read_file(root_ / out / "report.html"), "Tumour volumes of 3 scans"))
        << out;
  }
}

TEST_F(PredictRun, PageShowsASliceOfEachScanUnlessAskedNotTo) {
  predict("out");
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
  EXPECT_FALSE(contains(read_file(root_ / "without" / "report.html"), "Pictures"));
}

TEST_F(PredictRun, PageGoesWithoutASliceThatIsGoneOrDamaged) {
  predict("out");
  const std::string out = (root_ / "out").string();
  write_file_atomically(root_ / "out" / "thumbnails" / "case_a.png", "no picture");
  fs::remove(root_ / "out" / "thumbnails" / "case_b.png");
  const ProcessResult result = run_mcvol({"report", out});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(contains(result.err, "a picture is left out: case_a.png: expected a grey PNG"))
      << result.err;
  EXPECT_FALSE(contains(result.err, "case_b")) << result.err;
  const std::string page = read_file(root_ / "out" / "report.html");
  EXPECT_TRUE(contains(page, "id=\"slice-case_c\""));
  EXPECT_FALSE(contains(page, "id=\"slice-case_a\""));
  EXPECT_TRUE(contains(page, "1 of 3 scans"));
}

TEST_F(PredictRun, SlicesHoldPixelsOnly) {
  predict("out");
  const std::string bytes = read_file(root_ / "out" / "thumbnails" / "case_a.png");
  for (const char* text : {"tEXt", "iTXt", "zTXt", "eXIf", "tIME", "case_a"}) {
    EXPECT_FALSE(contains(bytes, text)) << text;
  }
  EXPECT_FALSE(contains(read_file(root_ / "out" / "report.html"), root_.string()));
}

TEST_F(PredictRun, SignalLeavesWhatIsFinishedAndTheNextRunTheRest) {
  const std::vector<std::string> slowly{"--passes", "60", "--verbose"};
  predict("whole", slowly);
  for (const auto& [number, exit_code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    const std::string out = "cut_" + std::to_string(number);
    const ProcessResult cut = signal_mcvol(arguments(out, slowly), number, "1/3 case_a");
    EXPECT_EQ(cut.exit_code, exit_code) << cut.err;
    EXPECT_TRUE(contains(cut.err, "error: interrupted: ")) << cut.err;
    const auto state = nlohmann::json::parse(read_file(root_ / out / "run.json"));
    EXPECT_EQ(state["state"], "interrupted");
    EXPECT_FALSE(fs::exists(root_ / out / "report.html"));
    EXPECT_EQ(predict(out, slowly).exit_code, 0);
    EXPECT_EQ(table(out), table("whole"));
    EXPECT_TRUE(fs::exists(root_ / out / "report.html"));
  }
}

TEST_F(PredictRun, KilledRunIsResumedToTheSameTable) {
  const std::vector<std::string> slowly{"--passes", "60", "--verbose"};
  predict("whole", slowly);
  for (const char* moment : {"1/3 case_a", "2/3 case_b", "3/3 case_c"}) {
    const std::string out = std::string("killed_at_") + moment[0];
    const ProcessResult killed = signal_mcvol(arguments(out, slowly), SIGKILL, moment);
    EXPECT_EQ(killed.exit_code, -SIGKILL) << killed.err;
    EXPECT_EQ(predict(out, slowly).exit_code, 0);
    EXPECT_EQ(table(out), table("whole"));
  }
}

TEST_F(PredictRun, ReaderThatLeavesStopsTheRunWithWhatIsFinishedKept) {
  const ProcessResult result = run_mcvol_without_reader(arguments("out", {"--print", "jsonl"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "stdout")) << result.err;
  EXPECT_TRUE(fs::exists(root_ / "out" / "cases" / "case_a.json"));
  EXPECT_FALSE(fs::exists(root_ / "out" / "cases" / "case_c.json"));
}

TEST_F(PredictRun, MemoryDoesNotChangeAByteWhereTheWindowIsFixed) {
  predict("much");
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
  write_file_atomically(root_ / "scans" / "case_b" / "case_b_t1.nii.gz", "not gzip");
  const ProcessResult result = predict("out");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_TRUE(contains(result.err, "error: case_b: ")) << result.err;
  EXPECT_TRUE(contains(table("out"), "\ncase_c,whole_tumour,")) << table("out");
}

TEST_F(PredictRun, InspectPrintsDropoutAndWhereTheSplitFell) {
  const ProcessResult result = run_mcvol({"inspect", (root_ / "model").string(), "--json"});
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
  const auto facts =
      nlohmann::json::parse(run_mcvol({"inspect", (root_ / "model").string(), "--json"}).out);
  EXPECT_EQ(facts["networks"], 1);
  EXPECT_EQ(facts["window"],
            nlohmann::json::parse(R"({"input": [16, 16, 16], "output": [16, 16, 16],
                                      "overlap": 0.0, "blend": "none", "flexible": false})"));
  EXPECT_GE(facts["work"]["passes_per_batch"], 1);
  EXPECT_GT(facts["work"]["memory_of_window_and_pass_bytes"], 0);
  const std::string text = run_mcvol({"inspect", (root_ / "model").string()}).out;
  EXPECT_TRUE(contains(text, "\nnetworks: 1\nwindow: \n  input: 16, 16, 16\n")) << text;
  EXPECT_TRUE(contains(text, "\n  blend: none\n  flexible: no\n")) << text;
  EXPECT_TRUE(contains(text, "iB\n")) << text;
}

}  // namespace
}  // namespace mcvol::testing

#include "mcvol/io/records/run_file.h"

#include <functional>

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing_support;
using nlohmann::json;

RunFile example() {
  RunFile run;
  run.state = RunFile::State::kInterrupted;
  run.found = 10;
  run.done = 6;
  run.failed = 1;
  run.version = "0.1.0";
  run.commit = "abc";
  run.libraries = {{"libtorch", "2.11.0"}};
  run.model = {{"name", "deepmedic"}, {"spacing", 0.1}};
  run.model_sha256 = std::string(64, 'b');
  run.options = {{"passes", 20}};
  run.levels = {"0.9", "0.95"};
  run.merged_from = {"1-of-2", "2-of-2"};
  run.identity = {{"seed", 18446744073709551615u}};
  run.device = "cpu";
  run.timings_s = {{"network", 1.0 / 3.0}};
  run.batch = {{"scans", 80}, {"calibration_scans", 300}, {"p_value", 0.1 / 3}};
  run.batch["differences"] = {{{"number", "noise (flair)"}, {"scatter", false}, {"z", -5.5}}};
  run.started = "2026-01-01T00:00:00Z";
  run.ended = "2026-01-01T01:00:00Z";
  return run;
}

std::string message_after(const std::function<void(json&)>& change) {
  const TemporaryFolder temporary;
  write_run_file(example(), temporary.path());
  const auto path = temporary.path() / "run.json";
  json whole = json::parse(text_of_file(path));
  change(whole);
  write_text(path, whole.dump());
  return message_from([&] { read_run_file(temporary.path()); });
}

TEST(RunFile, ComesBackAsItWasWritten) {
  const TemporaryFolder temporary;
  const RunFile run = example();
  write_run_file(run, temporary.path());
  const RunFile back = read_run_file(temporary.path()).value();
  EXPECT_EQ(back.state, run.state);
  EXPECT_EQ(back.found, run.found);
  EXPECT_EQ(back.done, run.done);
  EXPECT_EQ(back.failed, run.failed);
  EXPECT_EQ(back.version, run.version);
  EXPECT_EQ(back.commit, run.commit);
  EXPECT_EQ(back.libraries, run.libraries);
  EXPECT_EQ(back.model, run.model);
  EXPECT_EQ(back.model_sha256, run.model_sha256);
  EXPECT_EQ(back.options, run.options);
  EXPECT_EQ(back.levels, run.levels);
  EXPECT_EQ(back.merged_from, run.merged_from);
  EXPECT_EQ(back.identity, run.identity);
  EXPECT_EQ(back.device, run.device);
  EXPECT_EQ(back.timings_s, run.timings_s);
  EXPECT_EQ(back.batch, run.batch);
  EXPECT_EQ(back.started, run.started);
  EXPECT_EQ(back.ended, run.ended);
}

TEST(RunFile, IsReadableText) {
  const TemporaryFolder temporary;
  write_run_file(example(), temporary.path());
  const std::string text = text_of_file(temporary.path() / "run.json");
  EXPECT_EQ(text.rfind("{\n  \"format\": 1,\n  \"state\": \"interrupted\",\n  \"found\": 10,\n", 0),
            0u);
  EXPECT_EQ(text.substr(text.size() - 6), "  }\n}\n");
}

TEST(RunFile, FreshlyMadeCanBeWrittenAndRead) {
  const TemporaryFolder temporary;
  write_run_file(RunFile(), temporary.path());
  EXPECT_EQ(read_run_file(temporary.path())->state, RunFile::State::kRunning);
}

TEST(RunFile, IsNoneWhereThereIsNone) {
  const TemporaryFolder temporary;
  EXPECT_FALSE(read_run_file(temporary.path()));
  EXPECT_FALSE(read_run_file(temporary.path() / "missing"));
}

TEST(RunFile, DamageIsNamedWithWhatToDo) {
  const std::string advice = "; move it away and start again with --fresh, or use another --out";
  for (const auto& [change, part] : std::vector<std::pair<std::function<void(json&)>, std::string>>{
           {[](json& whole) { whole["state"] = "asleep"; }, "state: "},
           {[](json& whole) { whole["found"] = -1; }, "found: "},
           {[](json& whole) { whole["batch"]["scans"] = 0; }, "batch.scans: "},
           {[](json& whole) { whole["batch"]["p_value"] = 0; }, "batch.p_value: "},
           {[](json& whole) { whole["batch"]["differences"][0].erase("z"); },
            "batch.differences: "},
           {[](json& whole) { whole.erase("identity"); }, "identity"},
           {[](json& whole) { whole["identity"] = 3; }, "identity: "},
           {[](json& whole) { whole["levels"][0] = 0.9; }, "levels: "},
           {[](json& whole) { whole["format"] = 0; }, "format: "},
           {[](json& whole) { whole["extra"] = 0; }, "extra"},
           {[](json& whole) { whole["model"]["name"] = 3; }, "model.name: "},
           {[](json& whole) { whole["model"]["channels"] = {"t1"}; }, "model.channels[0]: "},
           {[](json& whole) {
              whole["model"]["output"]["labels"] = {0, 1e300};
            },
            "model.output.labels: expected whole numbers from 0 or null, found 1e+300"},
           {[](json& whole) {
              whole["model"]["output"]["labels"] = {0, 1};
              whole["model"]["regions"] = {{{"name", "whole"}, {"outputs", {2}}}};
            },
            "model.regions[0].outputs: expected numbers of outputs with labels (2), found 2"},
           {[](json& whole) { whole = json::array(); }, "expected a JSON object"}}) {
    const std::string message = message_after(change);
    expect_part(message, "run.json: damaged: ");
    expect_part(message, part);
    expect_part(message, advice);
  }
}

TEST(RunFile, TruncatedFileIsDamaged) {
  const TemporaryFolder temporary;
  write_run_file(example(), temporary.path());
  const auto path = temporary.path() / "run.json";
  write_text(path, text_of_file(path).substr(0, 100));
  const std::string message = message_from([&] { read_run_file(temporary.path()); });
  expect_part(message, "run.json, line ");
  expect_part(message, ": not valid JSON; move it away");
}

TEST(RunFile, NewerFormatSaysUpdate) {
  expect_part(message_after([](json& whole) {
                whole["format"] = 2;
                whole["extra"] = 1;
              }),
              "run.json: format: 2 is newer than this mcvol reads (1); update mcvol");
}

}  // namespace
}  // namespace mcvol

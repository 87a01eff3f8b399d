#include "mcvol/files/text_file.h"
#include "mcvol/image/image.h"
#include "mcvol/io/images/image_file.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "cli/process.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>

// The results of an ensemble with blended windows, byte for byte, however the run is done.

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t kSize = 32;
constexpr int kPasses = 96;

/// A cube without background: every voxel is measured.
void write_cube(const fs::path& folder, const std::string& case_id, std::uint32_t seed) {
  Grid grid;
  grid.size = {kSize, kSize, kSize};
  for (const char* channel : {"t1", "flair"}) {
    Image<float> image(grid);
    for (float& value : image.values) {
      seed = seed * 1664525u + 1013904223u;
      value = static_cast<float>(100 + (seed >> 8) % 50);
    }
    fs::create_directories(folder);
    write_image(folder / (case_id + "_" + channel + ".nii.gz"), image);
  }
}

#ifdef MCVOL_MAKE_TINY_BUNDLE
/// Three networks, with windows that overlap by half.
void make_blended_ensemble(const fs::path& folder) {
  json networks;
  for (const auto& [network, seed] :
       {std::pair("spatial", "1"), std::pair("skinny", "2"), std::pair("pointwise", "3")}) {
    const ProcessResult made =
        run_program(MCVOL_MAKE_TINY_BUNDLE, {folder.string(), network, seed});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    json entry = json::parse(read_file(folder / "model.json"))["networks"][0];
    entry["file"] = std::string(network) + ".pt";
    fs::rename(folder / "network.pt", folder / entry["file"]);
    networks.push_back(entry);
  }
  json model = json::parse(read_file(folder / "model.json"));
  model["networks"] = networks;
  model["window"]["overlap"] = 0.5;
  model["window"]["blend"] = "gaussian";
  write_file_atomically(folder / "model.json", model.dump(2));
}
#endif

class SameBytes : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef MCVOL_MAKE_TINY_BUNDLE
    ASSERT_NO_FATAL_FAILURE(make_blended_ensemble(root_ / "model"));
#else
    GTEST_SKIP() << "no make_tiny_bundle in this build";
#endif
    write_cube(root_ / "scans" / "case_a", "case_a", 1);
    write_cube(root_ / "scans" / "case_b", "case_b", 2);
    predict("reference", {"--threads", "1", "--memory", "4G"});
    ASSERT_EQ(results("reference").size(), 3u);
  }

  std::vector<std::string> arguments(const std::string& out,
                                     const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{
        "predict", (root_ / "scans").string(), "--model",  (root_ / "model").string(),
        "--out",   (root_ / out).string(),     "--device", "cpu"};
    const bool counts = std::find(more.begin(), more.end(), "--passes") != more.end();
    if (!counts) arguments.insert(arguments.end(), {"--passes", std::to_string(kPasses)});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  void predict(const std::string& out, const std::vector<std::string>& more) const {
    const ProcessResult result = run_mcvol(arguments(out, more));
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  /// The bytes of the table and of each case's record.
  std::map<std::string, std::string> results(const std::string& out) const {
    std::map<std::string, std::string> bytes{
        {"volumes.csv", read_file(root_ / out / "volumes.csv")}};
    for (const auto& entry : fs::directory_iterator(root_ / out / "cases")) {
      bytes[entry.path().filename().string()] = read_file(entry.path());
    }
    return bytes;
  }
  void expect_reference_in(const std::string& out,
                           const std::string& reference = "reference") const {
    const auto expected = results(reference);
    const auto found = results(out);
    for (const auto& [file, bytes] : expected) {
      ASSERT_TRUE(found.contains(file)) << out << " has no " << file;
      EXPECT_TRUE(found.at(file) == bytes) << out << "/" << file << " differs";
    }
    EXPECT_EQ(found.size(), expected.size());
  }

  fs::path root_ = fresh_folder("same");
};

TEST_F(SameBytes, OnAnyThreads) {
  for (const char* threads : {"2", "3"}) {
    const std::string out = std::string("threads_") + threads;
    predict(out, {"--threads", threads});
    expect_reference_in(out);
  }
}

// 64 MiB hold the sums of a part of the passes only: the windows are run twice.
TEST_F(SameBytes, WhereTheMemoryHoldsAllPassesAndWhereItDoesNot) {
  const ProcessResult inspected = run_mcvol({"inspect", (root_ / "model").string(), "--json"});
  ASSERT_EQ(inspected.exit_code, 0) << inspected.err;
  const std::int64_t window = json::parse(inspected.out)["work"]["memory_of_window_and_pass_bytes"];
  constexpr std::int64_t kChannels = 3;
  const std::int64_t sums_of_a_pass = 8 * kSize * kSize * kSize * kChannels;
  ASSERT_LT((std::int64_t{64} << 20) - window, kPasses * sums_of_a_pass * 9 / 10);
  predict("little", {"--threads", "2", "--memory", "64M"});
  expect_reference_in("little");
}

TEST_F(SameBytes, OfPassesUntilSettledAndOfTheirNumber) {
  const std::vector<std::string> settled{"--passes", "auto", "--mc-tolerance", "0.016"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), settled.begin(), settled.end());
    return more;
  };
  predict("settled", with({"--threads", "1"}));
  predict("little", with({"--threads", "3", "--memory", "64M"}));
  expect_reference_in("little", "settled");
  predict("parts", with({"--shard", "1/2"}));
  predict("parts", with({"--shard", "2/2", "--threads", "2"}));
  const std::string parts = (root_ / "parts").string();
  EXPECT_EQ(run_mcvol({"merge", parts, "--out", parts}).exit_code, 0);
  expect_reference_in("parts", "settled");
  for (const char* moment : {"1/2 case_a", "2/2 case_b"}) {
    const std::string out = std::string("resumed_at_") + moment[0];
    const ProcessResult killed =
        signal_mcvol(arguments(out, with({"--threads", "1", "--verbose"})), SIGKILL, moment);
    EXPECT_EQ(killed.exit_code, -SIGKILL) << killed.err;
    predict(out, with({"--threads", "2"}));
    expect_reference_in(out, "settled");
  }
  for (const char* case_id : {"case_a", "case_b"}) {
    const std::string file = std::string("cases/") + case_id + ".json";
    json found = json::parse(read_file(root_ / "settled" / file));
    const int passes = found["passes"];
    EXPECT_GT(passes, 21);
    EXPECT_LT(passes, 320);
    const std::string out = "fixed_" + std::to_string(passes);
    predict(out, {"--passes", std::to_string(passes)});
    json expected = json::parse(read_file(root_ / out / file));
    EXPECT_NE(found["run_identity"], expected["run_identity"]);
    found["run_identity"] = expected["run_identity"];
    EXPECT_TRUE(found == expected) << file;
  }
}

TEST_F(SameBytes, InShardsThatAreMerged) {
  predict("parts", {"--shard", "1/2", "--memory", "64M"});
  predict("parts", {"--shard", "2/2", "--threads", "2"});
  const std::string parts = (root_ / "parts").string();
  const ProcessResult merged = run_mcvol({"merge", parts, "--out", parts});
  EXPECT_EQ(merged.exit_code, 0) << merged.err;
  expect_reference_in("parts");
}

TEST_F(SameBytes, WhereASecondRunDoesWhatAKilledOneLeft) {
  const ProcessResult killed =
      signal_mcvol(arguments("resumed", {"--threads", "1", "--verbose"}), SIGKILL, "2/2 case_b");
  EXPECT_EQ(killed.exit_code, -SIGKILL) << killed.err;
  EXPECT_FALSE(fs::exists(root_ / "resumed" / "cases" / "case_b.json"));
  const ProcessResult second =
      run_mcvol(arguments("resumed", {"--threads", "3", "--memory", "64M", "--verbose"}));
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_NE(second.err.find("(1 before)"), std::string::npos) << second.err;
  expect_reference_in("resumed");
}

}  // namespace
}  // namespace mcvol::testing

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
constexpr int kPassesOfARun = 96;

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

#ifdef MCVOL_TINY_BUNDLES
/// Of three networks that the build made, with windows that overlap by half.
void make_blended_ensemble(const fs::path& folder) {
  json networks;
  json model;
  fs::create_directories(folder);
  for (const char* network : {"spatial", "skinny", "pointwise"}) {
    const fs::path bundle = fs::path(MCVOL_TINY_BUNDLES) / network;
    model = json::parse(read_file(bundle / "model.json"));
    json entry = model["networks"][0];
    entry["file"] = std::string(network) + ".pt";
    fs::copy_file(bundle / "network.pt", folder / entry["file"]);
    networks.push_back(entry);
  }
  model["networks"] = networks;
  model["requires"] = json::array();  // The cubes fill their images.
  model["window"]["overlap"] = 0.5;
  model["window"]["blend"] = "gaussian";
  write_file_atomically(folder / "model.json", model.dump(2));
}
#endif

/// The ensemble, two scans and a first run on them are made once for all tests.
class SameBytes : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
#ifdef MCVOL_TINY_BUNDLES
    root_ = fresh_folder("same");
    make_blended_ensemble(root_ / "model");
    write_cube(root_ / "scans" / "case_a", "case_a", 1);
    write_cube(root_ / "scans" / "case_b", "case_b", 2);
    predict("reference", {"--threads", "1", "--memory", "4G"});
#endif
  }
  void SetUp() override {
#ifdef MCVOL_TINY_BUNDLES
    ASSERT_EQ(results("reference").size(), 3u);
#else
    GTEST_SKIP() << "no make_tiny_bundle in this build";
#endif
  }

  static std::vector<std::string> arguments(const std::string& out,
                                            const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "predict", (root_ / "scans").string(), "--model",  (root_ / "model").string(),
        "--out",   (root_ / out).string(),     "--device", "cpu"};
    const bool counts = std::find(more.begin(), more.end(), "--passes") != more.end();
    if (!counts) arguments.insert(arguments.end(), {"--passes", std::to_string(kPassesOfARun)});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static void predict(const std::string& out, const std::vector<std::string>& more) {
    const ProcessResult result = run_mcvol(arguments(out, more));
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  /// The bytes of the table and of each case's record.
  static std::map<std::string, std::string> results(const std::string& out) {
    std::map<std::string, std::string> bytes{
        {"volumes.csv", read_file(root_ / out / "volumes.csv")}};
    for (const auto& entry : fs::directory_iterator(root_ / out / "cases")) {
      bytes[entry.path().filename().string()] = read_file(entry.path());
    }
    return bytes;
  }
  static void expect_reference_in(const std::string& out,
                                  const std::string& reference = "reference") {
    const auto expected = results(reference);
    const auto found = results(out);
    for (const auto& [file, bytes] : expected) {
      ASSERT_TRUE(found.contains(file)) << out << " has no " << file;
      EXPECT_TRUE(found.at(file) == bytes) << out << "/" << file << " differs";
    }
    EXPECT_EQ(found.size(), expected.size());
  }

  /// Runs the same command into `out`, killed where it has just recorded `case_id`.
  static void predict_killed_after(const std::string& case_id, const std::string& out,
                                   std::vector<std::string> more,
                                   const std::string& reference = "reference") {
    more.insert(more.end(), {"--print", "csv"});
    const std::size_t room = bytes_before(case_id, results(reference).at("volumes.csv"));
    const ProcessResult killed =
        signal_held_mcvol(arguments(out, more), SIGKILL, " " + case_id + ": ", room);
    EXPECT_EQ(killed.exit_code, -SIGKILL) << killed.err;
    EXPECT_TRUE(fs::exists(root_ / out / "cases" / (case_id + ".json")));
  }

  static inline fs::path root_;
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
  ASSERT_LT((std::int64_t{64} << 20) - window, kPassesOfARun * sums_of_a_pass * 9 / 10);
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
  predict("settled_little", with({"--threads", "3", "--memory", "64M"}));
  expect_reference_in("settled_little", "settled");
  for (const char* case_id : {"case_a", "case_b"}) {
    const std::string out = std::string("resumed_after_") + case_id;
    predict_killed_after(case_id, out, with({"--threads", "1"}), "settled");
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
  predict_killed_after("case_a", "resumed", {"--threads", "1"});
  EXPECT_FALSE(fs::exists(root_ / "resumed" / "cases" / "case_b.json"));
  const ProcessResult second =
      run_mcvol(arguments("resumed", {"--threads", "3", "--memory", "64M", "--verbose"}));
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_NE(second.err.find("(1 before)"), std::string::npos) << second.err;
  expect_reference_in("resumed");
}

}  // namespace
}  // namespace mcvol::testing

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

TEST_F(Predict, MemoryReachesTheNetworkAndIsFreeWhereTheWindowIsFixed) {
  PredictOptions wanted = options();
  wanted.memory_bytes = std::int64_t{1} << 30;
  run(wanted);
  EXPECT_EQ(memory_bytes_, wanted.memory_bytes);
  const std::string before = table();
  wanted.memory_bytes *= 2;
  EXPECT_EQ(run(wanted).kept, 3);
  EXPECT_EQ(table(), before);
  EXPECT_EQ(run_file().options["memory_bytes"], std::int64_t{2} << 30);
}

TEST_F(Predict, RunFileHoldsTheBundlesWindowUnlessThatIsFlexible) {
  behaviour_->window = {16, 16, 24};
  run(options());
  EXPECT_EQ(run_file().options["window"],
            nlohmann::json::parse(R"({"input": [8, 8, 8], "output": [8, 8, 8]})"));
}

class FlexibleWindow : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    testing::write_fake_bundle(root_ / "model",
                               [](nlohmann::json& model) { model["window"]["flexible"] = true; });
    behaviour_->window = {16, 16, 24};
  }
  static nlohmann::json window_of(const std::array<std::int64_t, 3>& size) {
    return {{"input", size}, {"output", size}};
  }
};

TEST_F(FlexibleWindow, InUseIsHeldByTheRunFileAndKeptWhereNothingIsMeasured) {
  run(options());
  EXPECT_EQ(run_file().options["window"], window_of({16, 16, 24}));
  EXPECT_EQ(run(options()).kept, 3);
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_EQ(run_file().options["window"], window_of({16, 16, 24}));
}

TEST_F(FlexibleWindow, IsUnknownWhereNoNetworkWasEverLoaded) {
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    fs::remove(root_ / "scans" / case_id / (std::string(case_id) + "_t1.nii.gz"));
  }
  run(options());
  EXPECT_EQ(behaviour_->loads, 0);
  EXPECT_TRUE(run_file().options["window"].is_null());
}

TEST_F(FlexibleWindow, OtherMemoryInTheSameFolderIsRefusedNamingIt) {
  run(options());
  PredictOptions other = options();
  other.memory_bytes *= 2;
  try {
    run(other);
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              (root_ / "out").string() +
                  ": its results were made with window.memory_bytes 4294967296, this run has "
                  "8589934592; use another --out, or --fresh to start again");
  }
  other.fresh = true;
  EXPECT_EQ(run(other).measured, 3);
  EXPECT_EQ(memory_bytes_, other.memory_bytes);
}

// Another version may find that the same network needs more memory.
TEST_F(FlexibleWindow, AnotherWindowForTheSameMemoryIsRefusedWhereResultsAreKept) {
  run(options());
  fs::remove(root_ / "out" / "cases" / "case_b.json");
  behaviour_->window = {16, 16, 16};
  try {
    run(options());
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("[16,16,24]"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("[16,16,16]"), std::string::npos) << error.what();
  }
  EXPECT_EQ(run_file().options["window"], window_of({16, 16, 24}));
}

}  // namespace
}  // namespace mcvol

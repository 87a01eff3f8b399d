// The whole program on a real scan with a real network, against figures of an independent
// implementation. Minutes long, and skipped without MCVOL_DEEPMEDIC.
#include "mcvol/io/records/case_record.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "cli/process.h"
#include "pipeline/fake_bundle.h"
#include "support/shared_files.h"
#include <gtest/gtest.h>

namespace mcvol::testing {
namespace {

constexpr int kPasses = 20;

class RealScan : public ::testing::Test {
 protected:
  void SetUp() override {
    shared_ = shared_folder();
    model_ = folder_from("MCVOL_DEEPMEDIC", "");
    if (!shared_) GTEST_SKIP() << "MCVOL_SHARED names no folder";
    if (!model_) {
      GTEST_SKIP() << "MCVOL_DEEPMEDIC names no bundle; scripts/import_deepmedic.py makes one";
    }
  }

  CaseRecord measure(const std::string& scope) const {
    const auto out = fresh_folder("real_scan_" + scope);
    const ProcessResult result =
        run_mcvol({"predict", (*shared_ / "data/brats2021_00006").string(), "--model",
                   model_->string(), "--out", out.string(), "--device", "cpu", "--scope", scope,
                   "--passes", std::to_string(kPasses), "--quiet"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return read_case_record(out, "BraTS2021_00006");
  }

  std::optional<std::filesystem::path> shared_, model_;
};

double segmented_ml(const CaseRecord& record, std::size_t region) {
  return static_cast<double>(record.regions.at(region).mean.above_half()) *
         record.grid.voxel_volume_ml();
}

// Of the volumes of voxels with p > 0.5, pass by pass; divisor n - 1.
double sd_over_passes_ml(const CaseRecord& record, std::size_t region) {
  std::vector<double> volumes;
  for (const LogitHistogram& pass : record.regions.at(region).passes) {
    volumes.push_back(static_cast<double>(pass.above_half()) * record.grid.voxel_volume_ml());
  }
  double sum = 0, squares = 0;
  for (const double volume : volumes) sum += volume;
  const double mean = sum / static_cast<double>(volumes.size());
  for (const double volume : volumes) squares += (volume - mean) * (volume - mean);
  const double sd = std::sqrt(squares / static_cast<double>(volumes.size() - 1));
  ::testing::Test::RecordProperty("mean_ml_" + std::to_string(region), std::to_string(mean));
  ::testing::Test::RecordProperty("sd_ml_" + std::to_string(region), std::to_string(sd));
  return sd;
}

TEST_F(RealScan, ElementMasksGiveTheReferenceVolumesAndHardlyVary) {
  const CaseRecord record = measure("element");
  ASSERT_EQ(record.regions.size(), 3u);
  EXPECT_NEAR(segmented_ml(record, 0), 136.4, 0.3);
  EXPECT_NEAR(segmented_ml(record, 1), 56.1, 0.3);
  EXPECT_NEAR(segmented_ml(record, 2), 28.2, 0.3);
  EXPECT_LT(sd_over_passes_ml(record, 0), 0.15);
}

TEST_F(RealScan, ChannelMasksVaryByMillilitres) {
  const CaseRecord record = measure("channel");
  ASSERT_EQ(record.regions.size(), 3u);
  const double sd_ml = sd_over_passes_ml(record, 0);
  EXPECT_GT(sd_ml, 1.0);
  EXPECT_LT(sd_ml, 4.0);
}

}  // namespace
}  // namespace mcvol::testing

#pragma once

#include "mcvol/error/error.h"
#include "mcvol/network/segmenter/segmenter.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "network/device/device.h"
#include <gtest/gtest.h>

namespace mcvol::testing {

/// What a GPU gives is what the CPU gives. Skipped, visibly, where there is none; with
/// MCVOL_REQUIRE_GPU set a GPU that cannot be used, or kernels that do not compile, are a failure.
class OnTheGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      device_ = choose_device("cuda").device;
    } catch (const Error& error) {
      if (std::getenv("MCVOL_REQUIRE_GPU") != nullptr) FAIL() << error.what();
      GTEST_SKIP() << error.what();
    }
  }

  c10::Device device_{c10::kCPU};
};

/// Keeps the sums of a scan.
class SumsSink final : public LogitSink {
 public:
  void accept(const LogitBlock&) override { ADD_FAILURE() << "blocks where sums were expected"; }
  bool takes_sums() const override { return true; }
  void accept(const LogitSums& sums) override {
    histograms.assign(sums.histograms.begin(), sums.histograms.end());
    means.assign(sums.means.begin(), sums.means.end());
    given = sums.of_voxels;
    const std::int64_t count = static_cast<std::int64_t>(sums.means.size()) * sums.voxels;
    probabilities.assign(given.probabilities.get(), given.probabilities.get() + count);
    above_half.assign(given.above_half.get(), given.above_half.get() + count);
  }
  VoxelSums earlier_sums() const override { return given; }

  std::vector<LogitHistogram> histograms, means;
  std::vector<std::int64_t> probabilities;
  std::vector<std::int32_t> above_half;
  VoxelSums given;
};

}  // namespace mcvol::testing

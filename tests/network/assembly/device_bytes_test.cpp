// What is set aside on a GPU, against what is taken there.

#include <cstdint>
#include <vector>

#include "network/assembly/device_sums.h"
#include "network/assembly/window_assembly.h"
#include "network/device/gpu_fixture.h"
#include "network/memory/memory_probe.h"
#include "network/rewrites/device_constants.h"
#include "network/support/scripted_graph.h"
#include "network/support/segmenter_fixtures.h"
#include "network/windows/scan_windows.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::OnTheGpu;

/// Blocks of an allocator are larger than what is asked for.
void expect_close_above(std::int64_t set_aside, std::int64_t taken) {
  EXPECT_GE(set_aside, taken);
  EXPECT_LE(set_aside, taken + taken / 50 + (1 << 14));
}

// Its tensors are of the same sizes wherever they are.
TEST(DeviceBytes, OfSumsAreWhatTheyTake) {
  for (const auto& [regions, voxels, passes] :
       std::vector<std::array<int, 3>>{{3, 50000, 21}, {1, 1000, 2}, {2, 70001, 320}}) {
    const std::int64_t taken =
        peak_bytes(at::kCPU, [&, regions = regions, voxels = voxels, passes = passes] {
          const DeviceSums sums(at::kCPU, regions, voxels, passes - 1, passes);
          // As give() makes beside them.
          const at::Tensor means = at::zeros({regions, 2, 256}, at::kLong);
        });
    expect_close_above(DeviceSums::bytes(regions, voxels, passes), taken);
  }
}

TEST(DeviceBytes, OfConstantsAreThoseOfTheirPrecision) {
  const auto graph =
      testing::scripted_graph("x, w, i", "torch.index_select(torch.conv3d(x, w), 1, i)",
                              {at::zeros({4, 2, 3, 3, 3}), at::zeros({5}, at::kLong)});
  EXPECT_EQ(constant_bytes(*graph, at::kFloat), 4 * 4 * 2 * 27 + 5 * 8);
  EXPECT_EQ(constant_bytes(*graph, at::kHalf), 2 * 4 * 2 * 27 + 5 * 8);
}

TEST_F(OnTheGpu, TheBytesOfAScanAreWhatItsWindowsKeepThere) {
  const PreparedScan scan = testing::random_scan({61, 50, 43}, 1);
  const Bundle bundle = testing::tiny_bundle({testing::spatial_network()});
  const WindowPlan plan(scan.measured, bundle.window, bundle.axes);
  std::unique_ptr<ScanWindows> windows;
  const auto free_before = at::empty({1}, at::TensorOptions().device(device_));
  std::int64_t kept = 0;
  // What was made on the way is given back before the end.
  const std::int64_t peak = peak_bytes(device_, [&] {
    windows = scan_windows(scan, plan, bundle.axes, bundle.window.padding, device_);
    kept = device_scan_bytes(scan);
  });
  EXPECT_GE(peak, kept);
  EXPECT_LE(peak, 3 * kept + (1 << 16));
}

}  // namespace
}  // namespace mcvol

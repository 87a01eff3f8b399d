#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/network/bundle/bundle.h"

#include <memory>

#include "window_plan.h"
#include <ATen/ATen.h>

namespace mcvol {

/// One window of a scan, on the network's device.
struct WindowData {
  at::Tensor image;         ///< what the network reads: fp32 [1, channels, d0, d1, d2]
  at::Tensor voxels;        ///< int64 [n]: positions in the list of measured voxels
  at::Tensor tile_offsets;  ///< int64 [n]: where they lie in the output [d0, d1, d2]
};

/// The windows of a scan: cut out on the host, or of a scan that has been moved to a device whole.
class ScanWindows {
 public:
  virtual ~ScanWindows() = default;
  virtual WindowData cut(const Window& window) const = 0;
};

/// What they keep of a scan on a device, in bytes: the channels and the numbers of its voxels.
std::int64_t device_scan_bytes(const PreparedScan& scan);

/// @param scan, plan must outlive it. @param window gives sizes and padding.
std::unique_ptr<ScanWindows> scan_windows(const PreparedScan& scan, const WindowPlan& plan,
                                          const std::array<int, 3>& axes,
                                          Bundle::Window::Padding padding, c10::Device device);

}  // namespace mcvol

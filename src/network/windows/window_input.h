#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/network/bundle/bundle.h"

#include <array>

#include "window_plan.h"
#include <ATen/ATen.h>

namespace mcvol {

/// What the network reads for a window: [1, channels, d0, d1, d2] fp32 on the CPU, dimension d
/// along image axis axes[d]; outside the image 0, or the nearest voxel, as `padding` says.
at::Tensor window_input(const PreparedScan& scan, const WindowPlan& plan, const Window& window,
                        const std::array<int, 3>& axes, Bundle::Window::Padding padding);

}  // namespace mcvol

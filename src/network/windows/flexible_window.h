#pragma once

#include "mcvol/network/bundle/bundle.h"

#include <cstdint>

namespace mcvol {

/// The largest window that a flexible one may grow to: output a whole multiple of the bundle's
/// along each dimension (what its strides divide, they divide still), at most 192 voxels or the
/// bundle's own size, the margin as it is. Of equally large ones the most cubic.
/// @param window_bytes working memory of the bundle's own window, taken to grow with its input.
/// @param memory_bytes what the grown window may take; the bundle's own window is always allowed.
Bundle::Window grown_window(const Bundle::Window& window, std::int64_t window_bytes,
                            std::int64_t memory_bytes);

}  // namespace mcvol

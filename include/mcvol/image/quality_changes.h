#pragma once

#include "mcvol/image/image_quality.h"

#include <cstddef>

namespace mcvol {

// What image_quality() would be of a scan that differs in one way, without looking at it again: to
// ask whether a scan's numbers fit better that way. Up to rounding, and to which voxels of a large
// brain are looked at.

/// With two channels under each other's name. What they tell of the first channel is not known
/// where that is one of them.
ImageQuality with_channels_exchanged(const ImageQuality& quality, std::size_t a, std::size_t b);

/// With an axis that runs the other way.
ImageQuality with_axis_reversed(const ImageQuality& quality, std::size_t axis);

/// With two axes exchanged.
ImageQuality with_axes_exchanged(const ImageQuality& quality, std::size_t a, std::size_t b);

}  // namespace mcvol

#pragma once

#include "mcvol/image/image_quality.h"

#include "brain_sample.h"

namespace mcvol {

/// @param scan what `sample` is of.
BrainShape brain_shape(const PreparedScan& scan, const BrainSample& sample);

}  // namespace mcvol

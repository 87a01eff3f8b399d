#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/io/records/thumbnail.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace mcvol::testing {

/// Of a region, at each voxel.
using Logit = std::function<float(std::int64_t i, std::int64_t j, std::int64_t k, int region)>;

/// All of it brain and measured, with two channels of 0.
PreparedScan scan_on(const Grid& grid);

/// Of one pass with two regions, on channel 1 of the scan.
Thumbnail slices_of(const PreparedScan& scan, const Logit& logit);

std::vector<ThumbnailSlice> slices_along(Plane plane, const Thumbnail& thumbnail);

}  // namespace mcvol::testing

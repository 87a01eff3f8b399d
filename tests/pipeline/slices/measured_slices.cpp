#include "pipeline/slices/measured_slices.h"

#include "mcvol/pipeline/thumbnail_slice.h"

#include <cstddef>

namespace mcvol::testing {

namespace {

std::vector<float> brain_values(const PreparedScan& scan, std::size_t channel) {
  std::vector<float> values;
  for (std::size_t n = 0; n < scan.brain.values.size(); ++n) {
    if (scan.brain.values[n] != 0) values.push_back(scan.channels[channel].values[n]);
  }
  return values;
}

}  // namespace

PreparedScan scan_on(const Grid& grid) {
  PreparedScan scan;
  scan.grid = grid;
  scan.brain = scan.measured = Image<std::uint8_t>(scan.grid, 1);
  scan.channels = {Image<float>(scan.grid), Image<float>(scan.grid)};
  return scan;
}

Thumbnail slices_of(const PreparedScan& scan, const Logit& logit) {
  std::vector<std::int64_t> voxels;
  std::vector<float> logits;
  for (int region = 0; region < 2; ++region) {
    for (std::int64_t k = 0; k < scan.grid.size[2]; ++k) {
      for (std::int64_t j = 0; j < scan.grid.size[1]; ++j) {
        for (std::int64_t i = 0; i < scan.grid.size[0]; ++i) {
          if (scan.measured.at(i, j, k) == 0) continue;
          if (region == 0) voxels.push_back(static_cast<std::int64_t>(voxels.size()));
          logits.push_back(logit(i, j, k, region));
        }
      }
    }
  }
  HistogramSink sink({"whole", "core"}, static_cast<std::int64_t>(voxels.size()), 1, 0);
  sink.accept({voxels, 0, 1, 2, logits});
  sink.finish();
  return thumbnail_of(scan, {{1}, {0, 0}}, {brain_values(scan, 1)}, sink);
}

std::vector<ThumbnailSlice> slices_along(Plane plane, const Thumbnail& thumbnail) {
  std::vector<ThumbnailSlice> slices;
  for (const ThumbnailSlice& slice : thumbnail.slices) {
    if (slice.plane == plane) slices.push_back(slice);
  }
  return slices;
}

}  // namespace mcvol::testing

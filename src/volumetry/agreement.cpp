#include "mcvol/volumetry/agreement.h"

#include "mcvol/error/error.h"

#include <algorithm>

namespace mcvol {

std::optional<double> generalised_dice(std::span<const std::int64_t> voxels_by_count) {
  const bool negative = std::any_of(voxels_by_count.begin(), voxels_by_count.end(),
                                    [](std::int64_t voxels) { return voxels < 0; });
  if (voxels_by_count.size() < 2 || negative) {
    throw Error("expected voxels by the number of passes, from none to all");
  }
  const auto passes = static_cast<double>(voxels_by_count.size() - 1);
  if (passes < 2) return std::nullopt;
  double pairs = 0, sizes = 0;  // of voxels: pairs of passes that share one, passes that have one
  for (std::size_t n = 1; n < voxels_by_count.size(); ++n) {
    const auto count = static_cast<double>(n), voxels = static_cast<double>(voxels_by_count[n]);
    pairs += count * (count - 1) / 2 * voxels;
    sizes += count * voxels;
  }
  if (sizes == 0) return 1.0;
  return 2 * pairs / ((passes - 1) * sizes);
}

}  // namespace mcvol

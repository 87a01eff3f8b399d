#include "case_record_json.h"

namespace mcvol {

void require_agreement_of_passes(const JsonFields& fields, const RegionRecord& region) {
  const std::vector<std::int64_t>& counts = region.agreement;
  const auto refuse_unless_equal = [&](std::int64_t found, std::int64_t expected,
                                       const std::string& what) {
    if (found == expected) return;
    fields.fail("agreement", "expected " + std::to_string(expected) + " " + what + ", found " +
                                 std::to_string(found));
  };
  refuse_unless_equal(std::ssize(counts), std::ssize(region.passes) + 1, "values");
  const std::int64_t voxels = region.mean.voxel_count();
  std::int64_t counted = 0, above_half = 0, of_passes = 0;
  for (std::size_t n = 0; n < counts.size(); ++n) {
    // Numbers that do not fit are not added up.
    if (counts[n] > voxels - counted) {
      fields.fail("agreement", "expected " + std::to_string(voxels) + " voxels, found more");
    }
    counted += counts[n];
    above_half += static_cast<std::int64_t>(n) * counts[n];
  }
  refuse_unless_equal(counted, voxels, "voxels");
  for (const LogitHistogram& pass : region.passes) of_passes += pass.above_half();
  refuse_unless_equal(above_half, of_passes, "times that a pass has a voxel above 0.5");
}

}  // namespace mcvol

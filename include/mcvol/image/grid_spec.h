#pragma once

#include <array>
#include <optional>
#include <string>

namespace mcvol {

/// The grid a network wants its scans on ("grid" in model.json).
struct GridSpec {
  enum class Interpolation { kLinear, kBspline, kNearest };

  /// Where the indices increase to, nibabel's letters ("LPS"). Oblique scans are permuted and
  /// flipped to the nearest such order, never rotated.
  std::string orientation = "LPS";
  /// Along the three indices of `orientation`; none: the scan's own.
  std::optional<std::array<double, 3>> spacing_mm;
  Interpolation interpolation = Interpolation::kLinear;
};

}  // namespace mcvol

#pragma once

#include <string>
#include <vector>

namespace mcvol {

/// Which images of a measured case are kept (--save), all on the scan's own grid.
struct MapChoice {
  bool segmentation = false;
  bool probability = false;
  bool bounds = false;  ///< made of the probability, which is kept with them

  bool any() const { return segmentation || probability || bounds; }

  /// @param words each one or several, with commas between: segmentation, probability, bounds.
  /// @throws UsageError naming --save and the word found.
  static MapChoice parse(const std::vector<std::string>& words);
};

}  // namespace mcvol

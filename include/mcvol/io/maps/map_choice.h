#pragma once

#include <array>
#include <string>
#include <vector>

namespace mcvol {

/// Which images of a measured case are kept (--save), all on the scan's own grid.
struct MapChoice {
  bool segmentation = false;
  bool probability = false;
  bool bounds = false;  ///< made of the probability, which is kept with them
  bool sd = false;
  bool agreement = false;
  bool labels = false;
  bool entropy = false;

  bool any() const;
  /// The words of what is chosen, with commas between.
  std::string text() const;

  /// @param words each one or several of kMapKinds, with commas between.
  /// @throws UsageError naming --save and the word found.
  static MapChoice parse(const std::vector<std::string>& words);
};

/// A kind of image, by its word of --save and in maps.json.
struct MapKind {
  const char* word;
  bool MapChoice::*chosen;
  bool of_probability;  ///< drawn from the regions' saved probability; else of passes only
};
inline constexpr std::array<MapKind, 7> kMapKinds{{{"segmentation", &MapChoice::segmentation, true},
                                                   {"probability", &MapChoice::probability, false},
                                                   {"bounds", &MapChoice::bounds, true},
                                                   {"sd", &MapChoice::sd, false},
                                                   {"agreement", &MapChoice::agreement, false},
                                                   {"labels", &MapChoice::labels, true},
                                                   {"entropy", &MapChoice::entropy, true}}};

}  // namespace mcvol

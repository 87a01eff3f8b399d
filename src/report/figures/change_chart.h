#pragma once

#include "mcvol/io/tables/change_table.h"
#include "mcvol/io/tables/volume_row.h"

#include <string>
#include <vector>

namespace mcvol {

/// A pair in one region: the change, and both volumes where they are known.
struct ComparedPair {
  const ChangeRow* change = nullptr;
  const VolumeRow* baseline = nullptr;  ///< may be null
  const VolumeRow* followup = nullptr;  ///< may be null
};

/// "+3.20 [1.10, 5.40]" in ml.
std::string change_text(const ChangeRow& row);

/// "growth 0.98, shrinkage 0.01"; empty where there are no probabilities.
std::string probability_text(const ChangeRow& row);

/// SVG pictures, one below the other: a row per pair with both volumes and their intervals on one
/// axis, the change and its interval on another. @param pairs of one region.
std::string change_chart(const std::string& title, const std::vector<ComparedPair>& pairs);

}  // namespace mcvol

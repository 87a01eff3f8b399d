#pragma once

#include "mcvol/io/volume_table.h"

#include <span>
#include <string>

namespace mcvol {

/// What a flag of volumes.csv says to whoever reads a page.
struct FlagMeaning {
  const char* flag;
  const char* meaning;
  bool reason_to_look;  ///< at the scan; others are about the whole table
};

/// The most telling first.
std::span<const FlagMeaning> flag_meanings();
/// The flag itself where it is of a later version.
std::string meaning_of(const std::string& flag);
/// Whether any flag of the row is a reason to look at the scan.
bool worth_a_look(const VolumeRow& row);

}  // namespace mcvol

#pragma once

#include "mcvol/io/tables/volume_row.h"

#include <cstddef>
#include <string>

namespace mcvol {

// What the flags of volumes.csv say to whoever reads a page.

/// The flag itself where it is of a later version.
std::string meaning_of(const std::string& flag);
/// Whether the flag is about the scan rather than the whole table; of a later version: yes.
bool is_reason_to_look(const std::string& flag);
/// How soon to look: 0 is the most telling flag; those of later versions come last.
std::size_t urgency_of(const std::string& flag);
/// Whether any flag of the row is a reason to look at the scan.
bool worth_a_look(const VolumeRow& row);

}  // namespace mcvol

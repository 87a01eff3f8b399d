#pragma once

#include "mcvol/random/philox.h"

#include <cstdint>

namespace mcvol {

/// Blocks that are made at once.
inline constexpr std::size_t kPhiloxBlocks = 16;

/// philox4x32_10 of kPhiloxBlocks consecutive counters, in vectors where the processor has them.
///
/// @param counter the first; its word 0 counts, and wraps around.
/// @param words [kPhiloxBlocks, 4].
void fill_philox_blocks(const PhiloxCounter& counter, const PhiloxKey& key, std::uint32_t* words);

}  // namespace mcvol

#pragma once

#include "mcvol/random/philox.h"

#include <cstdint>

namespace mcvol {

/// Blocks that are made at once.
inline constexpr std::size_t kPhiloxBlocks = 16;

/// philox4x32_10 of kPhiloxBlocks counters that differ in word 0, in vectors where the processor
/// has them.
///
/// @param first_words [kPhiloxBlocks], word 0 of each. @param counter the other three.
/// @param words [kPhiloxBlocks, 4].
void fill_philox_blocks(const std::uint32_t* first_words, const PhiloxCounter& counter,
                        const PhiloxKey& key, std::uint32_t* words);

}  // namespace mcvol

#pragma once

#include <cstdint>
#include <vector>

#include "network/dropout/dropout_mask.h"

namespace mcvol::testing {

/// Where a mask belongs to.
struct MaskPlace {
  MaskDraw draw;
  int layer = 0;
  MaskSharing sharing = MaskSharing::kChannel;
};

/// How many words of how many passes: 2^20 in all by default, of 64 channels or of 16,384 elements.
struct SampleSize {
  std::uint32_t passes = 0;
  std::size_t words_per_pass = 0;
};
SampleSize sample_size(MaskSharing sharing);

/// Words of the passes draw.pass, draw.pass + step, …, one pass after the other.
std::vector<std::uint32_t> mask_words(const MaskPlace& place, SampleSize size,
                                      std::uint32_t step = 1);

struct NamedSharing {
  MaskSharing sharing;
  const char* name;
};
inline constexpr NamedSharing kSharings[] = {{MaskSharing::kChannel, "channel"},
                                             {MaskSharing::kWindowChannel, "window and channel"},
                                             {MaskSharing::kElement, "element"}};

inline constexpr double kRates[] = {0.05, 0.1, 0.3, 0.5, 0.9};

}  // namespace mcvol::testing

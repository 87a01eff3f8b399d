#include "network/support/mask_samples.h"

#include <span>

namespace mcvol::testing {

SampleSize sample_size(MaskSharing sharing) {
  if (sharing == MaskSharing::kElement) return {.passes = 64, .words_per_pass = 16384};
  return {.passes = 16384, .words_per_pass = 64};
}

std::vector<std::uint32_t> mask_words(const MaskPlace& place, SampleSize size, std::uint32_t step) {
  std::vector<std::uint32_t> words(size.passes * size.words_per_pass);
  MaskDraw draw = place.draw;
  for (std::uint32_t pass = 0; pass < size.passes; ++pass, draw.pass += step) {
    MaskStream(draw, place.layer, place.sharing)
        .fill(0, std::span(words).subspan(pass * size.words_per_pass, size.words_per_pass));
  }
  return words;
}

}  // namespace mcvol::testing

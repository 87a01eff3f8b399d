#include "mcvol/network/dropout_mask.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "philox_blocks.h"

namespace mcvol {
namespace {

// Sets window keys apart from every counter used under the seed's own key (docs/masks.md).
constexpr std::uint32_t kWindowKeyTag = 0x57494E44u;  // "WIND"

}  // namespace

PhiloxKey mask_key(const MaskDraw& draw, MaskSharing sharing) {
  const PhiloxKey seed_key = {static_cast<std::uint32_t>(draw.seed),
                              static_cast<std::uint32_t>(draw.seed >> 32)};
  if (sharing == MaskSharing::kChannel) return seed_key;
  const PhiloxCounter window = {static_cast<std::uint32_t>(draw.window[0]),
                                static_cast<std::uint32_t>(draw.window[1]),
                                static_cast<std::uint32_t>(draw.window[2]), kWindowKeyTag};
  const PhiloxCounter words = philox4x32_10(window, seed_key);
  return {words[0], words[1]};
}

std::uint32_t mask_member_and_sharing(const MaskDraw& draw, MaskSharing sharing) {
  return static_cast<std::uint32_t>(draw.member) | (static_cast<std::uint32_t>(sharing) << 16);
}

MaskStream::MaskStream(const MaskDraw& draw, int layer, MaskSharing sharing)
    : key_(mask_key(draw, sharing)),
      pass_(draw.pass),
      layer_(static_cast<std::uint32_t>(layer)),
      member_and_sharing_(mask_member_and_sharing(draw, sharing)) {}

std::uint32_t MaskStream::word(std::uint64_t index) const {
  const PhiloxCounter counter = {static_cast<std::uint32_t>(index / 4), pass_, layer_,
                                 member_and_sharing_};
  return philox4x32_10(counter, key_)[index % 4];
}

void MaskStream::fill(std::uint64_t first, std::span<std::uint32_t> words) const {
  constexpr std::size_t kWords = 4 * kPhiloxBlocks;
  std::size_t done = 0;
  while (done < words.size()) {
    const std::uint64_t index = first + done;
    const PhiloxCounter counter = {static_cast<std::uint32_t>(index / 4), pass_, layer_,
                                   member_and_sharing_};
    const std::size_t skip = index % 4;
    const std::size_t count = std::min(kWords - skip, words.size() - done);
    if (count == kWords) {
      fill_philox_blocks(counter, key_, words.data() + done);
    } else {
      std::array<std::uint32_t, kWords> made;
      fill_philox_blocks(counter, key_, made.data());
      std::copy_n(made.begin() + static_cast<std::ptrdiff_t>(skip), count,
                  words.begin() + static_cast<std::ptrdiff_t>(done));
    }
    done += count;
  }
}

// The words between the first and last position come in vector-sized blocks, unless the positions
// are far apart.
void MaskStream::gather(std::uint64_t first, std::span<const std::int64_t> positions,
                        std::span<std::uint32_t> words) const {
  // Words come in blocks of many: those of gaps as small cost less than another block.
  constexpr std::int64_t kGap = 16;
  thread_local std::vector<std::uint32_t> run;
  for (std::size_t begin = 0; begin < positions.size();) {
    std::size_t end = begin + 1;
    while (end < positions.size() && positions[end] > positions[end - 1] &&
           positions[end] - positions[end - 1] <= kGap) {
      ++end;
    }
    run.resize(static_cast<std::size_t>(positions[end - 1] - positions[begin] + 1));
    fill(first + static_cast<std::uint64_t>(positions[begin]), run);
    for (std::size_t n = begin; n < end; ++n) {
      words[n] = run[static_cast<std::size_t>(positions[n] - positions[begin])];
    }
    begin = end;
  }
}

std::uint64_t keep_threshold(double rate) {
  return static_cast<std::uint64_t>(std::floor(std::ldexp(rate, 32)));
}

}  // namespace mcvol

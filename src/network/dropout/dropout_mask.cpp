#include "dropout_mask.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "network/kernels/cpu/philox_blocks.h"

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
    : drops_all_(draw.drops_all),
      key_(mask_key(draw, sharing)),
      counter_{0, draw.pass, static_cast<std::uint32_t>(layer),
               mask_member_and_sharing(draw, sharing)} {}

std::uint32_t MaskStream::word(std::uint64_t index) const {
  if (drops_all_) return 0;
  PhiloxCounter counter = counter_;
  counter[0] = static_cast<std::uint32_t>(index / 4);
  return philox4x32_10(counter, key_)[index % 4];
}

void MaskStream::fill(std::uint64_t first, std::span<std::uint32_t> words) const {
  if (drops_all_) {
    std::ranges::fill(words, 0);
    return;
  }
  constexpr std::size_t kWords = 4 * kPhiloxBlocks;
  std::array<std::uint32_t, kPhiloxBlocks> blocks;
  std::size_t done = 0;
  while (done < words.size()) {
    const std::uint64_t index = first + done;
    std::iota(blocks.begin(), blocks.end(), static_cast<std::uint32_t>(index / 4));
    const std::size_t skip = index % 4;
    const std::size_t count = std::min(kWords - skip, words.size() - done);
    if (count == kWords) {
      fill_philox_blocks(blocks.data(), counter_, key_, words.data() + done);
    } else {
      std::array<std::uint32_t, kWords> made;
      fill_philox_blocks(blocks.data(), counter_, key_, made.data());
      std::copy_n(made.begin() + static_cast<std::ptrdiff_t>(skip), count,
                  words.begin() + static_cast<std::ptrdiff_t>(done));
    }
    done += count;
  }
}

void MaskStream::gather(std::uint64_t first, std::span<const std::int64_t> positions,
                        std::span<std::uint32_t> words) const {
  if (drops_all_) {
    std::ranges::fill(words, 0);
    return;
  }
  std::array<std::uint32_t, kPhiloxBlocks> blocks{};
  std::array<std::uint32_t, 4 * kPhiloxBlocks> made;
  for (std::size_t begin = 0; begin < positions.size();) {
    // As many positions as lie in the blocks that are made at once; neighbours share theirs.
    std::size_t block_count = 0, end = begin;
    for (; end < positions.size(); ++end) {
      const std::uint64_t index = first + static_cast<std::uint64_t>(positions[end]);
      const auto block = static_cast<std::uint32_t>(index / 4);
      if (block_count == 0 || blocks[block_count - 1] != block) {
        if (block_count == kPhiloxBlocks) break;
        blocks[block_count++] = block;
      }
      // Its place among the words made, until they are.
      words[end] = static_cast<std::uint32_t>(4 * (block_count - 1) + index % 4);
    }
    fill_philox_blocks(blocks.data(), counter_, key_, made.data());
    for (; begin < end; ++begin) words[begin] = made[words[begin]];
  }
}

std::uint64_t keep_threshold(double rate) {
  return static_cast<std::uint64_t>(std::floor(std::ldexp(rate, 32)));
}

}  // namespace mcvol

#include "philox_variant.h"

#include "philox_blocks.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace mcvol::MCVOL_VARIANT {
namespace {

#ifdef __AVX2__
// A block's word is the lower half of a lane of 64 bits: the processor multiplies lower halves to
// whole lanes, and what is left in upper halves does no harm. Loops over 32-bit words that the
// compiler vectorises are slower than one block after the other.

#ifdef __AVX512F__
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef std::uint64_t Wide __attribute__((vector_size(kLanes * 8)));
/// In memory: at any word.
typedef std::uint32_t HalfInMemory
    __attribute__((vector_size(kLanes * 4), aligned(alignof(std::uint32_t)), may_alias));
typedef std::uint64_t InMemory
    __attribute__((vector_size(kLanes * 8), aligned(alignof(std::uint32_t)), may_alias));

/// Counters of kLanes blocks.
struct Counters {
  Wide words[4];
};

/// The multiplication that a compiler does not find: it multiplies all 64 bits.
[[gnu::always_inline]] inline Wide multiply_halves(Wide a, Wide b) {
#ifdef __AVX512F__
  // All lanes: GCC 12 warns of the form without a mask (GCC bug 105593).
  return (Wide)_mm512_maskz_mul_epu32(0xFF, (__m512i)a, (__m512i)b);
#else
  return (Wide)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#endif
}

[[gnu::always_inline]] inline void run_round(Counters& counters, const std::uint32_t* key) {
  const Wide product0 = multiply_halves(counters.words[0], Wide{} + kPhiloxMultiplier0);
  const Wide product1 = multiply_halves(counters.words[2], Wide{} + kPhiloxMultiplier1);
  counters.words[0] = (product1 >> 32) ^ counters.words[1] ^ key[0];
  counters.words[1] = product1;
  counters.words[2] = (product0 >> 32) ^ counters.words[3] ^ key[1];
  counters.words[3] = product0;
}

[[gnu::always_inline]] inline void put(const Counters& counters, std::uint32_t* words) {
  constexpr std::uint64_t kLower = 0xFFFFFFFFu;
  const Wide first = (counters.words[0] & kLower) | (counters.words[1] << 32);
  const Wide second = (counters.words[2] & kLower) | (counters.words[3] << 32);
#ifdef __AVX512F__
  const Wide lower = __builtin_shufflevector(first, second, 0, 8, 1, 9, 2, 10, 3, 11);
  const Wide upper = __builtin_shufflevector(first, second, 4, 12, 5, 13, 6, 14, 7, 15);
#else
  const Wide lower = __builtin_shufflevector(first, second, 0, 4, 1, 5);
  const Wide upper = __builtin_shufflevector(first, second, 2, 6, 3, 7);
#endif
  *reinterpret_cast<InMemory*>(words) = lower;
  *reinterpret_cast<InMemory*>(words + 2 * kLanes) = upper;
}

void fill_blocks(const std::uint32_t* first_words, const std::uint32_t* counter,
                 const std::uint32_t* key, std::uint32_t* words) {
  // Two vectors of blocks side by side keep the multipliers busy and are what registers hold.
  constexpr int kSide = 2;
  const Wide fixed[3] = {Wide{} + counter[1], Wide{} + counter[2], Wide{} + counter[3]};
  // Copied, or the compiler would think that writing words changes it.
  const std::uint32_t first_key[2] = {key[0], key[1]};
  for (std::size_t block = 0; block < kPhiloxBlocks; block += kSide * kLanes) {
    Counters counters[kSide];
#pragma GCC unroll 2
    for (int side = 0; side < kSide; ++side) {
      const std::uint32_t* const numbers = first_words + block + side * kLanes;
      counters[side].words[0] =
          __builtin_convertvector(*reinterpret_cast<const HalfInMemory*>(numbers), Wide);
      counters[side].words[1] = fixed[0];
      counters[side].words[2] = fixed[1];
      counters[side].words[3] = fixed[2];
    }
    std::uint32_t round_key[2] = {first_key[0], first_key[1]};
#pragma GCC unroll 10
    for (int round = 0; round < kPhiloxRounds; ++round) {
#pragma GCC unroll 2
      for (int side = 0; side < kSide; ++side) run_round(counters[side], round_key);
      round_key[0] += kPhiloxWeyl0;
      round_key[1] += kPhiloxWeyl1;
    }
#pragma GCC unroll 2
    for (int side = 0; side < kSide; ++side) {
      put(counters[side], words + 4 * (block + static_cast<std::size_t>(side) * kLanes));
    }
  }
}

#else

/// One block after the other.
void fill_blocks(const std::uint32_t* first_words, const std::uint32_t* counter,
                 const std::uint32_t* key, std::uint32_t* words) {
  for (std::size_t block = 0; block < kPhiloxBlocks; ++block) {
    std::uint32_t word0 = first_words[block], word1 = counter[1];
    std::uint32_t word2 = counter[2], word3 = counter[3];
    std::uint32_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < kPhiloxRounds; ++round) {
      const std::uint64_t product0 = std::uint64_t{kPhiloxMultiplier0} * word0;
      const std::uint64_t product1 = std::uint64_t{kPhiloxMultiplier1} * word2;
      word0 = static_cast<std::uint32_t>(product1 >> 32) ^ word1 ^ key0;
      word1 = static_cast<std::uint32_t>(product1);
      word2 = static_cast<std::uint32_t>(product0 >> 32) ^ word3 ^ key1;
      word3 = static_cast<std::uint32_t>(product0);
      key0 += kPhiloxWeyl0;
      key1 += kPhiloxWeyl1;
    }
    words[4 * block] = word0;
    words[4 * block + 1] = word1;
    words[4 * block + 2] = word2;
    words[4 * block + 3] = word3;
  }
}

#endif

}  // namespace

constinit const PhiloxKernels kPhiloxKernels = {.fill_blocks = fill_blocks};

}  // namespace mcvol::MCVOL_VARIANT

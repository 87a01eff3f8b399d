#include "philox_blocks.h"

#include <algorithm>

#include "processor.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>  // declares the built-in functions
#endif

namespace mcvol {
namespace {

using FillBlocks = void (*)(const std::uint32_t*, const PhiloxCounter&, const PhiloxKey&,
                            std::uint32_t*);

void fill_plain(const std::uint32_t* first_words, const PhiloxCounter& counter,
                const PhiloxKey& key, std::uint32_t* words) {
  for (std::size_t block = 0; block < kPhiloxBlocks; ++block) {
    const auto made = philox4x32_10({first_words[block], counter[1], counter[2], counter[3]}, key);
    std::copy(made.begin(), made.end(), words + 4 * block);
  }
}

// A block's word is the lower half of a lane of 64 bits: the processor multiplies lower halves to
// whole lanes, and what is left in upper halves does no harm. Loops over 32-bit words that the
// compiler vectorises are slower than one block after the other.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

template <int Lanes>
struct VectorsOf {
  typedef std::uint64_t Wide __attribute__((vector_size(Lanes * 8)));
  typedef long long Signed __attribute__((vector_size(Lanes * 8)));
  typedef int Halves __attribute__((vector_size(Lanes * 8)));
  /// In memory: at any word.
  typedef std::uint32_t HalfInMemory
      __attribute__((vector_size(Lanes * 4), aligned(alignof(std::uint32_t)), may_alias));
  typedef std::uint64_t InMemory
      __attribute__((vector_size(Lanes * 8), aligned(alignof(std::uint32_t)), may_alias));
};

template <int Lanes>
struct Counters {
  typename VectorsOf<Lanes>::Wide words[4];
};

// No vector is passed between functions that are not inlined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"

/// The multiplication that a compiler does not find: it multiplies all 64 bits.
template <int Lanes>
[[gnu::always_inline]] inline void multiply_halves(const typename VectorsOf<Lanes>::Wide& a,
                                                   const typename VectorsOf<Lanes>::Wide& b,
                                                   typename VectorsOf<Lanes>::Wide& product) {
  using Wide = typename VectorsOf<Lanes>::Wide;
  using Halves = typename VectorsOf<Lanes>::Halves;
  if constexpr (Lanes == 4) {
    product = (Wide)__builtin_ia32_pmuludq256((Halves)a, (Halves)b);
  } else {
    product = (Wide)__builtin_ia32_pmuludq512_mask((Halves)a, (Halves)b,
                                                   typename VectorsOf<Lanes>::Signed{}, 0xFF);
  }
}
#pragma GCC diagnostic pop

template <int Lanes>
[[gnu::always_inline]] inline void run_round(Counters<Lanes>& counters, const PhiloxKey& key) {
  using Wide = typename VectorsOf<Lanes>::Wide;
  Wide product0, product1;
  multiply_halves<Lanes>(counters.words[0], Wide{} + kPhiloxMultiplier0, product0);
  multiply_halves<Lanes>(counters.words[2], Wide{} + kPhiloxMultiplier1, product1);
  counters.words[0] = (product1 >> 32) ^ counters.words[1] ^ key[0];
  counters.words[1] = product1;
  counters.words[2] = (product0 >> 32) ^ counters.words[3] ^ key[1];
  counters.words[3] = product0;
}

template <int Lanes>
[[gnu::always_inline]] inline void put(const Counters<Lanes>& counters, std::uint32_t* words) {
  using Wide = typename VectorsOf<Lanes>::Wide;
  using InMemory = typename VectorsOf<Lanes>::InMemory;
  constexpr std::uint64_t kLower = 0xFFFFFFFFu;
  const Wide first = (counters.words[0] & kLower) | (counters.words[1] << 32);
  const Wide second = (counters.words[2] & kLower) | (counters.words[3] << 32);
  Wide lower, upper;
  if constexpr (Lanes == 4) {
    lower = __builtin_shufflevector(first, second, 0, 4, 1, 5);
    upper = __builtin_shufflevector(first, second, 2, 6, 3, 7);
  } else {
    lower = __builtin_shufflevector(first, second, 0, 8, 1, 9, 2, 10, 3, 11);
    upper = __builtin_shufflevector(first, second, 4, 12, 5, 13, 6, 14, 7, 15);
  }
  *reinterpret_cast<InMemory*>(words) = lower;
  *reinterpret_cast<InMemory*>(words + 2 * Lanes) = upper;
}

template <int Lanes>
[[gnu::always_inline]] inline void fill(const std::uint32_t* first_words,
                                        const PhiloxCounter& counter, const PhiloxKey& key,
                                        std::uint32_t* words) {
  using Wide = typename VectorsOf<Lanes>::Wide;
  using Half = typename VectorsOf<Lanes>::HalfInMemory;
  // Two vectors of blocks side by side keep the multipliers busy and are what registers hold.
  constexpr int kSide = 2;
  const Wide fixed[3] = {Wide{} + counter[1], Wide{} + counter[2], Wide{} + counter[3]};
  for (std::size_t block = 0; block < kPhiloxBlocks; block += kSide * Lanes) {
    Counters<Lanes> counters[kSide];
#pragma GCC unroll 2
    for (int side = 0; side < kSide; ++side) {
      const std::uint32_t* const numbers = first_words + block + side * Lanes;
      counters[side].words[0] =
          __builtin_convertvector(*reinterpret_cast<const Half*>(numbers), Wide);
      counters[side].words[1] = fixed[0];
      counters[side].words[2] = fixed[1];
      counters[side].words[3] = fixed[2];
    }
    PhiloxKey round_key = key;
#pragma GCC unroll 10
    for (int round = 0; round < kPhiloxRounds; ++round) {
#pragma GCC unroll 2
      for (int side = 0; side < kSide; ++side) run_round<Lanes>(counters[side], round_key);
      round_key = next_philox_key(round_key);
    }
#pragma GCC unroll 2
    for (int side = 0; side < kSide; ++side) {
      put<Lanes>(counters[side], words + 4 * (block + static_cast<std::size_t>(side) * Lanes));
    }
  }
}

[[gnu::target("arch=x86-64-v3")]] void fill_v3(const std::uint32_t* first_words,
                                               const PhiloxCounter& counter, const PhiloxKey& key,
                                               std::uint32_t* words) {
  fill<4>(first_words, counter, key, words);
}

[[gnu::target("arch=x86-64-v4")]] void fill_v4(const std::uint32_t* first_words,
                                               const PhiloxCounter& counter, const PhiloxKey& key,
                                               std::uint32_t* words) {
  fill<8>(first_words, counter, key, words);
}

FillBlocks best_kernel() { return kernel_of_processor(fill_plain, fill_v3, fill_v4); }
#else
FillBlocks best_kernel() { return fill_plain; }
#endif

}  // namespace

void fill_philox_blocks(const std::uint32_t* first_words, const PhiloxCounter& counter,
                        const PhiloxKey& key, std::uint32_t* words) {
  static const FillBlocks fill_blocks = best_kernel();
  fill_blocks(first_words, counter, key, words);
}

}  // namespace mcvol

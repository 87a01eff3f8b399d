#pragma once

#include <cstdint>

#include "variant.h"

namespace mcvol {

struct PhiloxKernels {
  /// As fill_philox_blocks(). @param counter four words. @param key two.
  void (*fill_blocks)(const std::uint32_t* first_words, const std::uint32_t* counter,
                      const std::uint32_t* key, std::uint32_t* words);
};

MCVOL_DECLARE_KERNELS(PhiloxKernels, kPhiloxKernels)

}  // namespace mcvol

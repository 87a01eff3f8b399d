#include "philox_blocks.h"

#include "philox_variant.h"
#include "processor.h"

namespace mcvol {

void fill_philox_blocks(const std::uint32_t* first_words, const PhiloxCounter& counter,
                        const PhiloxKey& key, std::uint32_t* words) {
  MCVOL_KERNELS_IN_USE(kPhiloxKernels).fill_blocks(first_words, counter.data(), key.data(), words);
}

}  // namespace mcvol

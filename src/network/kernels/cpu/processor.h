#pragma once

#include <atomic>
#include <vector>

// Which of the variants of kernels (variant.h) are run.

namespace mcvol {

/// What kernels are compiled for: any processor, x86-64-v3 and x86-64-v4.
enum class KernelVariant { kBaseline, kAvx2, kAvx512 };

/// Those that this processor can run, shorter vectors first.
std::vector<KernelVariant> variants_of_processor();

/// The one that is run: that with the longest vectors, unless a test or a benchmark stores another
/// of variants_of_processor() while no kernel runs. Not to be read before main().
extern std::atomic<KernelVariant> variant_in_use;

template <typename Kernels>
const Kernels& kernels_in_use(const Kernels& baseline, const Kernels& avx2, const Kernels& avx512) {
  switch (variant_in_use.load(std::memory_order_relaxed)) {
    case KernelVariant::kAvx512:
      return avx512;
    case KernelVariant::kAvx2:
      return avx2;
    default:
      return baseline;
  }
}

}  // namespace mcvol

/// The table of the variant in use, of those that MCVOL_DECLARE_KERNELS declares by that name.
#ifdef MCVOL_KERNEL_VARIANTS
#define MCVOL_KERNELS_IN_USE(table) \
  ::mcvol::kernels_in_use(::mcvol::baseline::table, ::mcvol::avx2::table, ::mcvol::avx512::table)
#else
#define MCVOL_KERNELS_IN_USE(table) (::mcvol::baseline::table)
#endif

#include "processor.h"

namespace mcvol {

std::vector<KernelVariant> variants_of_processor() {
  std::vector<KernelVariant> variants{KernelVariant::kBaseline};
#ifdef MCVOL_KERNEL_VARIANTS
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
    variants.push_back(KernelVariant::kAvx2);
  }
  if (variants.size() == 2 && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    variants.push_back(KernelVariant::kAvx512);
  }
#endif
  return variants;
}

std::atomic<KernelVariant> variant_in_use = variants_of_processor().back();

}  // namespace mcvol

#pragma once

namespace mcvol {

#if defined(__x86_64__) && defined(__GNUC__)
/// Of the variants of a kernel, that with the longest vectors which this processor has.
/// @param v3, v4 made for x86-64-v3 (AVX2) and x86-64-v4 (AVX-512).
template <typename Kernel>
Kernel kernel_of_processor(Kernel plain, Kernel v3, Kernel v4) {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    return v4;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return v3;
  return plain;
}
#endif

}  // namespace mcvol

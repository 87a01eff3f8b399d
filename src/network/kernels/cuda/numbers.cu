// What runs on a GPU besides LibTorch's operators: masks, sums over windows, histograms. NVRTC
// compiles it when a GPU is first used (cuda_kernels.cpp), so that building needs no CUDA toolkit.
//
// Masks are those of docs/masks.md. Sums and histograms use the operations of window_blend.cpp,
// logit_histogram.cpp and histogram_sink.cpp in the same order and precision, and nothing is
// contracted (--fmad=false): the same values give the same integers as on the CPU, which tests hold
// it to. Only exp and log may differ in their last bit.

using uint32 = unsigned int;
using uint64 = unsigned long long;
using int64 = long long;

struct Half {
  unsigned short bits;
};
struct BFloat16 {
  unsigned short bits;
};

__device__ float to_float(float value) { return value; }
__device__ float to_float(Half value) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
}
__device__ float to_float(BFloat16 value) { return __uint_as_float(uint32{value.bits} << 16); }

__device__ void store(float value, float& place) { place = value; }
__device__ void store(float value, Half& place) {
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(place.bits) : "f"(value));
}
__device__ void store(float value, BFloat16& place) {
  const uint32 bits = __float_as_uint(value);
  const bool is_nan = value != value;
  place.bits = is_nan ? 0x7FC0 : static_cast<unsigned short>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

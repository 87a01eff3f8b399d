// Regions (region_logits.cpp).

constexpr int kMostRegions = 16;
/// Bits say which channels a region has.
struct Regions {
  uint32 channels[kMostRegions];
};

template <typename T>
__device__ float log_sum_exp(const T* values, int64 stride, uint32 channels) {
  float largest = __uint_as_float(0xFF800000u);  // -infinity
  for (uint32 rest = channels; rest != 0; rest &= rest - 1) {
    const float value = to_float(values[(__ffs(rest) - 1) * stride]);
    if (value != value) return value;
    largest = fmaxf(largest, value);
  }
  if (isinf(largest)) return largest;
  float sum = 0.0f;
  for (uint32 rest = channels; rest != 0; rest &= rest - 1) {
    sum += expf(to_float(values[(__ffs(rest) - 1) * stride]) - largest);
  }
  return logf(sum) + largest;
}

/// logits [rows, regions, count] of softmax outputs [rows, channels, count]; blockIdx.y: the row.
template <typename T>
__device__ void softmax_regions(const T* outputs, int64 count, int channels, int regions,
                                const Regions& of, float* logits) {
  outputs += static_cast<int64>(blockIdx.y) * channels * count;
  logits += static_cast<int64>(blockIdx.y) * regions * count;
  const uint32 all = channels == 32 ? 0xFFFFFFFFu : (1u << channels) - 1;
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.x;
  for (int64 n = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x; n < count; n += step) {
    for (int region = 0; region < regions; ++region) {
      const uint32 inside = of.channels[region];
      logits[region * count + n] = log_sum_exp(outputs + n, count, inside) -
                                   log_sum_exp(outputs + n, count, all & ~inside);
    }
  }
}

#define MCVOL_REGION_KERNEL(T, name)                                                            \
  extern "C" __global__ void softmax_regions_##name(const T* outputs, int64 count, int channels, \
                                                    int regions, const Regions of,              \
                                                    float* logits) {                            \
    softmax_regions(outputs, count, channels, regions, of, logits);                             \
  }

MCVOL_REGION_KERNEL(float, float)
MCVOL_REGION_KERNEL(Half, half)
MCVOL_REGION_KERNEL(BFloat16, bfloat16)

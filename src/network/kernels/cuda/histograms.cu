// Histograms (logit_histogram.cpp) and mean probabilities (histogram_sink.cpp).

constexpr int kIntervals = 256;
constexpr int kCountShift = 40;
constexpr double kOne = 281474976710656.0;        // 2^48 (histogram_sink.cpp)
constexpr double kShift = 4503599627370496.0;     // 2^52

struct Place {
  int interval, inner;
};

/// Interval and weight of its inner node.
__device__ Place place_of(float logit, const float* lower_odds) {
  const float lower_half = -fabsf(logit);
  const float clamped = lower_half > -16.0f ? lower_half : -16.0f;
  const float position = (clamped + 16.0f) * 8.0f;
  const int node = static_cast<int>(position < 127.0f ? position : 127.0f);
  const float d = clamped - (static_cast<float>(node) / 8.0f - 16.0f);
  const float growth =
      d * (1.0f + d * (1.0f / 2 + d * (1.0f / 6 + d * (1.0f / 24 + d * (1.0f / 120)))));
  const float odds = lower_odds[node];
  constexpr float kRatio = 1.1331484530668263f;
  constexpr float kScale = 65536.0f / 0.1331484530668263f;
  const float weight = kScale * growth * (1.0f + kRatio * odds) / (1.0f + odds + growth * odds);
  return {logit > 0 ? kIntervals - 1 - node : node, static_cast<int>(weight + 0.5f)};
}

/// Of one block: voxel counts above bit kCountShift, inner weights below, as on the CPU. A block
/// has far fewer than 2^22 voxels.
struct BlockHistogram {
  uint64 packed[kIntervals];

  __device__ void clear() {
    for (int n = threadIdx.x; n < kIntervals; n += blockDim.x) packed[n] = 0;
    __syncthreads();
  }

  /// Called by whole warps. Most voxels are background and share an interval: one sum then.
  __device__ void add(bool has_voxel, Place place) {
    const uint64 one = uint64{1} << kCountShift;
    int same;
    __match_all_sync(0xFFFFFFFFu, has_voxel ? place.interval : -1, &same);
    if (!same) {
      if (has_voxel) atomicAdd(&packed[place.interval], one + static_cast<uint64>(place.inner));
      return;
    }
    if (!has_voxel) return;
    int inner = place.inner;
    for (int offset = 16; offset > 0; offset /= 2) {
      inner += __shfl_xor_sync(0xFFFFFFFFu, inner, offset);
    }
    if (threadIdx.x % 32 == 0) {
      atomicAdd(&packed[place.interval], (one << 5) + static_cast<uint64>(inner));
    }
  }

  /// Into a histogram of counts [256] and inner weights [256].
  __device__ void give(uint64* histogram) {
    __syncthreads();
    for (int n = threadIdx.x; n < kIntervals; n += blockDim.x) {
      const uint64 both = packed[n];
      if (both == 0) continue;
      atomicAdd(&histogram[n], both >> kCountShift);
      atomicAdd(&histogram[kIntervals + n], both & ((uint64{1} << kCountShift) - 1));
    }
  }
};

/// logits [rows, regions, count] of the measured voxels `voxels` into histograms [regions,
/// all_passes, 2, 256] and, for passes below `sampled`, probabilities into sums [regions, all] and
/// logits above 0 into counts [regions, all].
extern "C" __global__ void add_logits(const float* logits, const int64* voxels, int64 count,
                                      int regions, const int* passes, int sampled, int all_passes,
                                      int64 all, const float* lower_odds, uint64* histograms,
                                      uint64* sums, int* counts, int* complaints) {
  __shared__ BlockHistogram block;
  block.clear();
  const int pass = passes[blockIdx.y / regions];
  const int64 region = blockIdx.y % regions;
  logits += blockIdx.y * count;
  sums += region * all;
  counts += region * all;
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.x;
  for (int64 first = static_cast<int64>(blockIdx.x) * blockDim.x; first < count; first += step) {
    const int64 n = first + threadIdx.x;
    const bool has_voxel = n < count;
    const float logit = has_voxel ? logits[n] : 0.0f;
    if (logit != logit) complaints[kNotANumber] = 1;
    block.add(has_voxel, place_of(logit, lower_odds));
    if (!has_voxel || pass >= sampled) continue;
    const double shifted = kOne / (1.0 + exp(-static_cast<double>(logit))) + kShift;
    atomicAdd(&sums[voxels[n]],
              static_cast<uint64>(__double_as_longlong(shifted) - __double_as_longlong(kShift)));
    if (logit > 0.0f) atomicAdd(&counts[voxels[n]], 1);
  }
  block.give(histograms + (region * all_passes + pass) * 2 * kIntervals);
}

/// Mean probabilities, sums [regions, all] over `passes` passes, into histograms [regions, 2, 256].
extern "C" __global__ void add_means(const int64* sums, int64 all, int passes,
                                     const float* lower_odds, uint64* histograms) {
  __shared__ BlockHistogram block;
  block.clear();
  sums += blockIdx.y * all;
  const int64 whole = passes * static_cast<int64>(kOne);
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.x;
  for (int64 first = static_cast<int64>(blockIdx.x) * blockDim.x; first < all; first += step) {
    const int64 n = first + threadIdx.x;
    const bool has_voxel = n < all;
    float logit = 0.0f;
    if (has_voxel) {
      logit = static_cast<float>(log(static_cast<double>(sums[n])) -
                                 log(static_cast<double>(whole - sums[n])));
    }
    block.add(has_voxel, place_of(logit, lower_odds));
  }
  block.give(histograms + blockIdx.y * 2 * kIntervals);
}

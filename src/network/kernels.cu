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

// ---------------------------------------------------------------- numbers of two bytes

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

// ---------------------------------------------------------------- dropout

struct MaskRow {
  uint32 key0, key1, pass, dropout_off;
};
constexpr int kMostRows = 64;
struct MaskRows {
  MaskRow row[kMostRows];
};
/// Kept values become value * scale + kept_offset, dropped ones dropped_value.
struct Layer {
  uint32 id, member_and_sharing;
  uint64 threshold;
  float scale, kept_offset, dropped_value;
};

struct Words {
  uint32 at[4];
};

__device__ Words philox(uint32 counter, const MaskRow& row, const Layer& layer) {
  uint32 c0 = counter, c1 = row.pass, c2 = layer.id, c3 = layer.member_and_sharing;
  uint32 key0 = row.key0, key1 = row.key1;
  for (int round = 0; round < 10; ++round) {
    const uint32 low0 = 0xD2511F53u * c0, high0 = __umulhi(0xD2511F53u, c0);
    const uint32 low1 = 0xCD9E8D57u * c2, high1 = __umulhi(0xCD9E8D57u, c2);
    c0 = high1 ^ c1 ^ key0;
    c1 = low1;
    c2 = high0 ^ c3 ^ key1;
    c3 = low0;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

struct Factors {
  float scale, offset;
};

__device__ Factors factors_of(uint32 word, const MaskRow& row, const Layer& layer) {
  if (row.dropout_off) return {1.0f, 0.0f};
  return word >= layer.threshold ? Factors{layer.scale, layer.kept_offset}
                                 : Factors{0.0f, layer.dropped_value};
}

template <typename T>
__device__ void apply(const T& from, T& to, const Factors& factors) {
  store(to_float(from) * factors.scale + factors.offset, to);
}

template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T at[kCount];
};

/// Masks of channels: input and output [rows, channels, plane]; blocks_per_plane blocks each.
template <typename T>
__device__ void drop_channels(const T* input, T* output, const MaskRows& rows,
                              int64 input_row_stride, int channels, int64 plane,
                              int blocks_per_plane, const Layer& layer) {
  const int number = blockIdx.x / blocks_per_plane;
  const int row = number / channels;
  const int channel = number % channels;
  const Words words = philox(channel / 4, rows.row[row], layer);
  const Factors factors = factors_of(words.at[channel % 4], rows.row[row], layer);
  input += row * input_row_stride + channel * plane;
  output += (static_cast<int64>(row) * channels + channel) * plane;
  const int64 first = static_cast<int64>(blockIdx.x % blocks_per_plane) * blockDim.x + threadIdx.x;
  const int64 step = static_cast<int64>(blocks_per_plane) * blockDim.x;
  if (plane % 4 == 0 && input_row_stride % 4 == 0) {
    using Four = Pack<T, 4>;
    const Four* from = reinterpret_cast<const Four*>(input);
    Four* to = reinterpret_cast<Four*>(output);
    for (int64 n = first; n < plane / 4; n += step) {
      const Four four = from[n];
      Four result;
      for (int i = 0; i < 4; ++i) apply(four.at[i], result.at[i], factors);
      to[n] = result;
    }
    return;
  }
  for (int64 n = first; n < plane; n += step) apply(input[n], output[n], factors);
}

/// Masks of elements: input and output [rows, elements]; a thread has the four of one block of the
/// generator.
template <typename T>
__device__ void drop_elements(const T* input, T* output, const MaskRows& rows,
                              int64 input_row_stride, int64 elements, const Layer& layer) {
  const int row = blockIdx.y;
  input += row * input_row_stride;
  output += row * elements;
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.x;
  for (int64 n = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x; 4 * n < elements;
       n += step) {
    const Words words = philox(static_cast<uint32>(n), rows.row[row], layer);
    for (int i = 0; i < 4 && 4 * n + i < elements; ++i) {
      apply(input[4 * n + i], output[4 * n + i], factors_of(words.at[i], rows.row[row], layer));
    }
  }
}

/// Masks of elements of gathered voxels: input and output [rows, channels, voxels], `positions` of
/// the voxels in the tile.
template <typename T>
__device__ void drop_gathered(const T* input, T* output, const MaskRows& rows,
                              int64 input_row_stride, int channels, int64 voxels,
                              const int64* positions, int64 tile_voxels, const Layer& layer) {
  const int row = blockIdx.y / channels;
  const int channel = blockIdx.y % channels;
  input += row * input_row_stride + channel * voxels;
  output += (static_cast<int64>(row) * channels + channel) * voxels;
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.x;
  for (int64 n = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x; n < voxels; n += step) {
    const uint64 index = channel * tile_voxels + positions[n];
    const Words words = philox(static_cast<uint32>(index / 4), rows.row[row], layer);
    apply(input[n], output[n], factors_of(words.at[index % 4], rows.row[row], layer));
  }
}

#define MCVOL_DROPOUT_KERNELS(T, name)                                                             \
  extern "C" __global__ void drop_channels_##name(                                                 \
      const T* input, T* output, const MaskRows rows, int64 input_row_stride, int channels,        \
      int64 plane, int blocks_per_plane, const Layer layer) {                                      \
    drop_channels(input, output, rows, input_row_stride, channels, plane, blocks_per_plane,        \
                  layer);                                                                          \
  }                                                                                                \
  extern "C" __global__ void drop_elements_##name(const T* input, T* output, const MaskRows rows,  \
                                                  int64 input_row_stride, int64 elements,          \
                                                  const Layer layer) {                             \
    drop_elements(input, output, rows, input_row_stride, elements, layer);                         \
  }                                                                                                \
  extern "C" __global__ void drop_gathered_##name(                                                 \
      const T* input, T* output, const MaskRows rows, int64 input_row_stride, int channels,        \
      int64 voxels, const int64* positions, int64 tile_voxels, const Layer layer) {                \
    drop_gathered(input, output, rows, input_row_stride, channels, voxels, positions, tile_voxels, \
                  layer);                                                                          \
  }

MCVOL_DROPOUT_KERNELS(float, float)
MCVOL_DROPOUT_KERNELS(Half, half)
MCVOL_DROPOUT_KERNELS(BFloat16, bfloat16)

// ---------------------------------------------------------------- instance norm, activation, dropout

// Of activations in half precision with channels last: [rows, voxels, channels], channels a multiple
// of kVector. One pass for the sums and one that applies norm, activation and dropout together. How a row
// is cut up depends on its size alone: a row is the same in any batch.

/// partial [rows, chunks, 2, channels]: sums and sums of squares over the voxels of each chunk.
template <typename T, int kVector>
__device__ void norm_sums(const T* input, int64 row_stride, int64 voxels, int channels,
                          float* partial) {
  using Vector = Pack<T, kVector>;
  __shared__ float shared[256][2 * kVector + 1];
  const int vectors = channels / kVector;
  const int lanes = blockDim.x / vectors;
  const int lane = threadIdx.x / vectors;
  const int vector = threadIdx.x % vectors;
  float sums[kVector] = {}, squares[kVector] = {};
  if (lane < lanes) {
    const int64 each = (voxels + gridDim.x - 1) / gridDim.x;
    const int64 begin = blockIdx.x * each;
    const int64 end = begin + each < voxels ? begin + each : voxels;
    const Vector* from = reinterpret_cast<const Vector*>(input + blockIdx.y * row_stride);
    for (int64 v = begin + lane; v < end; v += lanes) {
      const Vector read = from[v * vectors + vector];
      for (int i = 0; i < kVector; ++i) {
        const float x = to_float(read.at[i]);
        sums[i] += x;
        squares[i] += x * x;
      }
    }
  }
  for (int i = 0; i < kVector; ++i) {
    shared[threadIdx.x][i] = sums[i];
    shared[threadIdx.x][kVector + i] = squares[i];
  }
  __syncthreads();
  float* target = partial + (static_cast<int64>(blockIdx.y) * gridDim.x + blockIdx.x) * 2 * channels;
  for (int n = threadIdx.x; n < 2 * channels; n += blockDim.x) {
    const int channel = n % channels;
    const int place = (n / channels) * kVector + channel % kVector;
    float sum = 0.0f;
    for (int l = 0; l < lanes; ++l) sum += shared[l * vectors + channel / kVector][place];
    target[n] = sum;
  }
}

/// factors [rows, channels, 2]: value * first + second is the norm and, for masks of channels, what
/// dropout does to it. A warp has a channel; gridDim.y rows.
template <typename T>
__device__ void norm_factors(const float* partial, int chunks, int64 voxels, int channels,
                             const T* weight, const T* bias, double epsilon, int drops,
                             const MaskRows& rows, const Layer& layer, float* factors) {
  const int channel = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  if (channel >= channels) return;
  const int row = blockIdx.y;
  double sum = 0.0, square = 0.0;
  for (int chunk = threadIdx.x % 32; chunk < chunks; chunk += 32) {
    const float* from = partial + (static_cast<int64>(row) * chunks + chunk) * 2 * channels;
    sum += from[channel];
    square += from[channels + channel];
  }
  for (int offset = 16; offset > 0; offset /= 2) {
    sum += __shfl_xor_sync(0xFFFFFFFFu, sum, offset);
    square += __shfl_xor_sync(0xFFFFFFFFu, square, offset);
  }
  if (threadIdx.x % 32 != 0) return;
  const double mean = sum / voxels;
  const double variance = square / voxels - mean * mean;
  float scale = static_cast<float>(1.0 / sqrt((variance > 0.0 ? variance : 0.0) + epsilon));
  if (weight != nullptr) scale *= to_float(weight[channel]);
  float shift = static_cast<float>(-mean) * scale;
  if (bias != nullptr) shift += to_float(bias[channel]);
  if (drops) {
    const Words words = philox(channel / 4, rows.row[row], layer);
    const float factor = factors_of(words.at[channel % 4], rows.row[row], layer).scale;
    scale *= factor;
    shift *= factor;
  }
  float* target = factors + (static_cast<int64>(row) * channels + channel) * 2;
  target[0] = scale;
  target[1] = shift;
}

/// factors of dropout alone: scale and 0.
extern "C" __global__ void dropout_factors(int channels, const MaskRows rows, const Layer layer,
                                           float* factors) {
  const int channel = blockIdx.x * blockDim.x + threadIdx.x;
  if (channel >= channels) return;
  const Words words = philox(channel / 4, rows.row[blockIdx.y], layer);
  float* target = factors + (static_cast<int64>(blockIdx.y) * channels + channel) * 2;
  target[0] = factors_of(words.at[channel % 4], rows.row[blockIdx.y], layer).scale;
  target[1] = 0.0f;
}

/// output = activation(input * scale + shift), below 0 times `slopes` [1 or channels], 1 where there
/// are none; and for masks of elements their dropout.
template <typename T, int kVector>
__device__ void apply_factors(const T* input, T* output, int64 row_stride, int64 voxels,
                              int channels, const float* factors, const T* slopes, int slope_count,
                              int drops_elements, const MaskRows& rows, const Layer& layer) {
  using Vector = Pack<T, kVector>;
  const int vectors = channels / kVector;
  const int64 row_vectors = voxels * vectors;
  const Vector* from = reinterpret_cast<const Vector*>(input + blockIdx.y * row_stride);
  Vector* to = reinterpret_cast<Vector*>(output) + blockIdx.y * row_vectors;
  factors += static_cast<int64>(blockIdx.y) * channels * 2;
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.x;
  for (int64 n = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x; n < row_vectors;
       n += step) {
    const int first = static_cast<int>(n % vectors) * kVector;
    const Vector read = from[n];
    Vector result;
    for (int i = 0; i < kVector; ++i) {
      const int channel = first + i;
      float value = to_float(read.at[i]) * factors[2 * channel] + factors[2 * channel + 1];
      if (slope_count > 0 && value < 0.0f) {
        value *= to_float(slopes[slope_count == 1 ? 0 : channel]);
      }
      if (drops_elements) {
        const uint64 index = static_cast<uint64>(channel) * voxels + n / vectors;
        const Words words = philox(static_cast<uint32>(index / 4), rows.row[blockIdx.y], layer);
        value *= factors_of(words.at[index % 4], rows.row[blockIdx.y], layer).scale;
      }
      store(value, result.at[i]);
    }
    to[n] = result;
  }
}

#define MCVOL_VECTOR_KERNELS(T, name, width)                                                       \
  extern "C" __global__ void norm_sums_##name##_##width(const T* input, int64 row_stride,          \
                                                        int64 voxels, int channels,                \
                                                        float* partial) {                          \
    norm_sums<T, width>(input, row_stride, voxels, channels, partial);                             \
  }                                                                                                \
  extern "C" __global__ void apply_factors_##name##_##width(                                       \
      const T* input, T* output, int64 row_stride, int64 voxels, int channels,                     \
      const float* factors, const T* slopes, int slope_count, int drops_elements,                  \
      const MaskRows rows, const Layer layer) {                                                    \
    apply_factors<T, width>(input, output, row_stride, voxels, channels, factors, slopes,          \
                            slope_count, drops_elements, rows, layer);                             \
  }

#define MCVOL_NORM_KERNELS(T, name)                                                                \
  MCVOL_VECTOR_KERNELS(T, name, 8)                                                                 \
  MCVOL_VECTOR_KERNELS(T, name, 4)                                                                 \
  MCVOL_VECTOR_KERNELS(T, name, 1)                                                                 \
  extern "C" __global__ void norm_factors_##name(                                                  \
      const float* partial, int chunks, int64 voxels, int channels, const T* weight,               \
      const T* bias, double epsilon, int drops, const MaskRows rows, const Layer layer,            \
      float* factors) {                                                                            \
    norm_factors(partial, chunks, voxels, channels, weight, bias, epsilon, drops, rows, layer,     \
                 factors);                                                                         \
  }

MCVOL_NORM_KERNELS(Half, half)
MCVOL_NORM_KERNELS(BFloat16, bfloat16)

// ---------------------------------------------------------------- regions (region_logits.cpp)

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

// ---------------------------------------------------------------- blending (window_blend.cpp)

constexpr double kQuanta = 137438953472.0;  // 2^37
constexpr float kLargest = 65536.0f;

enum Complaint { kNotANumber = 0, kUncovered = 1 };

/// sums [passes, channels, all] += values [rows, channels, count] * weights; blockIdx.y: row and
/// channel; `passes`: of the rows.
extern "C" __global__ void blend_add(const float* values, const int64* voxels, const float* weights,
                                     int64 count, int channels, const int* passes, int64 all,
                                     int64* sums, int* complaints) {
  const int64 plane = blockIdx.y;
  const int64 target = static_cast<int64>(passes[plane / channels]) * channels + plane % channels;
  values += plane * count;
  sums += target * all;
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.x;
  for (int64 n = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x; n < count; n += step) {
    const float value = values[n];
    if (value != value) complaints[kNotANumber] = 1;
    const float from_below = value > -kLargest ? value : -kLargest;
    const float clamped = from_below < kLargest ? from_below : kLargest;
    sums[voxels[n]] += static_cast<int64>(static_cast<double>(clamped) * weights[n] * kQuanta);
  }
}

extern "C" __global__ void blend_add_weights(const int64* voxels, const float* weights, int64 count,
                                             int64* sums) {
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.x;
  for (int64 n = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x; n < count; n += step) {
    sums[voxels[n]] += static_cast<int64>(static_cast<double>(weights[n]) * kQuanta);
  }
}

/// means [planes, all] of sums [planes, all] and weights [all].
extern "C" __global__ void blend_means(const int64* sums, const int64* weights, int64 all,
                                       float* means, int* complaints) {
  sums += blockIdx.y * all;
  means += blockIdx.y * all;
  const int64 step = static_cast<int64>(gridDim.x) * blockDim.x;
  for (int64 n = static_cast<int64>(blockIdx.x) * blockDim.x + threadIdx.x; n < all; n += step) {
    if (weights[n] <= 0) complaints[kUncovered] = 1;
    means[n] = static_cast<float>(static_cast<double>(sums[n]) / static_cast<double>(weights[n]));
  }
}

// ---------------------------------------------------------------- histograms (logit_histogram.cpp)

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
/// all_passes, 2, 256] and, for passes below `sampled`, probabilities into sums [regions, all].
extern "C" __global__ void add_logits(const float* logits, const int64* voxels, int64 count,
                                      int regions, const int* passes, int sampled, int all_passes,
                                      int64 all, const float* lower_odds, uint64* histograms,
                                      uint64* sums, int* complaints) {
  __shared__ BlockHistogram block;
  block.clear();
  const int pass = passes[blockIdx.y / regions];
  const int64 region = blockIdx.y % regions;
  logits += blockIdx.y * count;
  sums += region * all;
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

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
                             const MaskRows& rows, const MaskLayer& layer, float* factors) {
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
extern "C" __global__ void dropout_factors(int channels, const MaskRows rows, const MaskLayer layer,
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
                              int drops_elements, const MaskRows& rows, const MaskLayer& layer) {
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
      const MaskRows rows, const MaskLayer layer) {                                                \
    apply_factors<T, width>(input, output, row_stride, voxels, channels, factors, slopes,          \
                            slope_count, drops_elements, rows, layer);                             \
  }

#define MCVOL_NORM_KERNELS(T, name)                                                                \
  MCVOL_VECTOR_KERNELS(T, name, 8)                                                                 \
  MCVOL_VECTOR_KERNELS(T, name, 4)                                                                 \
  MCVOL_VECTOR_KERNELS(T, name, 1)                                                                 \
  extern "C" __global__ void norm_factors_##name(                                                  \
      const float* partial, int chunks, int64 voxels, int channels, const T* weight,               \
      const T* bias, double epsilon, int drops, const MaskRows rows, const MaskLayer layer,        \
      float* factors) {                                                                            \
    norm_factors(partial, chunks, voxels, channels, weight, bias, epsilon, drops, rows, layer,     \
                 factors);                                                                         \
  }

MCVOL_NORM_KERNELS(Half, half)
MCVOL_NORM_KERNELS(BFloat16, bfloat16)

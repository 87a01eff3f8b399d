// Dropout, with the masks of docs/masks.md.

struct MaskRow {
  uint32 key0, key1, pass, dropout_off;
};
constexpr int kMostRows = 64;
struct MaskRows {
  MaskRow row[kMostRows];
};
/// Kept values become value * scale + kept_offset, dropped ones dropped_value.
struct MaskLayer {
  uint32 id, member_and_sharing;
  uint64 threshold;
  float scale, kept_offset, dropped_value;
};

struct Words {
  uint32 at[4];
};

__device__ Words philox(uint32 counter, const MaskRow& row, const MaskLayer& layer) {
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

__device__ Factors factors_of(uint32 word, const MaskRow& row, const MaskLayer& layer) {
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
                              int blocks_per_plane, const MaskLayer& layer) {
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
                              int64 input_row_stride, int64 elements, const MaskLayer& layer) {
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
                              const int64* positions, int64 tile_voxels, const MaskLayer& layer) {
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
      int64 plane, int blocks_per_plane, const MaskLayer layer) {                                  \
    drop_channels(input, output, rows, input_row_stride, channels, plane, blocks_per_plane,        \
                  layer);                                                                          \
  }                                                                                                \
  extern "C" __global__ void drop_elements_##name(const T* input, T* output, const MaskRows rows,  \
                                                  int64 input_row_stride, int64 elements,          \
                                                  const MaskLayer layer) {                         \
    drop_elements(input, output, rows, input_row_stride, elements, layer);                         \
  }                                                                                                \
  extern "C" __global__ void drop_gathered_##name(                                                 \
      const T* input, T* output, const MaskRows rows, int64 input_row_stride, int channels,        \
      int64 voxels, const int64* positions, int64 tile_voxels, const MaskLayer layer) {            \
    drop_gathered(input, output, rows, input_row_stride, channels, voxels, positions, tile_voxels, \
                  layer);                                                                          \
  }

MCVOL_DROPOUT_KERNELS(float, float)
MCVOL_DROPOUT_KERNELS(Half, half)
MCVOL_DROPOUT_KERNELS(BFloat16, bfloat16)

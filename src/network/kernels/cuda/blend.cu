// Blending (window_blend.cpp).

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

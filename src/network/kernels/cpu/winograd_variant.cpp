#include "winograd_variant.h"

namespace mcvol::MCVOL_VARIANT {
namespace {

typedef float Vector __attribute__((vector_size(kWinogradBlock * sizeof(float))));
typedef float InMemory __attribute__((vector_size(kWinogradBlock * sizeof(float)),
                                      aligned(alignof(float)), may_alias));

[[gnu::always_inline]] inline Vector load(const float* from) {
  return *reinterpret_cast<const InMemory*>(from);
}

[[gnu::always_inline]] inline void store(float* to, Vector value) {
  *reinterpret_cast<InMemory*>(to) = value;
}

/// rows[m][n] -> rows[n][m]
[[gnu::always_inline]] inline void transpose(Vector (&rows)[kWinogradBlock]) {
  Vector pairs[kWinogradBlock], fours[kWinogradBlock];
#pragma GCC unroll 4
  for (int n = 0; n < 4; ++n) {
    pairs[2 * n] = __builtin_shufflevector(rows[2 * n], rows[2 * n + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[2 * n + 1] =
        __builtin_shufflevector(rows[2 * n], rows[2 * n + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
#pragma GCC unroll 2
  for (int n = 0; n < 2; ++n) {
#pragma GCC unroll 2
    for (int m = 0; m < 2; ++m) {
      const Vector first = pairs[4 * n + m], second = pairs[4 * n + m + 2];
      fours[4 * n + 2 * m] = __builtin_shufflevector(first, second, 0, 1, 8, 9, 4, 5, 12, 13);
      fours[4 * n + 2 * m + 1] = __builtin_shufflevector(first, second, 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
#pragma GCC unroll 4
  for (int n = 0; n < 4; ++n) {
    rows[n] = __builtin_shufflevector(fours[n], fours[n + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    rows[n + 4] = __builtin_shufflevector(fours[n], fours[n + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

void transform_input(const float* line, std::int64_t voxel_stride, float* target,
                     std::int64_t product_stride, std::int64_t row_stride, std::int64_t count) {
  Vector products[kWinogradProducts][kWinogradBlock];
#pragma GCC unroll 8
  for (int quad = 0; quad < kWinogradBlock; ++quad) {
    const float* const from = line + quad * kWinogradQuad * voxel_stride;
    const Vector d0 = load(from), d1 = load(from + voxel_stride);
    const Vector d2 = load(from + 2 * voxel_stride), d3 = load(from + 3 * voxel_stride);
    const Vector d4 = load(from + 4 * voxel_stride), d5 = load(from + 5 * voxel_stride);
    const Vector even = d4 - 4.0F * d2, odd = d3 - 4.0F * d1;
    const Vector outer = d4 - d2, inner = 2.0F * (d3 - d1);
    products[0][quad] = 4.0F * d0 - 5.0F * d2 + d4;
    products[1][quad] = even + odd;
    products[2][quad] = even - odd;
    products[3][quad] = outer + inner;
    products[4][quad] = outer - inner;
    products[5][quad] = 4.0F * d1 - 5.0F * d3 + d5;
  }
  for (int n = 0; n < kWinogradProducts; ++n) {
    transpose(products[n]);
    float* const to = target + n * product_stride;
    for (std::int64_t m = 0; m < count; ++m) store(to + m * row_stride, products[n][m]);
  }
}

void transform_weights(const float* weights, float* target, std::int64_t product_stride,
                       std::int64_t count) {
  Vector products[kWinogradProducts][kWinogradBlock];
#pragma GCC unroll 8
  for (int output = 0; output < kWinogradBlock; ++output) {
    const float* const from = weights + output * kWinogradReach * kWinogradBlock;
    const Vector g0 = load(from), g1 = load(from + kWinogradBlock),
                 g2 = load(from + 2 * kWinogradBlock);
    const Vector outer = g0 + g2, far = g0 + 4.0F * g2;
    products[0][output] = g0 / 4.0F;
    products[1][output] = (outer + g1) / -6.0F;
    products[2][output] = (outer - g1) / -6.0F;
    products[3][output] = (far + 2.0F * g1) / 24.0F;
    products[4][output] = (far - 2.0F * g1) / 24.0F;
    products[5][output] = g2;
  }
  for (int n = 0; n < kWinogradProducts; ++n) {
    transpose(products[n]);
    float* const to = target + n * product_stride;
    for (std::int64_t m = 0; m < count; ++m) store(to + m * kWinogradBlock, products[n][m]);
  }
}

void transform_output(const float* products, std::int64_t outputs, std::int64_t first,
                      const float* bias, const QuadVoxels& voxels, std::int64_t count) {
  Vector results[kWinogradQuad][kWinogradBlock] = {};
  for (std::int64_t m = 0; m < count; ++m) {
    Vector product[kWinogradProducts];
    for (std::int64_t n = 0; n < kWinogradProducts; ++n) {
      product[n] = load(products + (n * outputs + m) * kStripVoxels + first);
    }
    const Vector one = product[1], two = product[2], three = product[3], four = product[4];
    const Vector sum = one + two, difference = one - two;
    const Vector far_sum = three + four, far_difference = three - four;
    results[0][m] = product[0] + sum + far_sum + bias[m];
    results[1][m] = difference + 2.0F * far_difference + bias[m];
    results[2][m] = sum + 4.0F * far_sum + bias[m];
    results[3][m] = difference + 8.0F * far_difference + product[5] + bias[m];
  }
  for (int n = 0; n < kWinogradQuad; ++n) {
    transpose(results[n]);
    for (int quad = 0; quad < kWinogradBlock; ++quad) {
      float* const to = voxels[quad][n];
      if (to == nullptr) continue;
      if (count == kWinogradBlock) {
        store(to, results[n][quad]);
      } else {
        for (std::int64_t m = 0; m < count; ++m) to[m] = results[n][quad][m];
      }
    }
  }
}

}  // namespace

constinit const WinogradTransforms kWinogradTransforms = {.transform_input = transform_input,
                                                          .transform_weights = transform_weights,
                                                          .transform_output = transform_output};

}  // namespace mcvol::MCVOL_VARIANT

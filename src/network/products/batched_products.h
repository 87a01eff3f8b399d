#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces products of activations (`matmul`, `bmm`, `mm`, `baddbmm`, and `einsum` of two operands
/// that is such a product) by batched_product(), and products with a constant matrix by linear
/// layers.
void use_batched_products(const std::shared_ptr<torch::jit::Graph>& graph);

/// What at::matmul gives, each matrix cut into blocks of rows that only its own sizes decide on, a
/// thread a block: a matrix has the same bits in any batch and for any threads. Of two matrices
/// without a batch, rows or columns may be samples: there each value is a sum by itself.
at::Tensor batched_product(const at::Tensor& first, const at::Tensor& second);

/// Rows of a block for products of [rows, inner] and [inner, columns]: enough to be worth a task,
/// and about the same number in each.
std::int64_t rows_of_block(std::int64_t rows, std::int64_t inner, std::int64_t columns);

/// [batch …, rows, columns]
std::vector<std::int64_t> matrix_sizes(at::IntArrayRef batch, std::int64_t rows,
                                       std::int64_t columns);

/// What comes before the last two.
at::IntArrayRef batch_sizes(const at::Tensor& matrices);

/// Of a tensor [batch …, rows, columns], one matrix, copied: MKL rounds by where in memory a row
/// begins, which the batch decides.
at::Tensor copied_rows(const at::Tensor& matrices, std::int64_t matrix, std::int64_t begin,
                       std::int64_t count);

}  // namespace mcvol

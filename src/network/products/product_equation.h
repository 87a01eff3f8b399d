#pragma once

#include <string>

#include <ATen/ATen.h>

namespace mcvol {

/// Whether an equation for einsum is a product of two operands: each letter once in an operand, and
/// in the result or in both operands.
bool is_product(const std::string& equation);

/// What at::einsum gives for such an equation, by batched_product(). Letters of both operands and
/// of the result number its matrices, and so does an operand's first, which may be that of samples.
at::Tensor product_by_equation(const std::string& equation, const at::Tensor& first,
                               const at::Tensor& second);

}  // namespace mcvol

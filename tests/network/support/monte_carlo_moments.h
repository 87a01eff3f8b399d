#pragma once

#include <string>

#include <ATen/ATen.h>

namespace mcvol::testing {

class Comparisons;

/// Whether two samples of passes, [passes, …] each, have the same mean and the same variance at
/// every place: two-sample z. The standard error of a variance comes from the fourth moment:
/// Var(s^2) = (m4 - s^4) / n to first order.
void compare_moments(Comparisons& comparisons, const std::string& name, const at::Tensor& first,
                     const at::Tensor& second);

}  // namespace mcvol::testing

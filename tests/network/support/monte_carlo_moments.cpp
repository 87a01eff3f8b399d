#include "network/support/monte_carlo_moments.h"

#include "network/support/statistical_checks.h"

namespace mcvol::testing {
namespace {

// Per place, over the passes.
struct Moments {
  at::Tensor mean;
  at::Tensor variance;
  at::Tensor mean_error_squared;
  at::Tensor variance_error_squared;
};

Moments moments_of(const at::Tensor& passes) {
  const at::Tensor values = passes.to(at::kDouble).flatten(1);
  const auto count = static_cast<double>(values.size(0));
  const at::Tensor mean = values.mean(0);
  const at::Tensor squares = (values - mean).square();
  const at::Tensor variance = squares.sum(0) / (count - 1);
  return {mean, variance, variance / count,
          (squares.square().mean(0) - variance.square()).clamp_min(0.0) / count};
}

void add_all(Comparisons& comparisons, const std::string& name, const at::Tensor& difference,
             const at::Tensor& error_squared) {
  const at::Tensor z = difference / error_squared.sqrt();
  const auto* value = z.const_data_ptr<double>();
  for (std::int64_t place = 0; place < z.numel(); ++place) {
    comparisons.add(name + " of place " + std::to_string(place), p_of_z(value[place]));
  }
}

}  // namespace

void compare_moments(Comparisons& comparisons, const std::string& name, const at::Tensor& first,
                     const at::Tensor& second) {
  const Moments a = moments_of(first);
  const Moments b = moments_of(second);
  add_all(comparisons, name + ", mean", a.mean - b.mean,
          a.mean_error_squared + b.mean_error_squared);
  add_all(comparisons, name + ", variance", a.variance - b.variance,
          a.variance_error_squared + b.variance_error_squared);
}

}  // namespace mcvol::testing

#include "mcvol/volumetry/normal.h"

#include "mcvol/error/error.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include <boost/math/special_functions/erf.hpp>

namespace mcvol {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kLogSqrt2Pi = 0.5 * std::log(2 * std::numbers::pi);

/// The z <= 0 of a lower-tail probability given as its logarithm.
double lower_tail_probit(double log_probability) {
  if (log_probability == -kInfinity) return -kInfinity;
  // Above this exp() and erfc_inv are exact to rounding.
  constexpr double kLogUnderflow = -650;
  if (log_probability > kLogUnderflow) {
    return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * std::exp(log_probability));
  }
  // Newton on log(Phi), which is concave and nearly quadratic here; its slope is about -z.
  double z = -std::sqrt(-2 * log_probability);
  for (int iteration = 0; iteration < 20; ++iteration) {
    const double log_cdf = normal_log_cdf(z);
    const double slope = std::exp(-0.5 * z * z - kLogSqrt2Pi - log_cdf);
    const double step = (log_cdf - log_probability) / slope;
    z -= step;
    if (std::abs(step) <= 1e-15 * std::abs(z)) break;
  }
  return z;
}

}  // namespace

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normal_pdf(double z) { return std::exp(-0.5 * z * z - kLogSqrt2Pi); }

double normal_log_cdf(double z) {
  if (z > 0) return std::log1p(-normal_cdf(-z));
  constexpr double kAsymptoticBelow = -30;
  if (z > kAsymptoticBelow) return std::log(normal_cdf(z));
  if (z == -kInfinity) return -kInfinity;
  // Abramowitz & Stegun 26.2.12; the next term is below 2e-12 here.
  const double t = 1 / (z * z);
  return -0.5 * z * z - std::log(-z) - kLogSqrt2Pi +
         std::log1p(-t * (1 - 3 * t * (1 - 5 * t * (1 - 7 * t))));
}

double probit(double probability) {
  if (!(probability >= 0 && probability <= 1)) {
    throw Error("probit: expected a probability in [0, 1], found " + std::to_string(probability));
  }
  if (probability == 0) return -kInfinity;
  if (probability == 1) return kInfinity;
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * probability);
}

double probit_from_logs(double log_cdf, double log_survival) {
  return log_cdf < log_survival ? lower_tail_probit(log_cdf) : -lower_tail_probit(log_survival);
}

}  // namespace mcvol

#pragma once

namespace mcvol {

/// Standard normal distribution function, accurate in both tails; ±infinity gives 0 or 1.
double normal_cdf(double z);
/// Standard normal density.
double normal_pdf(double z);
/// log(normal_cdf(z)), accurate where the CDF itself underflows.
double normal_log_cdf(double z);
/// Inverse of normal_cdf; 0 and 1 give ±infinity. @throws Error outside [0, 1].
double probit(double probability);
/// The z with log(normal_cdf(z)) = `log_cdf` and log(normal_cdf(-z)) = `log_survival`. Works from
/// the smaller of the two, so that probabilities that round to 0 or 1 keep their order.
double probit_from_logs(double log_cdf, double log_survival);

}  // namespace mcvol

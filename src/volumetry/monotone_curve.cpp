#include "mcvol/volumetry/monotone_curve.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace mcvol {
namespace {

/// Derivative times spacing at an end, of the parabola through the end's secant and the next one.
double end_rise(double secant, double next_secant) {
  return std::clamp(1.5 * secant - 0.5 * next_secant, 0.0, 3 * secant);
}

/// Derivative times spacing at knot j, by central differences where there are neighbours.
double rise_at(const std::vector<double>& values, std::size_t j) {
  const std::size_t last = values.size() - 1;
  if (last == 1) return values[1] - values[0];
  if (j == 0) return end_rise(values[1] - values[0], values[2] - values[1]);
  if (j == last) {
    return end_rise(values[last] - values[last - 1], values[last - 1] - values[last - 2]);
  }
  const double near = values[j + 1] - values[j - 1];
  double rise = near / 2;
  if (j >= 2 && j + 2 <= last) rise = (8 * near - (values[j + 2] - values[j - 2])) / 12;
  const double smaller = std::min(values[j + 1] - values[j], values[j] - values[j - 1]);
  return std::clamp(rise, 0.0, 3 * smaller);
}

/// Cubic on t in [0, 1] with the ends' values and rises, and its derivative.
struct Piece {
  double from, rise_from, rise_to, difference;

  double value(double t) const {
    const double quadratic = 3 * difference - 2 * rise_from - rise_to;
    const double cubic = rise_from + rise_to - 2 * difference;
    return from + t * (rise_from + t * (quadratic + t * cubic));
  }
  double slope(double t) const {
    const double quadratic = 3 * difference - 2 * rise_from - rise_to;
    const double cubic = rise_from + rise_to - 2 * difference;
    return rise_from + t * (2 * quadratic + 3 * t * cubic);
  }
  /// The t at which the value is y, from < y < from + difference: Newton, kept in its bracket.
  double solve(double y) const {
    double low = 0;
    double high = 1;
    double t = (y - from) / difference;
    for (int iteration = 0; iteration < 60; ++iteration) {
      const double error = value(t) - y;
      (error > 0 ? high : low) = t;
      double next = t - error / slope(t);
      if (!(next > low && next < high)) next = (low + high) / 2;
      if (std::abs(next - t) < 1e-13) return next;
      t = next;
    }
    return t;
  }
};

}  // namespace

MonotoneCurve::MonotoneCurve(double start, double spacing, std::vector<double> values)
    : start_(start), spacing_(spacing), values_(std::move(values)) {
  if (values_.size() < 2 || !(spacing > 0)) {
    throw Error("monotone curve: expected at least two knots with a spacing above 0");
  }
  for (std::size_t j = 1; j < values_.size(); ++j) {
    values_[j] = std::max(values_[j], values_[j - 1]);
  }
  rises_.reserve(values_.size());
  for (std::size_t j = 0; j < values_.size(); ++j) rises_.push_back(rise_at(values_, j));
}

double MonotoneCurve::value(double x) const {
  const double position = (x - start_) / spacing_;
  if (!(position > 0)) return values_.front();
  if (position >= static_cast<double>(values_.size() - 1)) return values_.back();
  const auto j = static_cast<std::size_t>(position);
  const Piece piece{values_[j], rises_[j], rises_[j + 1], values_[j + 1] - values_[j]};
  return piece.value(position - static_cast<double>(j));
}

double MonotoneCurve::inverse(double y) const {
  const auto above = std::upper_bound(values_.begin(), values_.end(), y);
  if (above == values_.begin()) return -std::numeric_limits<double>::infinity();
  if (above == values_.end()) return std::numeric_limits<double>::infinity();
  const auto j = static_cast<std::size_t>(above - values_.begin()) - 1;
  const Piece piece{values_[j], rises_[j], rises_[j + 1], values_[j + 1] - values_[j]};
  const double t = y > piece.from ? piece.solve(y) : 0;
  return start_ + (static_cast<double>(j) + t) * spacing_;
}

}  // namespace mcvol

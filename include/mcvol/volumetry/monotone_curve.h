#pragma once

#include <vector>

namespace mcvol {

/// A non-decreasing function given on equally spaced knots, cubic in between.
///
/// Hermite cubics with fourth-order slopes, limited to three times the smaller neighbouring secant,
/// so that no piece turns (Fritsch, Carlson, "Monotone piecewise cubic interpolation", SIAM J.
/// Numer. Anal. 17, 1980).
class MonotoneCurve {
 public:
  /// `values[j]` belongs to start + j * spacing; at least two. A value below the one before it (by
  /// rounding) is raised to that. @throws Error on fewer values or spacing <= 0.
  MonotoneCurve(double start, double spacing, std::vector<double> values);

  /// The function at x; constant beyond the ends.
  double value(double x) const;
  /// The largest x whose value is at most y: -infinity below the first value, +infinity from the
  /// last one on.
  double inverse(double y) const;

 private:
  double start_;
  double spacing_;
  std::vector<double> values_;
  std::vector<double> rises_;  ///< slope times spacing, per knot
};

}  // namespace mcvol

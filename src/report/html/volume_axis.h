#pragma once

#include <string>
#include <vector>

namespace mcvol {

/// A horizontal axis of volumes, even in V^(1/3): an error of a millilitre is much for a small
/// tumour and little for a large one.
class VolumeAxis {
 public:
  /// From 0 to `most_ml`, between the pixels `left` and `right`.
  VolumeAxis(double most_ml, double left, double right);

  double at(double volume_ml) const;
  /// Round volumes that leave room for their labels.
  std::vector<double> ticks_ml() const;

 private:
  double scale_;  ///< pixels per ml^(1/3)
  double left_;
  double right_;
};

/// Where an axis ends that is to stay readable with outliers: at the largest volume that is none.
/// An outlier is beyond 27 times the upper quartile of `most_ml`, so that three quarters of the
/// rows would keep less than a third of the axis, and one of the largest twentieth of the rows, or
/// the largest. Of fewer than four rows none is an outlier.
/// @param most_ml the largest volume of each row.
double axis_end_ml(std::vector<double> most_ml);

/// A coordinate with one decimal.
std::string pixel(double value);

}  // namespace mcvol

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

/// Where an axis ends that is to stay readable with an outlier: at eight times the upper quartile
/// of `most_ml`, so that three quarters of the rows keep at least half of it, but not before a
/// twentieth of the rows (at least one) would go beyond. At the largest where that is less than
/// twice as far, and of fewer than four.
/// @param most_ml the largest volume of each row.
double axis_end_ml(std::vector<double> most_ml);

/// A coordinate with one decimal.
std::string pixel(double value);

}  // namespace mcvol

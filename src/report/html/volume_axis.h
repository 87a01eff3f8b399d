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

/// A coordinate with one decimal.
std::string pixel(double value);

}  // namespace mcvol

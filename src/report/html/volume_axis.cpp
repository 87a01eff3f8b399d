#include "volume_axis.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mcvol {

namespace {

constexpr double kTickGap = 42;  // pixels, room for "1000"
constexpr std::array kTicksMl{0.1, 1.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 300.0, 500.0, 1000.0};

}  // namespace

VolumeAxis::VolumeAxis(double most_ml, double left, double right)
    : scale_((right - left) / std::cbrt(std::max(most_ml, 1.0))), left_(left), right_(right) {}

double VolumeAxis::at(double volume_ml) const {
  return std::clamp(left_ + scale_ * std::cbrt(std::max(volume_ml, 0.0)), left_, right_);
}

std::vector<double> VolumeAxis::ticks_ml() const {
  std::vector<double> ticks{0};
  for (const double tick : kTicksMl) {
    const double x = left_ + scale_ * std::cbrt(tick);
    if (x <= right_ && x >= at(ticks.back()) + kTickGap) ticks.push_back(tick);
  }
  return ticks;
}

std::string pixel(double value) { return decimal_text(value, 1); }

}  // namespace mcvol

#include "volume_axis.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mcvol {

namespace {

constexpr double kTickGap = 42;  // pixels, room for "1000"
constexpr double kDigit = 8;     // pixels, and a little air
constexpr std::array kTicksMl{0.1, 1.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 300.0, 500.0};

/// Whether a label of this volume, as wide as its digits, has room beside the one before it.
bool has_room(double gap, double tick_ml) {
  const double digits = std::floor(std::log10(tick_ml)) + 1;
  return gap >= std::max(kTickGap, kDigit * (digits + 1));
}

}  // namespace

VolumeAxis::VolumeAxis(double most_ml, double left, double right)
    : scale_((right - left) / std::cbrt(std::max(most_ml, 1.0))), left_(left), right_(right) {}

double VolumeAxis::at(double volume_ml) const {
  return std::clamp(left_ + scale_ * std::cbrt(std::max(volume_ml, 0.0)), left_, right_);
}

std::vector<double> VolumeAxis::ticks_ml() const {
  std::vector<double> ticks{0};
  const auto add = [&](double tick) {
    const double x = left_ + scale_ * std::cbrt(tick);
    if (x <= right_ && has_room(x - at(ticks.back()), tick)) ticks.push_back(tick);
    return x <= right_;
  };
  for (const double tick : kTicksMl) add(tick);
  // A volume beyond a litre is no tumour's, and has to be read off all the more.
  for (double decade = 1000; add(decade); decade *= 10) {
    add(2 * decade);
    add(5 * decade);
  }
  return ticks;
}

double axis_end_ml(std::vector<double> most_ml) {
  constexpr std::size_t kFewest = 4;
  if (most_ml.empty()) return 0;
  std::sort(most_ml.begin(), most_ml.end());
  const std::size_t count = most_ml.size();
  if (count < kFewest) return most_ml.back();
  const std::size_t beyond = std::max<std::size_t>(1, count / 20);
  const double quartile = most_ml[(3 * count + 3) / 4 - 1];
  const double bound = std::max(27 * quartile, most_ml[count - 1 - beyond]);
  return *(std::upper_bound(most_ml.begin(), most_ml.end(), bound) - 1);
}

std::string pixel(double value) { return decimal_text(value, 1); }

}  // namespace mcvol

#pragma once

#include "mcvol/image/prepared_scan.h"

#include <algorithm>

namespace mcvol::testing_support {

/// Three channels of whole numbers in an uneven brain: what make_expected.py has.
inline PreparedScan scan_of_whole_numbers() {
  PreparedScan scan;
  scan.grid.size = {14, 12, 10};
  scan.grid.spacing_mm = {1.0, 1.5, 3.0};
  scan.brain = Image<std::uint8_t>(scan.grid);
  scan.channels.assign(3, Image<float>(scan.grid));
  for_each_voxel_of(Image<std::uint8_t>(scan.grid, 1), [&](const Index3& v, std::size_t at) {
    const auto [i, j, k] = v;
    const std::int64_t over = std::max<std::int64_t>(i - 6, 0);
    const bool inside = 4 * (i - 6) * (i - 6) + 3 * over * over + 5 * (j - 5) * (j - 5) <
                        40 + 11 * k + (j > 5 ? 30 : 0);
    scan.brain.values[at] = inside && (i + 2 * j) % 11 > 0 && k > 0 ? 1 : 0;
    const auto number = [](std::int64_t n) { return static_cast<double>(n); };
    const double first =
        number((7 * i + 13 * j + 29 * k + 3 * i * j + i * j * k % 11) % 31) / 8 + number(k) / 2;
    const double second = first * 0.75 + number((5 * i + 3 * j * j + 17 * k + i * k) % 23) / 4;
    const double third = number((11 * i + j * k * 7 + 3 * i * i) % 29) / 16 - number(i) / 4;
    scan.channels[0].values[at] = static_cast<float>(first);
    scan.channels[1].values[at] = static_cast<float>(second);
    scan.channels[2].values[at] = static_cast<float>(third);
  });
  return scan;
}

}  // namespace mcvol::testing_support

#include "mcvol/image/grid.h"

#include <algorithm>
#include <cmath>
#include <locale>
#include <sstream>

#include <Eigen/LU>

namespace mcvol {

Eigen::Vector3d Grid::physical_from_index(const Eigen::Vector3d& index) const {
  return origin_mm + direction * spacing_mm.cwiseProduct(index);
}

Eigen::Vector3d Grid::index_from_physical(const Eigen::Vector3d& point_mm) const {
  // The inverse, not the transpose: headers in single precision are orthonormal only to rounding.
  return (direction.inverse() * (point_mm - origin_mm)).cwiseQuotient(spacing_mm);
}

double corner_distance_mm(const Grid& a, const Grid& b) {
  double furthest_mm = 0.0;
  for (int corner = 0; corner < 8; ++corner) {
    Eigen::Vector3d index;
    for (int axis = 0; axis < 3; ++axis) {
      const bool far_end = ((corner >> axis) & 1) != 0;
      index[axis] = far_end ? static_cast<double>(a.size[axis] - 1) : 0.0;
    }
    const double distance_mm = (a.physical_from_index(index) - b.physical_from_index(index)).norm();
    furthest_mm = std::max(furthest_mm, distance_mm);
  }
  return furthest_mm;
}

bool same_grid(const Grid& a, const Grid& b, double tolerance_mm) {
  return a.size == b.size && corner_distance_mm(a, b) <= tolerance_mm;
}

std::string orientation_of(const Grid& grid) {
  // Of the six orders, the one whose axes turn least; each index needs an axis of its own, which
  // taking the largest entry of each column does not ensure for scans near 45 degrees.
  std::array<int, 3> order{0, 1, 2};
  std::array<int, 3> best = order;
  double best_sum = -1.0;
  do {
    double sum = 0.0;
    for (int index = 0; index < 3; ++index) {
      sum += std::abs(grid.direction(order[index], index));
    }
    if (sum > best_sum + 1e-9) {
      best_sum = sum;
      best = order;
    }
  } while (std::next_permutation(order.begin(), order.end()));

  constexpr char kIncreasing[] = "LPS";
  constexpr char kDecreasing[] = "RAI";
  std::string letters;
  for (int index = 0; index < 3; ++index) {
    const int axis = best[index];
    letters += grid.direction(axis, index) >= 0.0 ? kIncreasing[axis] : kDecreasing[axis];
  }
  return letters;
}

std::string describe(const Grid& grid) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << grid.size[0] << 'x' << grid.size[1] << 'x' << grid.size[2] << " voxels of "
       << grid.spacing_mm[0] << 'x' << grid.spacing_mm[1] << 'x' << grid.spacing_mm[2] << " mm, "
       << orientation_of(grid);
  return text.str();
}

}  // namespace mcvol

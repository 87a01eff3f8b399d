#include "contour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace mcvol {

namespace {

/// The picture with a margin of zeros, so that every line closes; its edges are numbered, two for
/// each node: 2 n goes right from node n, 2 n + 1 goes down.
class MarchingSquares {
 public:
  MarchingSquares(const std::vector<std::uint8_t>& values, std::int64_t width, double level)
      : level_(level), columns_(static_cast<std::size_t>(width) + 2) {
    const std::size_t rows = values.size() / (columns_ - 2) + 2;
    values_.assign(columns_ * rows, 0);
    for (std::size_t n = 0; n < values.size(); ++n) {
      values_[(n / (columns_ - 2) + 1) * columns_ + n % (columns_ - 2) + 1] = values[n];
    }
    next_.assign(2 * values_.size(), kNone);
    for (std::size_t row = 0; row + 1 < rows; ++row) {
      for (std::size_t column = 0; column + 1 < columns_; ++column) cross(row * columns_ + column);
    }
  }

  std::vector<std::vector<PicturePoint>> lines() {
    std::vector<std::vector<PicturePoint>> lines;
    for (std::size_t start = 0; start < next_.size(); ++start) {
      std::vector<PicturePoint> line;
      for (std::size_t edge = start; next_[edge] != kNone;) {
        line.push_back(crossing_of(edge));
        const std::size_t after = next_[edge];
        next_[edge] = kNone;
        edge = after;
      }
      if (!line.empty()) lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  bool inside(std::size_t node) const { return values_[node] > level_; }

  /// Joins the edges of a cell that the line crosses. Going round clockwise, it enters where values
  /// rise above the level and leaves where they fall below it; the next cell sees the same edge the
  /// other way round, so the pieces link up.
  void cross(std::size_t node) {
    const std::array<std::size_t, 4> corners{node, node + 1, node + columns_ + 1, node + columns_};
    const std::array<std::size_t, 4> edges{2 * node, 2 * (node + 1) + 1, 2 * (node + columns_),
                                           2 * node + 1};
    int crossed = 0;
    double sum = 0;
    for (std::size_t n = 0; n < 4; ++n) {
      crossed += inside(corners[n]) != inside(corners[(n + 1) % 4]) ? 1 : 0;
      sum += values_[corners[n]];
    }
    if (crossed == 0) return;
    // At a saddle with a high middle the line keeps the low corners apart, else the high ones.
    const std::size_t turn = crossed == 4 && sum / 4 > level_ ? 3 : 1;
    for (std::size_t n = 0; n < 4; ++n) {
      if (inside(corners[n]) || !inside(corners[(n + 1) % 4])) continue;
      std::size_t leave = (n + turn) % 4;
      while (inside(corners[leave]) == inside(corners[(leave + 1) % 4])) leave = (leave + 1) % 4;
      next_[edges[n]] = edges[leave];
    }
  }

  PicturePoint crossing_of(std::size_t edge) const {
    const std::size_t node = edge / 2;
    const bool down = edge % 2 == 1;
    const double from = values_[node];
    const double to = values_[down ? node + columns_ : node + 1];
    const double share = (level_ - from) / (to - from);
    const std::size_t column = node % columns_, row = node / columns_;
    // Less the margin of one pixel, to the centre of the pixel.
    const double x = static_cast<double>(column) - 0.5;
    const double y = static_cast<double>(row) - 0.5;
    return down ? PicturePoint{x, y + share} : PicturePoint{x + share, y};
  }

  double level_;
  std::size_t columns_;
  std::vector<double> values_;
  std::vector<std::size_t> next_;  ///< by edge: the one the line crosses next
};

double distance(const PicturePoint& point, const PicturePoint& a, const PicturePoint& b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length = std::hypot(dx, dy);
  if (length == 0) return std::hypot(point.x - a.x, point.y - a.y);
  return std::abs(dx * (point.y - a.y) - dy * (point.x - a.x)) / length;
}

/// Marks which points between `first` and `last` stay.
void mark_needed(const std::vector<PicturePoint>& line, std::size_t first, std::size_t last,
                 std::vector<bool>& needed) {
  constexpr double kTolerance = 1.0 / 12;
  std::size_t furthest = first;
  double most = kTolerance;
  for (std::size_t n = first + 1; n < last; ++n) {
    const double off = distance(line[n], line[first], line[last]);
    if (off > most) {
      most = off;
      furthest = n;
    }
  }
  if (furthest == first) return;
  needed[furthest] = true;
  mark_needed(line, first, furthest, needed);
  mark_needed(line, furthest, last, needed);
}

std::vector<PicturePoint> simplified(const std::vector<PicturePoint>& line) {
  // A closed line is two open ones, to the point furthest from the first and back.
  std::vector<PicturePoint> closed = line;
  closed.push_back(line.front());
  const auto far =
      std::max_element(closed.begin(), closed.end(), [&](const auto& a, const auto& b) {
        return std::hypot(a.x - line[0].x, a.y - line[0].y) <
               std::hypot(b.x - line[0].x, b.y - line[0].y);
      });
  const auto middle = static_cast<std::size_t>(far - closed.begin());
  std::vector<bool> needed(closed.size(), false);
  needed[0] = needed[middle] = true;
  mark_needed(closed, 0, middle, needed);
  mark_needed(closed, middle, closed.size() - 1, needed);
  std::vector<PicturePoint> kept;
  for (std::size_t n = 0; n < line.size(); ++n) {
    if (needed[n]) kept.push_back(line[n]);
  }
  return kept;
}

double area_within(const std::vector<PicturePoint>& line) {
  double twice = 0;
  for (std::size_t n = 0; n < line.size(); ++n) {
    const PicturePoint& a = line[n];
    const PicturePoint& b = line[(n + 1) % line.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return std::abs(twice) / 2;
}

std::string token(long value, bool first) {
  return (first || value < 0 ? "" : " ") + std::to_string(value);
}

}  // namespace

std::vector<std::vector<PicturePoint>> contours_at(const std::vector<std::uint8_t>& values,
                                                   std::int64_t width, double level) {
  return MarchingSquares(values, width, level).lines();
}

std::vector<std::vector<PicturePoint>> without_small(std::vector<std::vector<PicturePoint>> lines,
                                                     double least_area) {
  double largest = 0;
  for (const auto& line : lines) largest = std::max(largest, area_within(line));
  std::erase_if(lines, [&](const auto& line) {
    const double area = area_within(line);
    return area < least_area && area < largest;
  });
  return lines;
}

std::string path_of(const std::vector<std::vector<PicturePoint>>& lines, double aspect) {
  std::string path;
  for (const std::vector<PicturePoint>& line : lines) {
    const std::vector<PicturePoint> points = simplified(line);
    if (points.size() < 3) continue;  // smaller than can be seen
    long x = 0, y = 0;
    for (std::size_t n = 0; n < points.size(); ++n) {
      const long to_x = std::lround(10 * points[n].x),
                 to_y = std::lround(10 * aspect * points[n].y);
      if (n < 2) path += n == 0 ? "M" : "l";
      path += token(to_x - x, n < 2) + token(to_y - y, false);
      x = to_x;
      y = to_y;
    }
    path += "z";
  }
  return path;
}

}  // namespace mcvol

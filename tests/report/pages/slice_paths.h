#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <regex>
#include <string>
#include <vector>

// Lines of a page's slices.

namespace mcvol::testing {

/// A closed line, in tenths of a pixel.
struct PathPoint {
  double x = 0, y = 0;
};

/// Of the path that `id` names, a single line of relative coordinates; empty where there is none.
inline std::vector<PathPoint> points_of_path(const std::string& page, const std::string& id) {
  const std::size_t at = page.find("<path id=\"" + id + "\"");
  if (at == std::string::npos) return {};
  const std::size_t begin = page.find(" d=\"", at) + 4;
  const std::string path = page.substr(begin, page.find('"', begin) - begin);
  static const std::regex kNumber("-?[0-9]+");
  std::vector<double> numbers;
  for (std::sregex_iterator number(path.begin(), path.end(), kNumber), end; number != end;
       ++number) {
    numbers.push_back(std::stod(number->str()));
  }
  std::vector<PathPoint> points;
  PathPoint point;
  for (std::size_t n = 0; n + 1 < numbers.size(); n += 2) {
    point = {point.x + numbers[n], point.y + numbers[n + 1]};
    points.push_back(point);
  }
  return points;
}

/// In square pixels; -1 where there is no such path.
inline double area_of_path(const std::string& page, const std::string& id) {
  const std::vector<PathPoint> points = points_of_path(page, id);
  if (points.empty()) return -1;
  double twice = 0;
  for (std::size_t n = 0; n < points.size(); ++n) {
    const PathPoint& a = points[n];
    const PathPoint& b = points[(n + 1) % points.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return std::abs(twice) / 200;
}

}  // namespace mcvol::testing

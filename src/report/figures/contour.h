#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mcvol {

/// In pixels from the upper left corner of a picture; the centre of its first pixel is (0.5, 0.5).
struct PicturePoint {
  double x = 0, y = 0;
};

/// Where the values of a picture, linear between pixel centres, are `level`: closed lines (the last
/// point joins the first), values above the level on the same side of all. What lies beyond the
/// picture counts as 0. Marching squares; at a saddle the mean of its four values decides.
/// @param values [row, column] of rows of `width`. @param level above 0.
std::vector<std::vector<PicturePoint>> contours_at(const std::vector<std::uint8_t>& values,
                                                   std::int64_t width, double level);

/// Without islands and holes of less than `least_area` square pixels; the largest line stays,
/// whatever its area.
std::vector<std::vector<PicturePoint>> without_small(std::vector<std::vector<PicturePoint>> lines,
                                                     double least_area);

/// The lines as the `d` of an SVG path, in tenths of a pixel, the y axis stretched by `aspect`.
/// Points that lie within a twelfth of a pixel of the line without them are left out (Douglas,
/// Peucker, 1973).
std::string path_of(const std::vector<std::vector<PicturePoint>>& lines, double aspect);

}  // namespace mcvol

#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mcvol {

/// One axis of a plot: where values lie, and what is written at which.
struct PlotAxis {
  std::string label;
  double least = 0;
  double most = 1;
  std::vector<double> ticks;
  std::function<std::string(double)> tick_text;
  /// Values are even in this; none: in themselves.
  std::function<double(double)> scale;

  /// From 0 to 1.
  static PlotAxis fraction(const std::string& label);
  /// From 0 to `most_ml`, even in the cube root.
  static PlotAxis volume(const std::string& label, double most_ml);
};

/// A square picture with two axes, as SVG.
class Plot {
 public:
  Plot(std::string title, PlotAxis x, PlotAxis y);

  /// All take values of the axes. @param style attributes of the element.
  void line(double x1, double y1, double x2, double y2, const std::string& style);
  void polyline(const std::vector<std::pair<double, double>>& points, const std::string& style);
  void polygon(const std::vector<std::pair<double, double>>& points, const std::string& style);
  void box(double x1, double y1, double x2, double y2, const std::string& style);
  /// @param tip what the pointer is told; may be empty.
  void circle(double x, double y, double radius, const std::string& style, const std::string& tip);
  /// Words in the upper left corner, a line each.
  void note(const std::string& words);

  std::string svg() const;

 private:
  double x_at(double value) const;
  double y_at(double value) const;
  std::string point(double x, double y) const;

  std::string title_;
  PlotAxis x_, y_;
  std::string drawn_;
  int notes_ = 0;
};

}  // namespace mcvol

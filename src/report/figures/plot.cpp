#include "plot.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "report/html/html.h"
#include "report/html/volume_axis.h"

namespace mcvol {

namespace {

constexpr double kPlotSize = 460;
constexpr double kPlotLeft = 58;
constexpr double kPlotRight = 446;
constexpr double kPlotTop = 14;
constexpr double kPlotBottom = 402;
constexpr double kLineHeight = 16;

double position(const PlotAxis& axis, double value) {
  const auto scaled = [&](double of) { return axis.scale ? axis.scale(of) : of; };
  const double held = std::clamp(value, axis.least, axis.most);
  return (scaled(held) - scaled(axis.least)) / (scaled(axis.most) - scaled(axis.least));
}

}  // namespace

PlotAxis PlotAxis::fraction(const std::string& label) {
  PlotAxis axis;
  axis.label = label;
  axis.ticks = {0, 0.2, 0.4, 0.6, 0.8, 1};
  axis.tick_text = [](double value) { return decimal_text(value, 1); };
  return axis;
}

PlotAxis PlotAxis::volume(const std::string& label, double most_ml) {
  PlotAxis axis;
  axis.label = label;
  axis.most = std::max(most_ml, 1.0);
  axis.ticks = VolumeAxis(axis.most, kPlotLeft, kPlotRight).ticks_ml();
  axis.tick_text = shortest_text;
  axis.scale = [](double value) { return std::cbrt(value); };
  return axis;
}

Plot::Plot(std::string title, PlotAxis x, PlotAxis y)
    : title_(std::move(title)), x_(std::move(x)), y_(std::move(y)) {
  for (const double tick : x_.ticks) {
    line(tick, y_.least, tick, y_.most, "class=\"grid\"");
    drawn_ += "<text class=\"soft\" text-anchor=\"middle\" x=\"" + pixel(x_at(tick)) + "\" y=\"" +
              pixel(kPlotBottom + kLineHeight) + "\">" + x_.tick_text(tick) + "</text>\n";
  }
  for (const double tick : y_.ticks) {
    line(x_.least, tick, x_.most, tick, "class=\"grid\"");
    drawn_ += "<text class=\"soft\" text-anchor=\"end\" x=\"" + pixel(kPlotLeft - 6) + "\" y=\"" +
              pixel(y_at(tick) + 4) + "\">" + y_.tick_text(tick) + "</text>\n";
  }
  drawn_ += "<text text-anchor=\"middle\" x=\"" + pixel((kPlotLeft + kPlotRight) / 2) + "\" y=\"" +
            pixel(kPlotBottom + 2.4 * kLineHeight) + "\">" + escaped(x_.label) + "</text>\n";
  drawn_ += "<text text-anchor=\"middle\" transform=\"translate(14 " +
            pixel((kPlotTop + kPlotBottom) / 2) + ") rotate(-90)\">" + escaped(y_.label) +
            "</text>\n";
}

double Plot::x_at(double value) const {
  return kPlotLeft + (kPlotRight - kPlotLeft) * position(x_, value);
}

double Plot::y_at(double value) const {
  return kPlotBottom - (kPlotBottom - kPlotTop) * position(y_, value);
}

std::string Plot::point(double x, double y) const { return pixel(x_at(x)) + "," + pixel(y_at(y)); }

void Plot::line(double x1, double y1, double x2, double y2, const std::string& style) {
  drawn_ += "<line x1=\"" + pixel(x_at(x1)) + "\" y1=\"" + pixel(y_at(y1)) + "\" x2=\"" +
            pixel(x_at(x2)) + "\" y2=\"" + pixel(y_at(y2)) + "\" " + style + "/>\n";
}

void Plot::polyline(const std::vector<std::pair<double, double>>& points,
                    const std::string& style) {
  drawn_ += "<polyline fill=\"none\" points=\"";
  for (const auto& [x, y] : points) drawn_ += point(x, y) + " ";
  drawn_ += "\" " + style + "/>\n";
}

void Plot::polygon(const std::vector<std::pair<double, double>>& points, const std::string& style) {
  drawn_ += "<polygon points=\"";
  for (const auto& [x, y] : points) drawn_ += point(x, y) + " ";
  drawn_ += "\" " + style + "/>\n";
}

void Plot::box(double x1, double y1, double x2, double y2, const std::string& style) {
  polygon({{x1, y1}, {x2, y1}, {x2, y2}, {x1, y2}}, style);
}

void Plot::circle(double x, double y, double radius, const std::string& style,
                  const std::string& tip) {
  drawn_ += "<circle cx=\"" + pixel(x_at(x)) + "\" cy=\"" + pixel(y_at(y)) + "\" r=\"" +
            pixel(radius) + "\" " + style;
  drawn_ += tip.empty() ? "/>\n" : "><title>" + escaped(tip) + "</title></circle>\n";
}

void Plot::note(const std::string& words) {
  ++notes_;
  drawn_ += "<text x=\"" + pixel(kPlotLeft + 8) + "\" y=\"" +
            pixel(kPlotTop + kLineHeight * notes_) + "\">" + escaped(words) + "</text>\n";
}

std::string Plot::svg() const {
  return "<svg viewBox=\"0 0 " + pixel(kPlotSize) + " " + pixel(kPlotSize) +
         "\" role=\"img\" aria-label=\"" + escaped(title_) + "\">\n" + drawn_ + "</svg>\n";
}

}  // namespace mcvol

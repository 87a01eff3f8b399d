#include "interval_chart.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <utility>

#include "chart_pages.h"
#include "report/html/flag_meanings.h"
#include "report/html/html.h"
#include "report/html/svg_shapes.h"
#include "report/html/volume_axis.h"

namespace mcvol {

namespace {

constexpr double kLeft = 200;   // of the axis
constexpr double kRight = 790;  // then the numbers
constexpr double kRowHeight = 22;
constexpr double kTop = 30;
constexpr std::size_t kMostLabelLetters = 26;

double largest_of(const VolumeRow& row) {
  double most = 0;
  for (const auto& volume : {row.upper_ml, row.raw_upper_ml, row.segmented_ml}) {
    most = std::max(most, volume.value_or(0));
  }
  return most;
}

double end_of_axis(const std::vector<VolumeRow>& rows) {
  std::vector<double> largest;
  for (const VolumeRow& row : rows) largest.push_back(largest_of(row));
  return axis_end_ml(std::move(largest));
}

/// Points to what lies beyond the axis.
std::string arrow_at(double y, const std::string& kind) {
  return "<path class=\"" + kind + "\" d=\"M" + pixel(kRight + 2) + " " + pixel(y - 5) +
         "l8 5l-8 5z\"/>\n";
}

std::string axis_at(const VolumeAxis& axis, double y, double bottom) {
  std::string drawn;
  for (const double tick : axis.ticks_ml()) {
    const double x = axis.at(tick);
    if (bottom > y) drawn += svg_line(x, y, x, bottom, "class=\"grid\"");
    drawn += svg_text(x, y - 8, shortest_text(tick), "class=\"soft\" text-anchor=\"middle\"");
  }
  return drawn + svg_text(kRight + 34, y - 8, "ml", "class=\"soft\"");
}

/// What a screen reader and the pointer are told.
std::string words_of(const VolumeRow& row) {
  const bool calibrated = row.lower_ml.has_value();
  std::string words = row.case_id + ": ";
  if (calibrated) words += interval_text(row) + " ml; ";
  words += "raw " + volume_text(*row.raw_volume_ml) + " ml, " + volume_text(*row.raw_lower_ml) +
           " to " + volume_text(*row.raw_upper_ml);
  for (const std::string& flag : row.flags) words += "; " + flag;
  return words;
}

std::string drawn_row(const VolumeRow& row, const VolumeAxis& axis, double end_ml, double y) {
  const std::string words = escaped(words_of(row));
  std::string drawn = "<g role=\"img\" aria-label=\"" + words + "\"><title>" + words + "</title>\n";
  const std::string label = shortened(row.case_id, kMostLabelLetters);
  drawn += svg_text(kLeft - 14, y + 4, label, "text-anchor=\"end\"");
  if (worth_a_look(row)) drawn += svg_text(2, y + 4, "⚑", "class=\"flag\"");
  const double raw_y = row.lower_ml ? y + 5 : y;
  drawn += svg_line(axis.at(*row.raw_lower_ml), raw_y, axis.at(*row.raw_upper_ml), raw_y,
                    "class=\"raw\" stroke-width=\"2\" stroke-dasharray=\"5 2\"");
  if (row.lower_ml) {
    const double left = axis.at(*row.lower_ml);
    const double width = std::max(axis.at(*row.upper_ml) - left, 1.0);
    drawn += "<rect class=\"bar\" x=\"" + pixel(left) + "\" y=\"" + pixel(y - 5) + "\" width=\"" +
             pixel(width) + "\" height=\"6\"/>\n";
  }
  const double middle_ml = *(row.volume_ml ? row.volume_ml : row.raw_volume_ml);
  const double middle_y = row.lower_ml ? y - 2 : y;
  // A mark at the end of the axis would say that the volume is that.
  if (*row.segmented_ml <= end_ml) {
    const double segmented = axis.at(*row.segmented_ml);
    drawn += svg_line(segmented, y - 8, segmented, y + 8, "class=\"mark\"");
  }
  if (middle_ml <= end_ml) {
    drawn += "<circle class=\"point\" cx=\"" + pixel(axis.at(middle_ml)) + "\" cy=\"" +
             pixel(middle_y) + "\" r=\"4\"/>\n";
  }
  if (largest_of(row) > end_ml) drawn += arrow_at(middle_y, row.lower_ml ? "bar" : "beyond");
  return drawn + svg_text(kRight + 14, y + 4, interval_text(row)) + "</g>\n";
}

}  // namespace

std::string interval_text(const VolumeRow& row) {
  const bool calibrated = row.lower_ml.has_value();
  const auto pick = [&](const std::optional<double>& value, const std::optional<double>& raw) {
    return volume_text(*(calibrated ? value : raw));
  };
  return pick(row.volume_ml, row.raw_volume_ml) + " [" + pick(row.lower_ml, row.raw_lower_ml) +
         ", " + pick(row.upper_ml, row.raw_upper_ml) + "]";
}

std::size_t rows_beyond_axis(const std::vector<VolumeRow>& rows) {
  const double end_ml = end_of_axis(rows);
  return static_cast<std::size_t>(std::count_if(
      rows.begin(), rows.end(), [&](const VolumeRow& row) { return largest_of(row) > end_ml; }));
}

std::string interval_chart(const std::string& title, const std::vector<VolumeRow>& rows) {
  const double end_ml = end_of_axis(rows);
  const VolumeAxis axis(end_ml, kLeft, kRight);
  return chart_by_pages(title, rows, kRowHeight, kTop, [&](const auto& part, double bottom) {
    std::string drawn = axis_at(axis, kTop - 4, bottom);
    double y = kTop + kRowHeight / 2;
    for (const VolumeRow& row : part) {
      drawn += drawn_row(row, axis, end_ml, y);
      y += kRowHeight;
    }
    return drawn;
  });
}

}  // namespace mcvol

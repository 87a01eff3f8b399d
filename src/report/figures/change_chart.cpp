#include "change_chart.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <cmath>

#include "chart_pages.h"
#include "interval_chart.h"
#include "report/html/flag_meanings.h"
#include "report/html/html.h"
#include "report/html/svg_shapes.h"
#include "report/html/volume_axis.h"

namespace mcvol {

namespace {

constexpr double kVolumeLeft = 186, kVolumeRight = 450;
constexpr double kChangeLeft = 486, kChangeRight = 734;
constexpr double kNumbers = 752;
constexpr double kChangeRowHeight = 40;
constexpr double kChangeTop = 46;
constexpr double kLine = 8;  // of a scan, above or below the middle of its row
constexpr double kScanDot = 4;
constexpr double kChangeDot = 2.8;  // intervals of large changes are short on this axis
constexpr std::size_t kMostSubjectLetters = 25;

/// Changes around 0, even in their signed cube root, as volumes are on theirs.
class ChangeAxis {
 public:
  explicit ChangeAxis(double most_ml) : half_(most_ml, 0, (kChangeRight - kChangeLeft) / 2) {}

  double at(double change_ml) const {
    const double middle = (kChangeLeft + kChangeRight) / 2;
    return middle + std::copysign(half_.at(std::abs(change_ml)), change_ml);
  }
  std::vector<double> ticks_ml() const {
    std::vector<double> ticks = half_.ticks_ml();
    const std::size_t count = ticks.size();
    for (std::size_t n = 1; n < count; ++n) ticks.push_back(-ticks[n]);
    return ticks;
  }

 private:
  VolumeAxis half_;
};

struct Axes {
  VolumeAxis volume;
  ChangeAxis change;
};

double value_of(const std::optional<double>& calibrated, const std::optional<double>& raw) {
  return calibrated ? *calibrated : raw.value_or(0);
}

Axes axes_of(const std::vector<ComparedPair>& pairs) {
  double most_volume = 0, most_change = 0;
  for (const ComparedPair& pair : pairs) {
    for (const VolumeRow* row : {pair.baseline, pair.followup}) {
      if (row != nullptr) {
        most_volume = std::max(most_volume, value_of(row->upper_ml, row->raw_upper_ml));
      }
    }
    for (const double end : {*pair.change->lower_ml, *pair.change->upper_ml}) {
      most_change = std::max(most_change, std::abs(end));
    }
  }
  return {VolumeAxis(most_volume, kVolumeLeft, kVolumeRight), ChangeAxis(most_change)};
}

std::string signed_text(double change_ml) {
  const std::string text = volume_text(std::abs(change_ml));
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  return (zero ? "" : change_ml < 0 ? "−" : "+") + text;
}

/// Both ids, without the subject's where they begin with it: there is little room.
std::string scans_of(const ScanPair& pair) {
  const std::string& subject = pair.subject_id;
  const auto begins_with_it = [&](const std::string& id) {
    return id.size() > subject.size() + 1 && id.starts_with(subject) &&
           (id[subject.size()] == '_' || id[subject.size()] == '-' || id[subject.size()] == '.');
  };
  const std::size_t skipped =
      begins_with_it(pair.baseline) && begins_with_it(pair.followup) ? subject.size() + 1 : 0;
  return pair.baseline.substr(skipped) + " → " + pair.followup.substr(skipped);
}

std::string bar(double left, double right, double y, const std::string& kind) {
  return "<rect class=\"" + kind + "\" x=\"" + pixel(left) + "\" y=\"" + pixel(y - 3) +
         "\" width=\"" + pixel(std::max(right - left, 1.0)) + "\" height=\"6\"/>\n";
}

std::string dot(double x, double y, double radius) {
  return "<circle class=\"point\" cx=\"" + pixel(x) + "\" cy=\"" + pixel(y) + "\" r=\"" +
         pixel(radius) + "\"/>\n";
}

/// Ticks and the lines below them.
template <typename Axis>
std::string drawn_axis(const Axis& axis, double bottom) {
  std::string drawn;
  for (const double tick : axis.ticks_ml()) {
    const double x = axis.at(tick);
    drawn += svg_line(x, kChangeTop - 4, x, bottom, "class=\"grid\"");
    drawn += svg_text(x, kChangeTop - 10, (tick < 0 ? "−" : "") + shortest_text(std::abs(tick)),
                      "class=\"soft\" text-anchor=\"middle\"");
  }
  return drawn;
}

/// What a screen reader and the pointer are told.
std::string words_of(const ComparedPair& pair) {
  const ChangeRow& row = *pair.change;
  std::string words = row.pair.subject_id + ": ";
  if (pair.baseline != nullptr) {
    words += "baseline " + row.pair.baseline + " " + interval_text(*pair.baseline) + " ml, ";
  }
  if (pair.followup != nullptr) {
    words += "follow-up " + row.pair.followup + " " + interval_text(*pair.followup) + " ml, ";
  }
  words += "change " + change_text(row) + " ml";
  const std::string probabilities = probability_text(row);
  if (!probabilities.empty()) words += ", probability of " + probabilities;
  for (const std::string& flag : row.flags) words += "; " + flag;
  return words;
}

bool worth_a_look(const ChangeRow& row) {
  return std::any_of(row.flags.begin(), row.flags.end(), is_reason_to_look);
}

std::string drawn_scan(const VolumeRow* row, const VolumeAxis& axis, double y, bool followup) {
  if (row == nullptr) return "";
  const double left = axis.at(value_of(row->lower_ml, row->raw_lower_ml));
  const double right = axis.at(value_of(row->upper_ml, row->raw_upper_ml));
  return bar(left, right, y, followup ? "bar" : "hollow") +
         dot(axis.at(value_of(row->volume_ml, row->raw_volume_ml)), y, kScanDot);
}

std::string drawn_row(const ComparedPair& pair, const Axes& axes, double y) {
  const ChangeRow& row = *pair.change;
  const std::string words = escaped(words_of(pair));
  std::string drawn = "<g role=\"img\" aria-label=\"" + words + "\"><title>" + words + "</title>\n";
  if (worth_a_look(row)) drawn += svg_text(2, y + 4, "⚑", "class=\"flag\"");
  drawn += svg_text(18, y - kLine + 4, shortened(row.pair.subject_id, kMostSubjectLetters));
  drawn += svg_text(18, y + kLine + 4, shortened(scans_of(row.pair), kMostSubjectLetters),
                    "class=\"soft\"");
  drawn += drawn_scan(pair.baseline, axes.volume, y - kLine, false);
  drawn += drawn_scan(pair.followup, axes.volume, y + kLine, true);
  drawn += bar(axes.change.at(*row.lower_ml), axes.change.at(*row.upper_ml), y, "bar");
  drawn += dot(axes.change.at(*row.change_ml), y, kChangeDot);
  const std::string probabilities = probability_text(row);
  drawn +=
      svg_text(kNumbers, probabilities.empty() ? y + 4 : y - kLine + 4, change_text(row) + " ml");
  if (!probabilities.empty()) drawn += svg_text(kNumbers, y + kLine + 4, probabilities);
  return drawn + "</g>\n";
}

}  // namespace

std::string change_text(const ChangeRow& row) {
  return signed_text(*row.change_ml) + " [" + signed_text(*row.lower_ml) + ", " +
         signed_text(*row.upper_ml) + "]";
}

std::string probability_text(const ChangeRow& row) {
  if (!row.p_growth) return "";
  // Never certain: a calibration on n scans says nothing of what is rarer than one in n.
  const auto text = [](double p) {
    return p < 0.01 ? "<0.01" : p > 0.99 ? ">0.99" : decimal_text(p, 2);
  };
  return "growth " + text(*row.p_growth) + ", shrinkage " + text(*row.p_shrinkage);
}

std::string change_chart(const std::string& title, const std::vector<ComparedPair>& pairs) {
  const Axes axes = axes_of(pairs);
  return chart_by_pages(
      title, pairs, kChangeRowHeight, kChangeTop, [&](const auto& part, double bottom) {
        std::string drawn = svg_text(kVolumeLeft, 14, "volume, ml") +
                            svg_text(kChangeLeft, 14, "change, ml") +
                            drawn_axis(axes.volume, bottom) + drawn_axis(axes.change, bottom);
        const double zero = axes.change.at(0);
        drawn += svg_line(zero, kChangeTop - 4, zero, bottom, "class=\"mark\"");
        double y = kChangeTop + kChangeRowHeight / 2;
        for (const ComparedPair& pair : part) {
          drawn += drawn_row(pair, axes, y);
          y += kChangeRowHeight;
        }
        return drawn;
      });
}

}  // namespace mcvol

#include "change_section.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "report/figures/change_chart.h"
#include "report/figures/interval_chart.h"
#include "report/html/flag_meanings.h"
#include "report/html/html.h"

namespace mcvol {

namespace {

using VolumesByCase = std::map<std::pair<std::string, std::string>, const VolumeRow*>;

/// The page's level where the table has it, else the table's own next to it.
std::string level_shown(const ReportContent& report) {
  std::string best;
  double best_off = std::numeric_limits<double>::infinity();
  for (const ChangeRow& row : report.changes) {
    if (row.level.empty()) continue;
    const double off = std::abs(NominalCoverage::parse(row.level).value - report.level.value);
    if (off < best_off) {
      best_off = off;
      best = row.level;
    }
  }
  return best;
}

/// How surely there was a change: the larger probability of growth and shrinkage, then, among those
/// that round to the same and where there is none, the change in widths of its interval.
std::pair<double, double> certainty_of(const ChangeRow& row) {
  const double width = *row.upper_ml - *row.lower_ml;
  const double size = std::abs(*row.change_ml);
  const double ratio = width > 0 ? size / width : size > 0 ? std::numeric_limits<double>::max() : 0;
  return {std::max(row.p_growth.value_or(0), row.p_shrinkage.value_or(0)), ratio};
}

std::vector<ComparedPair> pairs_of(const ReportContent& report, const std::string& region,
                                   const std::string& level, const VolumesByCase& volumes) {
  const auto volume = [&](const std::string& case_id) {
    const auto found = volumes.find({case_id, region});
    return found == volumes.end() ? nullptr : found->second;
  };
  std::vector<ComparedPair> pairs;
  for (const ChangeRow& row : report.changes) {
    if (row.region != region || row.level != level) continue;
    pairs.push_back({&row, volume(row.pair.baseline), volume(row.pair.followup)});
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return certainty_of(*a.change) > certainty_of(*b.change);
  });
  return pairs;
}

std::vector<std::string> regions_of(const std::vector<ChangeRow>& rows) {
  std::vector<std::string> regions;
  for (const ChangeRow& row : rows) {
    const bool known = std::find(regions.begin(), regions.end(), row.region) != regions.end();
    if (!row.region.empty() && !known) regions.push_back(row.region);
  }
  return regions;
}

std::string introduction(const ReportContent& report, const std::string& level) {
  std::string text =
      "<p>As <code>mcvol change</code> found it, follow-up less baseline; what "
      "changed most surely comes first. ";
  const auto known = std::find_if(report.changes.begin(), report.changes.end(),
                                  [](const ChangeRow& row) { return row.growth_threshold; });
  const bool measured = std::any_of(report.changes.begin(), report.changes.end(),
                                    [](const ChangeRow& row) { return row.status == "ok"; });
  if (known == report.changes.end()) {
    if (!measured) return text + "</p>\n";
    text +=
        "The intervals hold however the errors of two scans go together; there are no "
        "probabilities.";
  } else if (*known->growth_threshold > 0) {
    const std::string percent = percent_of(*known->growth_threshold);
    text += "Growth: more than " + percent + " % above the baseline. Shrinkage: more than " +
            percent + " % below.";
  } else {
    text += "Growth: above the baseline. Shrinkage: below.";
  }
  if (known != report.changes.end()) {
    text +=
        " These probabilities know the errors of two readings and not how often tumours change: "
        "where most are stable, they are too high.";
  }
  if (level != report.level.text && !level.empty()) {
    text += " Changes are at the level " + escaped(level) + ", volumes at " +
            escaped(report.level.text) + ".";
  }
  return text + "</p>\n";
}

/// Pairs that could not be compared.
std::string failures(const ReportContent& report) {
  std::vector<std::vector<std::string>> cells;
  for (const ChangeRow& row : report.changes) {
    if (row.status != "failed") continue;
    cells.push_back({escaped(row.pair.subject_id),
                     escaped(row.pair.baseline) + " → " + escaped(row.pair.followup),
                     escaped(row.error)});
  }
  if (cells.empty()) return "";
  return "<h3>Not compared</h3>\n" + html_table({"subject", "cases", "why"}, cells);
}

std::string chart(const std::string& region, const std::vector<ComparedPair>& pairs) {
  const std::vector<ComparedPair> shown(
      pairs.begin(),
      pairs.begin() + static_cast<std::ptrdiff_t>(std::min(pairs.size(), kMostChartRows)));
  const std::string name = spaced(region);
  std::string caption =
      "Hollow bar: baseline, filled bar: follow-up, each with its interval; circle: median. To the "
      "right the change and its interval; the dark line is no change. ⚑: either case is flagged. "
      "The axes are even in the cube root of the volume and of the change.";
  if (shown.size() < pairs.size()) {
    caption += " " + std::to_string(shown.size()) + " of " + std::to_string(pairs.size()) +
               " pairs, the surest; all are in change.csv.";
  }
  return "<h3>" + escaped(name) + "</h3>\n<figure>\n" +
         change_chart(name + ": change of each pair", shown) + "<figcaption>" + caption +
         "</figcaption>\n</figure>\n";
}

std::vector<std::string> numbers_of(const ComparedPair& pair) {
  const ChangeRow& row = *pair.change;
  const auto unbroken = [](const std::string& text) {
    return "<span class=\"nowrap\">" + text + "</span>";
  };
  const auto volume = [&](const VolumeRow* of) {
    return of == nullptr ? std::string() : unbroken(interval_text(*of));
  };
  std::string flags;
  for (const std::string& flag : row.flags) {
    if (is_reason_to_look(flag)) flags += (flags.empty() ? "" : ", ") + meaning_of(flag);
  }
  return {escaped(row.pair.subject_id),
          escaped(row.pair.baseline) + " → " + escaped(row.pair.followup),
          escaped(spaced(row.region)),
          volume(pair.baseline),
          volume(pair.followup),
          unbroken(change_text(row)),
          decimal_text(row.p_growth, 4),
          decimal_text(row.p_shrinkage, 4),
          escaped(flags)};
}

}  // namespace

std::string change_section(const ReportContent& report) {
  if (report.changes.empty()) return "";
  VolumesByCase volumes;
  for (const VolumeRow& row : report.rows) {
    if (row.status == "ok") volumes[{row.case_id, row.region}] = &row;
  }
  const std::string level = level_shown(report);
  std::string section = "<h2>Change between two scans</h2>\n" + introduction(report, level);
  section += failures(report);
  std::vector<std::vector<std::string>> cells;
  for (const std::string& region : regions_of(report.changes)) {
    const std::vector<ComparedPair> pairs = pairs_of(report, region, level, volumes);
    section += chart(region, pairs);
    for (const ComparedPair& pair : pairs) cells.push_back(numbers_of(pair));
  }
  if (cells.empty()) return section;
  return section + "<details><summary>" + std::to_string(cells.size()) +
         " rows, in ml; with more digits in change.csv</summary>\n" +
         html_table({"subject", "cases", "region", "baseline", "follow-up", "change", "P(growth)",
                     "P(shrinkage)", "flags"},
                    cells) +
         "</details>\n";
}

}  // namespace mcvol

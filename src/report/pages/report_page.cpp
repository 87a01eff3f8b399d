#include "mcvol/report/pages/report_page.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "change_section.h"
#include "report/figures/interval_chart.h"
#include "report/html/calibration_words.h"
#include "report/html/flag_meanings.h"
#include "report/html/html.h"
#include "report/html/number_table.h"
#include "slices.h"

namespace mcvol {

namespace {

/// Cases to look at that are shown at once; more are a click away.
constexpr std::size_t kMostShown = 20;
constexpr std::size_t kNotUrgent = static_cast<std::size_t>(-1);

std::string count_of(std::size_t count, const std::string& one, const std::string& several) {
  return std::to_string(count) + " " + (count == 1 ? one : several);
}

/// Regions in the order of the table.
std::vector<std::string> regions_of(const std::vector<VolumeRow>& rows) {
  std::vector<std::string> regions;
  for (const VolumeRow& row : rows) {
    const bool known = std::find(regions.begin(), regions.end(), row.region) != regions.end();
    if (!row.region.empty() && !known) regions.push_back(row.region);
  }
  return regions;
}

/// What is known of all scans together, beside those of the calibration; may be empty.
std::string about_the_batch(const ReportContent& report) {
  if (!report.batch) return "";
  std::string words = report.batch->words();
  words.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(words.front())));
  return std::string("<p class=\"") + (report.batch->differs() ? "warning" : "soft") + "\">" +
         escaped(words) + ".</p>\n";
}

std::string heading(const ReportContent& report) {
  std::set<std::string> cases, failed, flagged;
  for (const VolumeRow& row : report.rows) {
    cases.insert(row.case_id);
    if (row.status == "failed") failed.insert(row.case_id);
    if (worth_a_look(row)) flagged.insert(row.case_id);
  }
  std::string text = "<h1>Tumour volumes of " + count_of(cases.size(), "case", "cases") + "</h1>\n";
  text += "<p class=\"soft\">" + count_of(cases.size() - failed.size(), "case", "cases") +
          " measured, " + std::to_string(failed.size()) + " failed, " +
          std::to_string(flagged.size()) + " to look at. " +
          escaped(report.run.model.value("name", "")) + ", " +
          (report.run.ended.empty() ? "run not ended" : escaped(report.run.ended.substr(0, 10))) +
          ".</p>\n";
  const std::string warning = report.run.model.value("warning", "");
  if (!warning.empty()) text += "<p class=\"warning\">" + escaped(warning) + "</p>\n";
  return text + about_the_batch(report);
}

std::string meaning(const ReportContent& report) {
  std::string text = "<h2>What an interval means</h2>\n<p>";
  if (!report.calibration) {
    return text + "These intervals are <strong>not calibrated</strong>: " +
           percent_of(report.level.value) +
           " % is what they are called, and nothing is known of how often they hold. They come "
           "from the spread of the network's own probabilities; <code>mcvol calibrate</code> makes "
           "intervals that hold from cases with reference volumes.</p>\n";
  }
  const CalibrationFile& calibration = report.calibration->file;
  text += "Of 100 cases like those of the calibration, the intervals of about " +
          promise_of(calibration, report.level) +
          " hold the volume that the reference procedure would give. This is so on average, for "
          "cases drawn like the " +
          references_of(calibration) +
          " that it was calibrated on, and not for each case, site or scanner by itself.";
  if (calibration.simulated) {
    text += " <strong>Those cases were simulated</strong>: nothing is promised of real ones.";
  }
  if (report.calibration->other_seed) {
    text += " It was made with other dropout masks than these volumes (another seed).";
  }
  return text + "</p>\n";
}

/// One case that is to be looked at: its reasons, each with the regions it is given for.
struct CaseToLookAt {
  std::string case_id;
  std::size_t urgency = 0;  ///< 0 of the failed, then of urgency_of()
  std::string why;
  std::string volumes;
};

std::string regions_with(const std::string& flag, const RowsOfCase& rows) {
  std::string regions;
  std::size_t count = 0;
  for (const VolumeRow* row : rows) {
    if (std::find(row->flags.begin(), row->flags.end(), flag) == row->flags.end()) continue;
    regions += (regions.empty() ? "" : ", ") + spaced(row->region);
    ++count;
  }
  return count == rows.size() && count > 1 ? "all regions" : regions;
}

/// Flags of any region that are a reason to look, the most telling first.
std::vector<std::string> reasons_of(const RowsOfCase& rows) {
  std::vector<std::string> reasons;
  for (const VolumeRow* row : rows) {
    for (const std::string& flag : row->flags) {
      const bool known = std::find(reasons.begin(), reasons.end(), flag) != reasons.end();
      if (is_reason_to_look(flag) && !known) reasons.push_back(flag);
    }
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return urgency_of(a) < urgency_of(b); });
  return reasons;
}

std::optional<CaseToLookAt> look_at(const RowsOfCase& rows) {
  CaseToLookAt found;
  found.case_id = rows.front()->case_id;
  if (rows.front()->status == "failed") {
    found.why = "<strong>failed</strong>: " + escaped(rows.front()->error);
    return found;
  }
  const std::vector<std::string> reasons = reasons_of(rows);
  if (reasons.empty()) return std::nullopt;
  found.urgency = 1 + urgency_of(reasons.front());
  for (const std::string& flag : reasons) {
    found.why += (found.why.empty() ? "" : "<br>") + escaped(meaning_of(flag)) +
                 " <span class=\"soft\">(" + escaped(regions_with(flag, rows)) + ")</span>";
  }
  for (const VolumeRow* row : rows) {
    found.volumes += (found.volumes.empty() ? "" : "<br>") + escaped(spaced(row->region)) + " " +
                     unbroken(interval_text(*row));
  }
  return found;
}

/// The rows of each case, the most urgent to look at first.
std::vector<RowsOfCase> cases_by_urgency(const ReportContent& report) {
  std::vector<std::pair<std::size_t, RowsOfCase>> cases;
  for (auto first = report.rows.begin(); first != report.rows.end();) {
    RowsOfCase rows;
    const std::string& case_id = first->case_id;
    for (; first != report.rows.end() && first->case_id == case_id; ++first)
      rows.push_back(&*first);
    const auto found = look_at(rows);
    cases.emplace_back(found ? found->urgency : kNotUrgent, std::move(rows));
  }
  std::stable_sort(cases.begin(), cases.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<RowsOfCase> sorted;
  for (auto& one : cases) sorted.push_back(std::move(one.second));
  return sorted;
}

/// @param pictured cases whose picture is further down.
std::string to_look_at(const std::vector<RowsOfCase>& cases,
                       const std::set<std::string>& pictured) {
  const std::string title = "<h2>To look at first</h2>\n";
  std::vector<std::vector<std::string>> shown, rest;
  for (const RowsOfCase& rows : cases) {
    const auto found = look_at(rows);
    if (!found) break;
    std::string name = escaped(found->case_id);
    if (pictured.contains(found->case_id)) {
      name = "<a href=\"#" + slice_anchor(name) + "\">" + name + "</a>";
    }
    (shown.size() < kMostShown ? shown : rest)
        .push_back({name, found->why, "<span class=\"nowrap\">" + found->volumes + "</span>"});
  }
  if (shown.empty()) return title + "<p>Nothing: no case failed or is flagged.</p>\n";
  const std::vector<std::string> header{"case", "why", "ml"};
  std::string table = title + html_table(header, shown);
  if (!rest.empty()) {
    table += "<details><summary>" + count_of(rest.size(), "more case", "more cases") +
             "</summary>\n" + html_table(header, rest) + "</details>\n";
  }
  return table;
}

/// Those flagged first where there are too many; then by volume, the largest on top.
std::vector<VolumeRow> charted_rows(const ReportContent& report, const std::string& region) {
  std::vector<VolumeRow> rows;
  for (const VolumeRow& row : report.rows) {
    if (row.region == region) rows.push_back(row);
  }
  const auto size = [](const VolumeRow& row) {
    return row.volume_ml ? *row.volume_ml : row.raw_volume_ml.value_or(0);
  };
  const bool all = rows.size() <= kMostChartRows;
  std::stable_sort(rows.begin(), rows.end(), [&](const VolumeRow& a, const VolumeRow& b) {
    if (!all && worth_a_look(a) != worth_a_look(b)) return worth_a_look(a);
    return size(a) > size(b);
  });
  if (!all) rows.resize(kMostChartRows);
  return rows;
}

std::string chart(const ReportContent& report, const std::string& region) {
  const std::vector<VolumeRow> rows = charted_rows(report, region);
  const std::string name = spaced(region);
  std::string caption;
  if (report.calibration) {
    caption = "Bar and circle: calibrated " + percent_of(report.level.value) +
              " % interval and median. Dashed: the interval before calibration. ";
  } else {
    caption = "Dashed line and circle: " + percent_of(report.level.value) +
              " % interval and median, not calibrated. ";
  }
  caption +=
      "Upright line: what a plain segmentation gives. ⚑: see above. The axis is even in the "
      "cube root of the volume.";
  const std::size_t beyond = rows_beyond_axis(rows);
  if (beyond > 0) {
    caption +=
        " It is cut where " + count_of(beyond, "case goes", "cases go") +
        " beyond (arrow), so that the others can be told apart; the numbers stand beside it.";
  }
  const auto total = std::count_if(report.rows.begin(), report.rows.end(),
                                   [&](const VolumeRow& row) { return row.region == region; });
  if (static_cast<std::size_t>(total) > rows.size()) {
    caption += " " + std::to_string(rows.size()) + " of " + std::to_string(total) +
               " cases, those flagged first; all are in volumes.csv.";
  }
  return "<h2>" + escaped(name) + "</h2>\n<figure>\n" +
         interval_chart(name + ": volume and interval of each case", rows) + "<figcaption>" +
         caption + "</figcaption>\n</figure>\n";
}

/// "5 (93 %)", sorted by their number.
NumberCell foci_of(const VolumeRow& row) {
  if (!row.foci) return {};
  std::string text = std::to_string(*row.foci);
  if (row.largest_focus_share) {
    text += " (" + decimal_text(100.0 * *row.largest_focus_share, 0) + " %)";
  }
  return {text, static_cast<double>(*row.foci)};
}

/// "0.92 (0.85)", sorted by what is expected.
NumberCell dice_of(const VolumeRow& row) {
  if (!row.dice || !row.dice_lower) return {};
  return {decimal_text(row.dice, 2) + " (" + decimal_text(row.dice_lower, 2) + ")", row.dice};
}

std::string numbers(const ReportContent& report) {
  std::vector<NumberRow> rows;
  const auto ml = [](const std::optional<double>& volume) {
    return NumberCell{volume ? volume_text(*volume) : "", volume};
  };
  for (const VolumeRow& row : report.rows) {
    if (row.status == "failed") continue;
    std::string flags;
    for (const std::string& flag : row.flags)
      flags += (flags.empty() ? "" : ", ") + meaning_of(flag);
    rows.push_back({{{escaped(row.case_id), {}},
                     {escaped(spaced(row.region)), {}},
                     ml(row.volume_ml),
                     ml(row.lower_ml),
                     ml(row.upper_ml),
                     ml(row.raw_volume_ml),
                     ml(row.raw_lower_ml),
                     ml(row.raw_upper_ml),
                     ml(row.segmented_ml),
                     foci_of(row),
                     dice_of(row),
                     {escaped(flags), {}}},
                    row.flags,
                    worth_a_look(row)});
  }
  return "<h2>All numbers</h2>\n<details><summary>" + std::to_string(rows.size()) +
         " rows, in ml; with more digits in volumes.csv</summary>\n" +
         number_table(
             {"case", "region", "volume", "lower", "upper", "raw volume", "raw lower", "raw upper",
              "segmented", "foci (largest)", "expected Dice (at least)", "flags"},
             rows) +
         "</details>\n";
}

std::string how_it_was_made(const ReportContent& report) {
  std::vector<std::vector<std::string>> cells;
  const auto add = [&](const std::string& what, const std::string& value) {
    if (!value.empty()) cells.push_back({what, escaped(value)});
  };
  const auto text_of = [](const nlohmann::json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  add("model", report.run.model.value("name", "") + ", " + report.run.model_sha256.substr(0, 8));
  for (const char* field : {"passes", "mc_tolerance", "scope", "seed", "precision"}) {
    if (report.run.identity.contains(field)) add(field, text_of(report.run.identity[field]));
  }
  add("level", report.level.text);
  if (report.calibration) {
    const CalibrationFile& file = report.calibration->file;
    add("calibration", to_string(file.method) + ", " + file.sha256.substr(0, 8) +
                           (file.simulated ? ", simulated cases" : ""));
    add("calibration cases", references_of(file));
  } else {
    add("calibration", "none");
  }
  add("device", report.run.device);
  add("program", report.program);
  return "<h2>How this was made</h2>\n" + html_table({"setting", "value"}, cells) +
         "<p class=\"soft\">Monte Carlo dropout after Eaton-Rosen et al., MICCAI 2018. What a "
         "confidence interval is called here is statistically a prediction interval. Research "
         "software, not a medical device.</p>\n";
}

}  // namespace

std::string report_page_html(const ReportContent& report) {
  const std::vector<RowsOfCase> cases = cases_by_urgency(report);
  const SliceSection slices = slice_section(report, cases);
  std::string body = heading(report) + meaning(report) + to_look_at(cases, slices.case_ids);
  for (const std::string& region : regions_of(report.rows)) body += chart(report, region);
  body += slices.html + change_section(report);
  return html_page("Tumour volumes", body + numbers(report) + how_it_was_made(report));
}

}  // namespace mcvol

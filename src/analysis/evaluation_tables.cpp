#include "mcvol/analysis/evaluate.h"
#include "mcvol/files/csv.h"

#include <array>
#include <charconv>
#include <cmath>
#include <initializer_list>

namespace mcvol {

namespace {

/// Six significant digits, a point whatever the locale; empty for what is no number.
std::string number_text(double number) {
  if (!std::isfinite(number)) return "";
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                 std::chars_format::general, 6);
  return {buffer.data(), end.ptr};
}

void add_numbers(std::string& line, std::initializer_list<double> numbers) {
  for (const double number : numbers) line += "," + number_text(number);
}

}  // namespace

std::string coverage_csv(const Evaluation& evaluation) {
  std::string text =
      "region,method,level,n,covered,coverage,coverage_lower,coverage_upper,mean_width_ml,"
      "interval_score_ml,crps_ml,bias_ml,stratum,mean_width_root,interval_score_root,crps_root\n";
  for (const CoverageRow& row : evaluation.coverage) {
    const CoverageSummary& of = row.summary;
    std::string line = csv_field(row.region) + "," + row.method + "," + row.level + "," +
                       std::to_string(of.n) + "," + std::to_string(of.covered);
    if (of.n == 0) {
      text += line + ",,,,,,,," + row.stratum + ",,,\n";  // no case, no number
      continue;
    }
    add_numbers(line, {of.coverage, of.coverage_range.lower, of.coverage_range.upper,
                       of.mean_width_ml, of.interval_score_ml, of.crps_ml, of.bias_ml});
    line += "," + row.stratum;
    add_numbers(line, {of.mean_width_root, of.interval_score_root, of.crps_root});
    text += line + "\n";
  }
  return text;
}

std::string comparison_csv(const Evaluation& evaluation) {
  std::string text = "region,level,measure,method,compared_with,ratio,ratio_lower,ratio_upper\n";
  for (const ComparisonRow& row : evaluation.comparison) {
    std::string line = csv_field(row.region) + "," + row.level + "," + row.measure + "," +
                       row.method + "," + row.compared_with;
    add_numbers(line, {row.ratio.ratio, row.ratio.range.lower, row.ratio.range.upper});
    text += line + "\n";
  }
  return text;
}

std::string segmentation_quality_csv(const Evaluation& evaluation) {
  std::string text =
      "region,outcome,signal,n,bad,auroc,auroc_lower,auroc_upper,over_volume,over_volume_lower,"
      "over_volume_upper,risk_coverage_area,excess_area\n";
  for (const QualityRow& row : evaluation.quality) {
    std::string line = csv_field(row.region) + "," + row.outcome + "," + row.signal + "," +
                       std::to_string(row.n) + "," + std::to_string(row.bad);
    if (row.auroc) {
      const Auroc& of = *row.auroc;
      add_numbers(line, {of.area, of.range.lower, of.range.upper, of.difference,
                         of.difference_range.lower, of.difference_range.upper});
    } else {
      line += ",,,,,,";
    }
    add_numbers(line, {row.risk_coverage_area, row.excess_area});
    text += line + "\n";
  }
  return text;
}

std::string segmentations_csv(const Evaluation& evaluation) {
  std::string text = "case_id,region,dice,relative_error";
  for (const QualitySignal& signal : kQualitySignals) text += std::string(",") + signal.name;
  text += "\n";
  for (const EvaluatedSegmentation& of : evaluation.segmentations) {
    std::string line = of.case_id + "," + csv_field(of.region) + "," +
                       (of.dice ? number_text(*of.dice) : "") + "," +
                       number_text(of.relative_error);
    for (const auto& signal : of.signals) line += "," + (signal ? number_text(*signal) : "");
    text += line + "\n";
  }
  return text;
}

std::string intervals_csv(const Evaluation& evaluation) {
  std::string text =
      "case_id,region,method,level,reference_ml,predicted_ml,volume_ml,lower_ml,upper_ml,covered,"
      "flagged,interval_score_ml,interval_score_root,crps_ml,crps_root,pit\n";
  for (const EvaluatedInterval& one : evaluation.intervals) {
    const ScoredInterval& of = one.scored;
    std::string line =
        one.case_id + "," + csv_field(one.region) + "," + to_string(one.method) + "," + one.level;
    add_numbers(line, {one.volume_ml, one.predicted_ml, of.point_ml, of.interval.lower_ml,
                       of.interval.upper_ml});
    line += std::string(",") + (of.covered ? "1" : "0") + "," + (one.flagged ? "1" : "0");
    add_numbers(line,
                {of.interval_score_ml, of.interval_score_root, of.crps_ml, of.crps_root, of.pit});
    text += line + "\n";
  }
  return text;
}

}  // namespace mcvol

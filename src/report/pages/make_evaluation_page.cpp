#include "mcvol/report/pages/make_evaluation_page.h"

#include "mcvol/report/pages/evaluation_page.h"

namespace mcvol {

namespace {

/// The entry of a region or method, made where there is none yet.
template <typename Entry, typename Key>
Entry& entry_of(std::vector<Entry>& entries, const Key& name, Key Entry::*member) {
  for (Entry& entry : entries) {
    if (entry.*member == name) return entry;
  }
  entries.emplace_back().*member = name;
  return entries.back();
}

}  // namespace

std::string evaluation_page(const Evaluation& evaluation, const std::string& program) {
  EvaluationContent report;
  report.run = evaluation.run;
  report.calibration = evaluation.calibration;
  report.level = usual_level(evaluation.levels);
  report.program = program;
  report.notes = evaluation.reference_notes;
  report.notes.insert(report.notes.end(), evaluation.notes.begin(), evaluation.notes.end());
  const auto method_of = [&](const std::string& region, IntervalMethod method) -> auto& {
    return entry_of(entry_of(report.regions, region, &EvaluatedRegion::region).methods, method,
                    &EvaluatedMethod::method);
  };
  for (const EvaluatedInterval& one : evaluation.intervals) {
    if (one.level != report.level.text) continue;
    method_of(one.region, one.method)
        .scans.push_back({one.case_id, one.volume_ml, one.flagged, one.scored});
  }
  for (const CoverageRow& row : evaluation.coverage) {
    if (row.level != report.level.text || row.stratum != "all") continue;
    method_of(row.region, interval_method_from(row.method)).summary = row.summary;
  }
  for (const ComparisonRow& row : evaluation.comparison) {
    if (row.level != report.level.text || row.measure != "interval_score_root") continue;
    method_of(row.region, interval_method_from(row.compared_with)).ratio = row.ratio;
  }
  const auto region_of = [&](const std::string& region) -> auto& {
    return entry_of(report.regions, region, &EvaluatedRegion::region);
  };
  for (const QualityRow& row : evaluation.quality) region_of(row.region).quality.push_back(row);
  for (const RiskCoverageCurve& curve : evaluation.risk_coverage) {
    region_of(curve.region).risk_coverage.push_back(curve);
  }
  for (const EvaluatedSegmentation& one : evaluation.segmentations) {
    region_of(one.region).segmentations.push_back(one);
  }
  for (const DiceCoverage& of : evaluation.dice_coverage) region_of(of.region).dice_coverage = of;
  return evaluation_page_html(report);
}

}  // namespace mcvol

#include "mcvol/analysis/volume_table.h"

#include "mcvol/analysis/scan_findings.h"
#include "mcvol/calibration/calibrated_volume.h"
#include "mcvol/calibration/regression_features.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>

#include "pass_flags.h"
#include <nlohmann/json.hpp>

namespace mcvol {

namespace {

constexpr std::size_t kHashDigits = 8;

/// Bytes that are not UTF-8 replaced, as in the record's file: a row is the same whether it was
/// made from the record in memory or from its file.
std::string utf8_of(const std::string& text) {
  using nlohmann::json;
  const std::string quoted = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  return json::parse(quoted).get<std::string>();
}

/// What a calibration says of a region.
struct CalibratedRegion {
  VolumeEstimate volume;
  std::optional<ExpectedDice> dice;  ///< where it knows
  std::vector<std::string> flags;
};

std::vector<std::string> calibration_flags(const VolumeEstimate& estimate,
                                           const AppliedCalibration& calibration) {
  std::vector<std::string> flags;
  if (calibration.file.simulated) flags.push_back("simulated_calibration");
  if (calibration.other_seed) flags.push_back("other_seed");
  if (estimate.outside_range) flags.push_back("outside_calibration_range");
  if (estimate.uncertain) flags.push_back("uncertain");
  if (estimate.not_nested) flags.push_back("not_nested");
  return flags;
}

/// None where it does not apply.
std::optional<CalibratedRegion> calibrated(const CaseRecord& record, const RegionRecord& region,
                                           const std::vector<NominalCoverage>& levels,
                                           const AppliedCalibration* calibration) {
  if (calibration == nullptr || record.run_identity != calibration->run_identity) return {};
  if (is_regression(calibration->file.method) && !has_regression_features(record)) return {};
  const RegionPrediction prediction = prediction_of(record, region);
  const RegionCalibration& of_region = calibration->file.region(region.region);
  CalibratedRegion made;
  std::optional<RegressionFeatures> features;
  const bool takes_features = is_regression(calibration->file.method) || of_region.dice;
  if (takes_features && has_regression_features(prediction)) {
    features = regression_features(prediction);
  }
  made.volume = estimate_volume(prediction, of_region, calibration->file.method, levels,
                                features ? &*features : nullptr);
  made.flags = calibration_flags(made.volume, *calibration);
  if (of_region.dice && has_segmentation_features(prediction)) {
    made.dice = of_region.dice->expect(segmentation_features(prediction, *features), levels);
    const double least = calibration->least_dice.value_or(of_region.usual_least_dice);
    if (made.dice->median <= least) made.flags.push_back("low_quality");
  }
  return made;
}

std::vector<std::string> region_flags(const CaseRecord& record, const RegionRecord& region,
                                      std::vector<std::string> flags) {
  if (region.mean.above_half() == 0) flags.push_back("empty");
  if (region.segmentation && region.segmentation->touches_border) {
    flags.push_back("tumour_touches_border");
  }
  std::copy_if(record.flags.begin(), record.flags.end(), std::back_inserter(flags),
               [](const std::string& flag) { return flag != "empty"; });
  std::sort(flags.begin(), flags.end());
  flags.erase(std::unique(flags.begin(), flags.end()), flags.end());
  return flags;
}

void put_shape(const RegionRecord& region, VolumeRow& row) {
  if (!region.segmentation) return;
  row.foci = region.segmentation->foci;
  if (region.segmentation->foci == 0 || region.mean.above_half() == 0) return;
  // Of a probability of exactly one half the two may be rounded to different sides.
  row.largest_focus_share =
      std::min(1.0, static_cast<double>(region.segmentation->largest_focus_voxels) /
                        static_cast<double>(region.mean.above_half()));
}

VolumeRow failed_row(const CaseRecord& record) {
  VolumeRow row;
  row.case_id = record.case_id;
  row.status = "failed";
  row.flags = record.flags;
  row.error = utf8_of(record.error);
  row.model = record.model.substr(0, kHashDigits);
  return row;
}

PredictionInterval raw_interval(const VolumeDistribution& volume, double level) {
  return {volume.quantile((1.0 - level) / 2.0), volume.quantile((1.0 + level) / 2.0)};
}

/// Of the interval at kRawLevel, which is among `raw` where it is among the levels.
double raw_width_ml(const VolumeDistribution& volume, const std::vector<NominalCoverage>& levels,
                    const std::vector<PredictionInterval>& raw) {
  const auto at = std::find_if(levels.begin(), levels.end(), [](const NominalCoverage& level) {
    return level.value == kRawLevel;
  });
  const PredictionInterval interval = at == levels.end()
                                          ? raw_interval(volume, kRawLevel)
                                          : raw[static_cast<std::size_t>(at - levels.begin())];
  return interval.upper_ml - interval.lower_ml;
}

void add_region_rows(const CaseRecord& record, const RegionRecord& region,
                     const std::vector<NominalCoverage>& levels,
                     const AppliedCalibration* calibration, const SamplerOptions& sampler,
                     const std::vector<std::string>& flags_of_scan, std::vector<VolumeRow>& rows) {
  const double voxel_ml = record.grid.voxel_volume_ml();
  const VolumeDistribution volume(region.passes, voxel_ml, sampler);
  const std::optional<CalibratedRegion> known = calibrated(record, region, levels, calibration);
  VolumeRow row;
  row.case_id = record.case_id;
  row.region = region.region;
  row.raw_volume_ml = volume.quantile(0.5);
  row.segmented_ml = static_cast<double>(region.mean.above_half()) * voxel_ml;
  row.passes = record.passes;
  put_shape(region, row);
  row.status = "ok";
  std::vector<std::string> flags{"uncalibrated"};
  if (known) flags = known->flags;
  flags.insert(flags.end(), flags_of_scan.begin(), flags_of_scan.end());
  std::vector<PredictionInterval> raw;
  for (const NominalCoverage& level : levels) raw.push_back(raw_interval(volume, level.value));
  if (!known || !known->dice) {
    const std::vector<std::string> of_passes =
        pass_flags(region, *row.raw_volume_ml, raw_width_ml(volume, levels, raw));
    flags.insert(flags.end(), of_passes.begin(), of_passes.end());
  }
  if (sampler.sampler != Sampler::kLevelSet) flags.push_back("other_sampler");
  row.flags = region_flags(record, region, std::move(flags));
  row.model = record.model.substr(0, kHashDigits);
  if (known) {
    row.volume_ml = known->volume.median_ml;
    row.calibration = calibration->file.sha256.substr(0, kHashDigits);
    if (known->dice) row.dice = known->dice->median;
  }
  for (std::size_t n = 0; n < levels.size(); ++n) {
    row.level = levels[n].text;
    row.raw_lower_ml = raw[n].lower_ml;
    row.raw_upper_ml = raw[n].upper_ml;
    if (known) {
      row.lower_ml = known->volume.intervals[n].lower_ml;
      row.upper_ml = known->volume.intervals[n].upper_ml;
      row.dice_lower = known->dice ? known->dice->lower[n] : std::nullopt;
    }
    rows.push_back(row);
  }
}

}  // namespace

RegionPrediction prediction_of(const CaseRecord& record, const RegionRecord& region) {
  std::vector<std::string> names;
  for (const RegionRecord& one : record.regions) names.push_back(one.region);
  const auto found = std::find(names.begin(), names.end(), region.region);
  const auto number = static_cast<std::size_t>(found - names.begin());
  const double voxel_ml = record.grid.voxel_volume_ml();
  return {record.case_id,
          region.region,
          region.passes,
          region.without_dropout,
          voxel_ml,
          region.mean,
          mean_thresholded_ml(record.regions[core_of(names, number)].without_dropout, voxel_ml),
          region.agreement};
}

bool has_regression_features(const CaseRecord& record) {
  return std::none_of(record.regions.begin(), record.regions.end(), [](const RegionRecord& region) {
    return region.without_dropout.empty() || region.agreement.empty();
  });
}

std::vector<VolumeRow> rows_of(const CaseRecord& record, const std::vector<NominalCoverage>& levels,
                               const AppliedCalibration* calibration,
                               const SamplerOptions& sampler) {
  return rows_of(record, levels, calibration, sampler, findings_of(record, calibration));
}

std::vector<VolumeRow> rows_of(const CaseRecord& record, const std::vector<NominalCoverage>& levels,
                               const AppliedCalibration* calibration, const SamplerOptions& sampler,
                               const std::vector<ScanFinding>& findings) {
  if (record.status == CaseRecord::Status::kFailed) return {failed_row(record)};
  std::vector<std::string> flags;
  for (const ScanFinding& finding : findings) flags.push_back(finding.flag);
  std::vector<VolumeRow> rows;
  for (const RegionRecord& region : record.regions) {
    add_region_rows(record, region, levels, calibration, sampler, flags, rows);
  }
  return rows;
}

std::vector<std::string> words_of(const CaseRecord& record,
                                  const std::vector<ScanFinding>& findings) {
  std::vector<std::string> lines;
  for (const ScanFinding& finding : findings) {
    if (!finding.words.empty()) lines.push_back(record.case_id + ": " + finding.words);
  }
  return lines;
}

VolumeTable::VolumeTable(std::vector<NominalCoverage> levels, CalibrationPointer calibration)
    : levels_(std::move(levels)), calibration_(std::move(calibration)), batch_(calibration_) {}

std::vector<VolumeRow> VolumeTable::put(const CaseRecord& record) {
  const std::vector<ScanFinding> findings = findings_of(record, calibration_.get());
  std::vector<VolumeRow> rows = rows_of(record, levels_, calibration_.get(), {}, findings);
  put(record.case_id, rows);
  batch_.put(record);
  faults_[record.case_id] = words_of(record, findings);
  return rows;
}

void VolumeTable::put(const std::string& case_id, const std::vector<VolumeRow>& rows) {
  std::string lines;
  for (const VolumeRow& row : rows) lines += to_csv(row);
  lines_[case_id] = std::move(lines);
}

std::vector<std::string> VolumeTable::faults() const {
  std::vector<std::string> lines;
  for (const auto& [case_id, faults] : faults_)
    lines.insert(lines.end(), faults.begin(), faults.end());
  return lines;
}

std::string VolumeTable::csv() const {
  std::string text = volume_csv_header();
  for (const auto& [case_id, lines] : lines_) text += lines;
  return text;
}

void VolumeTable::write(const std::filesystem::path& folder) const {
  write_file_atomically(folder / "volumes.csv", csv());
}

}  // namespace mcvol

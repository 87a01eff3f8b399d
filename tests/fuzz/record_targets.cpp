#include "mcvol/analysis/run_identity.h"
#include "mcvol/analysis/volume_table.h"
#include "mcvol/calibration/calibrated_volume.h"
#include "mcvol/calibration/segmentation_features.h"
#include "mcvol/error/error.h"
#include "mcvol/io/images/png.h"
#include "mcvol/io/maps/map_list.h"
#include "mcvol/io/maps/map_names.h"
#include "mcvol/io/records/calibration_file.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/io/records/run_lock.h"
#include "mcvol/io/records/thumbnail.h"
#include "mcvol/io/scans/data_set.h"
#include "mcvol/pipeline/foreign_files.h"
#include "mcvol/pipeline/label_painting.h"
#include "mcvol/volumetry/agreement.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "targets.h"

namespace mcvol::fuzz {
namespace {

namespace fs = std::filesystem;

const std::vector<NominalCoverage>& levels() {
  // Three references, as the corpus's calibrations have, reach no more.
  static const std::vector<NominalCoverage> kLevels = parse_levels({"0.25", "0.5"});
  return kLevels;
}

void require_number(const std::optional<double>& number) {
  require(!number || std::isfinite(*number), "a number of a table is finite");
}

void require_rows(const std::vector<VolumeRow>& rows) {
  for (const VolumeRow& row : rows) {
    for (const auto& number :
         {row.volume_ml, row.lower_ml, row.upper_ml, row.raw_volume_ml, row.raw_lower_ml,
          row.raw_upper_ml, row.segmented_ml, row.largest_focus_share}) {
      require_number(number);
    }
    require(!to_csv(row).empty() && !to_json_line(row).empty(), "a row has a text");
  }
}

/// Two passes over a sphere's worth of voxels.
const RegionPrediction& a_prediction() {
  static const RegionPrediction kPrediction = [] {
    RegionPrediction made{"case", "whole", {}, {}, 0.001};
    for (const float inside : {2.0F, 4.0F}) {
      LogitHistogram pass;
      for (int n = 0; n < 4000; ++n) pass.add(n < 1000 ? inside : -9.0F);
      made.passes.push_back(pass);
    }
    made.without_dropout = {made.passes.front()};
    made.mean = made.passes.back();
    made.agreement = {3000, 0, 1000};
    return made;
  }();
  return kPrediction;
}

Grid a_small_grid() {
  Grid grid;
  grid.size = {5, 4, 3};
  return grid;
}

constexpr std::size_t kRegions = 2;

/// Not every model has labels that can be told apart.
void label_painting_or_refusal(const nlohmann::json& model) {
  try {
    label_painting(model);
  } catch (const UsageError&) {
  }
}

void read_slices(const fs::path& path) {
  const Thumbnail read = read_thumbnail(path, a_small_grid(), kRegions);
  for (const ThumbnailSlice& slice : read.slices) {
    for (const auto* panels : {&slice.channels, &slice.regions}) {
      for (const auto& panel : *panels) {
        require(static_cast<std::int64_t>(panel.size()) == slice.width * slice.height,
                "a panel has the pixels of its slice");
      }
    }
  }
}

}  // namespace

void read_a_case_record(std::string_view bytes, const fs::path& folder) {
  const fs::path path = folder / "record.json";
  put_file(path, bytes);
  const CaseRecord record = read_case_record(path);
  use([&] {
    measurement_of(record);
    scan_sha256(record);
    require_rows(rows_of(record, levels()));
    const fs::path copy = folder / "copy.json";
    write_case_record(record, copy);
    const CaseRecord again = read_case_record(copy);
    require(again.same_measurement(record) && again.image_quality == record.image_quality,
            "a record is read as it was written");
    for (std::size_t n = 0; n < record.regions.size(); ++n) {
      const std::vector<std::int64_t>& agreement = record.regions[n].agreement;
      require(again.regions[n].agreement == agreement, "as many passes agree as were written");
      if (agreement.size() > 2) require_number(generalised_dice(agreement).value());
      const RegionPrediction prediction = prediction_of(record, record.regions[n]);
      if (!has_segmentation_features(prediction)) continue;
      const SegmentationFeatures features =
          segmentation_features(prediction, regression_features(prediction));
      for (const auto& named : kSegmentationFeatures) require_number(features.*named.feature);
    }
  });
}

void read_a_run_file(std::string_view bytes, const fs::path& folder) {
  put_file(folder / "run.json", bytes);
  require_no_foreign_files(folder);
  const std::optional<RunFile> run = read_run_file(folder);
  require(run.has_value(), "a file that is there is read or refused");
  use([&] {
    label_painting_or_refusal(run->model);
    difference(run->identity, {{"seed", 1}, {"model", {{"format", 1}}}});
    sha256_of_identity(run->identity);
    const std::string text = run_file_text(*run);
    put_file(folder / "run.json", text);
    require(run_file_text(read_run_file(folder).value()) == text,
            "a run is read as it was written");
  });
}

void read_a_calibration(std::string_view bytes, const fs::path& folder) {
  const fs::path path = folder / "calibration.json", copy = folder / "copy.json";
  put_file(path, bytes);
  is_calibration_file(path);
  const CalibrationFile calibration = read_calibration_file(path);
  use([&] {
    write_calibration_file(calibration, copy);
    const std::string sha256 = read_calibration_file(copy).sha256;
    require(write_calibration_file(read_calibration_file(copy), copy) == sha256,
            "a calibration is read as it was written");
    sha256_of_identity(calibration.identity);
  });
  // Which refuses levels that it has too few references for.
  for (const RegionCalibration& region : calibration.regions) {
    const VolumeEstimate estimate =
        estimate_volume(a_prediction(), region, calibration.method, levels());
    require_number(estimate.median_ml);
    for (const PredictionInterval& interval : estimate.intervals) {
      require_number(interval.lower_ml);
      require_number(interval.upper_ml);
    }
    if (!region.dice) continue;
    const ExpectedDice dice = region.dice->expect(
        segmentation_features(a_prediction(), regression_features(a_prediction())), levels());
    require(dice.median >= 0 && dice.median <= 1, "an expected Dice is one");
    for (const std::optional<double>& lower : dice.lower) {
      require(!lower || (*lower >= 0 && *lower <= 1), "and so are bounds");
    }
  }
}

void read_a_lock(std::string_view bytes, const fs::path& folder) {
  static const RunLock kHeld(folder / "held");
  put_file(folder / "held" / ".lock", bytes);
  try {
    RunLock::require_free(folder / "held");
  } catch (const FolderLockedError&) {
    return;
  }
  require(false, "a lock that is held is seen to be");
}

void read_a_thumbnail(std::string_view bytes, const fs::path& folder) {
  put_file(folder / "case.png", bytes);
  read_slices(folder / "case.png");
}

void read_a_packed_thumbnail(std::string_view bytes, const fs::path& folder) {
  if (bytes.size() < 2) return;
  GreyPicture picture;
  picture.width = 1 + static_cast<unsigned char>(bytes.front()) % 8;
  bytes.remove_prefix(1);
  picture.height = static_cast<std::int64_t>(bytes.size()) / picture.width;
  bytes = bytes.substr(0, static_cast<std::size_t>(picture.width * picture.height));
  picture.pixels.assign(bytes.begin(), bytes.end());
  read_a_thumbnail(png_from_picture(picture), folder);
}

void read_a_map_list(std::string_view bytes, const fs::path& folder) {
  const std::unique_ptr<MapNames> names = map_names(folder, "case_a", MapLayout::kCases);
  fs::create_directories(names->list().parent_path());
  put_file(names->list(), bytes);
  const std::optional<MapList> list = read_map_list(*names);
  if (!list) return;
  use([&] {
    write_map_list(*names, *list);
    const std::optional<MapList> again = read_map_list(*names);
    require(again && again->images.size() == list->images.size() &&
                again->origin.inputs == list->origin.inputs && again->complete == list->complete,
            "a list of images is read as it was written");
  });
}

void read_a_data_set_description(std::string_view bytes, const fs::path& folder) {
  put_file(folder / "dataset_description.json", bytes);
  is_data_set_of_mcvol(folder);
}

}  // namespace mcvol::fuzz

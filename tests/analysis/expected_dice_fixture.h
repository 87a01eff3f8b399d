#pragma once

#include "mcvol/analysis/tabulate.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/maps/map_list.h"
#include "mcvol/io/maps/map_names.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/calibrate_fixture.h"

namespace mcvol::testing {

namespace fs = std::filesystem;

/// Label maps of 1,000 voxels in a row, and segmentations that overlap the more, the more the
/// passes agree.
class ExpectedDiceOfResults : public Calibrate {
 protected:
  void SetUp() override {
    Calibrate::SetUp();
    for (const auto* scans : {&calibration_scans_, &test_scans_}) {
      for (const SyntheticScan& scan : *scans) write_labels(scan);
    }
    save("results", calibration_scans_);
    write_synthetic_results(folder("others"), test_scans_);
    save("others", test_scans_);
    write_synthetic_references(folder("labels.csv"), calibration_scans_);
  }

  /// From 0 to 1, differing from scan to scan.
  static double quality_of(const SyntheticScan& scan) {
    return 0.3 + 0.7 * static_cast<double>(std::hash<std::string>()(scan.case_id) % 1000) / 1000;
  }

  static Image<std::uint8_t> row_of(int from, int to) {
    Grid grid;
    grid.size = {1000, 1, 1};
    grid.spacing_mm = {20, 20, 20};
    Image<std::uint8_t> image(grid);
    std::fill(image.values.begin() + from, image.values.begin() + to, std::uint8_t{2});
    return image;
  }

  /// As many voxels as its volume has, to the next one.
  static int voxels_of(const SyntheticScan& scan) {
    return std::clamp(static_cast<int>(scan.truth_ml / 8), 4, 400);
  }

  void write_labels(const SyntheticScan& scan) const {
    write_image(folder("labels") / (scan.case_id + ".nii.gz"), row_of(0, voxels_of(scan)));
  }

  /// Records that agree as well as their segmentations overlap with the label maps.
  void save(const std::string& results, const std::vector<SyntheticScan>& scans) const {
    for (const SyntheticScan& scan : scans) {
      const fs::path path = case_record_path(folder(results), scan.case_id);
      CaseRecord record = read_case_record(path);
      const double quality = quality_of(scan);
      for (RegionRecord& region : record.regions) {
        std::int64_t found = 0;
        for (const LogitHistogram& pass : region.passes) found += pass.above_half();
        // Of three passes: a share of what they find lies in all, the rest in one of them.
        const auto all = static_cast<std::int64_t>(quality * static_cast<double>(found) / 3);
        const std::int64_t once = found - 3 * all;
        region.agreement = {region.mean.voxel_count() - once - all, once, 0, all};
      }
      write_case_record(record, path);
      const auto names = map_names(folder(results), scan.case_id);
      MapList list;
      list.case_id = scan.case_id;
      list.origin = MapsOrigin(record.run_identity, record.inputs);
      const int voxels = voxels_of(scan);
      const int beside = static_cast<int>(voxels * (1 - quality));
      for (const RegionRecord& region : record.regions) {
        const std::string file = names->image("segmentation", region.region);
        write_image(names->folder() / file, row_of(beside, beside + voxels));
        list.images.push_back({file, "segmentation", region.region, {}, 1.0, 1.0, {}});
      }
      list.complete = true;
      write_map_list(*names, list);
    }
  }

  CalibrateOptions with_labels() const {
    CalibrateOptions asked = options();
    asked.references.path = folder("labels");
    asked.references.accept = true;
    return asked;
  }

  Tabulation table(std::optional<double> least = {}) const {
    TabulateOptions asked;
    asked.results = folder("others");
    asked.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
    asked.least_dice = least;
    return tabulate(asked);
  }
};

}  // namespace mcvol::testing

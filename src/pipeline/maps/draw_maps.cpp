#include "mcvol/pipeline/draw_maps.h"

#include "mcvol/analysis/referenced_results.h"
#include "mcvol/error/error.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/records/run_lock.h"
#include "mcvol/pipeline/case_maps.h"
#include "mcvol/pipeline/label_painting.h"

#include <algorithm>
#include <utility>

namespace mcvol {
namespace {

/// Images of the cases of a folder that it holds.
class MapsDrawing {
 public:
  MapsDrawing(const DrawMapsOptions& options, const RunFile& run)
      : options_(options),
        model_sha256_(run.model_sha256),
        layout_(map_layout_in_use(options.results)),
        levels_(levels_or_those_of(options.levels, run)),
        calibration_(
            chosen_calibration(options.calibration, options.results, run.identity, levels_)) {
    if (options.save.labels) painting_ = label_painting(run.model);
  }

  DrawMapsReport draw() {
    for (const std::string& case_id : chosen_cases()) {
      try {
        const CaseRecord record = read_case_record(options_.results, case_id);
        if (const std::string why = draw_case(record); !why.empty()) {
          report_.without.push_back(case_id + ": " + why);
        }
      } catch (const InputError& error) {
        report_.unreadable.push_back(error.what());
      } catch (const UsageError&) {
        throw;
      } catch (const DiskError&) {
        throw;  // Of the next case no more could be written.
      } catch (const Error& error) {
        report_.without.push_back(case_id + ": " + error.what());
      }
    }
    return std::move(report_);
  }

 private:
  std::vector<std::string> chosen_cases() const {
    const std::vector<std::string> recorded = recorded_case_ids(options_.results);
    for (const std::string& case_id : options_.cases) {
      if (std::find(recorded.begin(), recorded.end(), case_id) != recorded.end()) continue;
      throw UsageError("--case: " + options_.results.string() + " has no record of " + case_id);
    }
    return options_.cases.empty() ? recorded : options_.cases;
  }

  /// @returns why the case is without some of its images; empty where it has all.
  std::string draw_case(const CaseRecord& record) {
    if (record.status == CaseRecord::Status::kFailed) {
      return "failed when it was measured: " + record.error;
    }
    if (options_.save.labels && record.model != model_sha256_) {
      return "measured with another model than the run's; label values are not known";
    }
    // With all kinds that are there, which measuring again without them would remove.
    const MapChoice kinds = with_those_there(record);
    std::vector<std::string> regions;
    for (const RegionRecord& region : record.regions) regions.push_back(region.region);
    require_map_names_differ(regions, kinds, layout_);
    const std::string again = "measure the case again: mcvol predict SCANS --model DIR --out " +
                              options_.results.string() + " --save " + kinds.text() +
                              ", with the run's other options";
    try {
      const auto rows = rows_of(record, levels_, calibration_.get());
      const AddedMaps added =
          add_case_maps(options_.results, record, rows, options_.save, painting_);
      if (added.missing.any()) {
        return added.missing.text() + " cannot be made of what is saved; " + again;
      }
      ++(added.drawn.any() ? report_.drawn : report_.kept);
    } catch (const InputError& error) {
      return std::string(error.what()) + "; remove it and " + again;
    }
    return "";
  }

  MapChoice with_those_there(const CaseRecord& record) const {
    MapChoice kinds = saved_kinds(options_.results, record);
    for (const MapKind& kind : kMapKinds) {
      kinds.*kind.chosen = kinds.*kind.chosen || options_.save.*kind.chosen;
    }
    return kinds;
  }

  const DrawMapsOptions& options_;
  std::string model_sha256_;
  MapLayout layout_;
  std::vector<NominalCoverage> levels_;
  CalibrationPointer calibration_;
  LabelPainting painting_;
  DrawMapsReport report_;
};

}  // namespace

DrawMapsReport draw_maps(const DrawMapsOptions& options) {
  // The lock makes the folder that it is of, which must not be one of no results.
  require_run_file(options.results);
  const RunLock lock(options.results);
  require_known_map_layout(options.results);
  remove_left_temporary_maps(options.results);
  return MapsDrawing(options, require_run_file(options.results)).draw();
}

}  // namespace mcvol

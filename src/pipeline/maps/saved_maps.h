#pragma once

#include "mcvol/pipeline/case_maps.h"
#include "mcvol/pipeline/predict.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace mcvol {

/// The saved images of a run. Whatever is wrong with those of one case is a warning and never the
/// end of the run, but for images of an earlier measurement that cannot be removed, and a disk that
/// takes no more (DiskError).
class SavedMaps {
 public:
  /// All must outlive it.
  SavedMaps(const PredictOptions& options, PredictPlan& plan, PredictObserver& observer)
      : options_(options), plan_(plan), observer_(observer) {
    if (options.save.labels) painting_ = label_painting(plan.bundle.json);
  }

  /// Says how much disk the images of the cases to measure will take, about; warns where there is
  /// less. Nothing where none are saved. @param free_bytes PredictServices::free_bytes.
  void say_sizes(
      const std::function<std::optional<double>(const std::filesystem::path&)>& free_bytes);

  /// Records the layout of the images in the folder, where some are saved. @throws Error.
  void begin();

  /// Draws the bounds of kept cases as the table has them now, which may be of another level or
  /// calibration than those that were drawn.
  /// @returns how many cases this could not be done for; they are to be measured after all.
  int renew_bounds_of_kept();

  /// Keeps what the images of a case are made of, where some are to be saved.
  void take(const ScanCase& scan, const PreparedScan& prepared, const HistogramSink& sink);

  /// Removes what is there of an earlier measurement of a case.
  void remove(const std::string& case_id) { had_list_ = remove_case_maps(plan_.folder, case_id); }

  /// Writes the images of the case taken last, in place of those removed. @param source the first
  /// channel's file.
  void write(const CaseRecord& record, const std::vector<VolumeRow>& rows,
             const ImageSource& source);

  /// Says so where images stand beside a new record that are not known to be of it.
  void warn_of_unlisted(const std::string& case_id);

 private:
  void go_without(const std::string& case_id, const std::string& reason);
  bool renew_bounds_of(const std::string& case_id);

  const PredictOptions& options_;
  PredictPlan& plan_;
  PredictObserver& observer_;
  LabelPainting painting_;       ///< where labels are to be saved
  std::vector<RegionMap> maps_;  ///< of the case at hand
  bool had_list_ = false;        ///< of its images, before they were removed
};

}  // namespace mcvol

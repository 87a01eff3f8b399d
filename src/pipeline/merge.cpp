#include "mcvol/pipeline/merge.h"

#include "mcvol/analysis/calibration_use.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/io/records/run_lock.h"
#include "mcvol/io/records/thumbnail.h"
#include "mcvol/pipeline/case_maps.h"
#include "mcvol/pipeline/foreign_files.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "merge_sources.h"

namespace mcvol {

namespace {

namespace fs = std::filesystem;

/// One merge, from reading what there is to writing the folder.
class Merge {
 public:
  explicit Merge(const MergeOptions& options)
      : out_(options.out), sources_(find_merge_sources(options.sources, options.out)) {
    report_.notes = std::move(sources_.notes);
    report_.complete = report_.all_sources = report_.notes.empty();
    levels_ = options.levels.empty() ? levels_of_sources() : options.levels;
    calibration_folder_ = folder_of_calibration();
    calibration_ = with_least_dice(
        kept_calibration(calibration_folder_, sources_.folders.front().run.identity, levels_),
        least_dice_of(merged_run_file(sources_.folders)));
    warn_of_other_qualities();
    map_layout_folder_ = folder_of_map_layout();
  }

  MergeReport run() {
    choose_all();
    // Marked as a merge before its records are there, so that one cut short can be taken up.
    RunFile merged = summary();
    merged.state = RunFile::State::kRunning;
    const fs::path calibration_file = calibration_path(calibration_folder_);
    require_replaceable_calibration(calibration_.get(), calibration_file, out_);
    name_calibrations(merged.options, calibration_.get(), read_run_file(out_));
    write_run_file(merged, out_);
    keep_calibration(calibration_.get(), calibration_file, out_);
    begin_map_layout_of(map_layout_folder_, out_);
    VolumeTable table(levels_, calibration_);
    for (const auto& [case_id, chosen] : chosen_) write_case(case_id, chosen, table);
    table.write(out_);
    merged = summary();
    const std::optional<BatchCheck> batch = table.batch();
    if (batch) merged.batch = json_of(*batch);
    write_run_file(merged, out_);
    for (std::string& fault : table.faults()) report_.warnings.push_back(std::move(fault));
    if (batch && batch->differs()) report_.warnings.push_back(batch->words());
    report_.sources = static_cast<int>(sources_.folders.size());
    return std::move(report_);
  }

 private:
  struct Choice {
    fs::path folder;
    CaseRecord::Status status = CaseRecord::Status::kOk;
  };

  std::vector<NominalCoverage> levels_of_sources() const {
    std::vector<std::string> texts;
    for (const MergeSource& source : sources_.folders) {
      texts.insert(texts.end(), source.run.levels.begin(), source.run.levels.end());
    }
    if (texts.empty()) {
      throw UsageError(sources_.folders.front().folder.string() +
                       ": run.json names no level; say which with --level, such as 0.9");
    }
    return parse_levels(texts);
  }

  /// Of the sources' calibrations, which have to be one.
  fs::path folder_of_calibration() const {
    const auto text_of = [](const fs::path& folder) {
      const fs::path path = calibration_path(folder);
      return fs::exists(path) ? read_file(path) : "";
    };
    const fs::path& first = sources_.folders.front().folder;
    for (const MergeSource& source : sources_.folders) {
      if (text_of(source.folder) == text_of(first)) continue;
      throw UsageError(first.string() + " and " + source.folder.string() +
                       " have different calibrations; run mcvol predict on both with the same "
                       "--calibration, which measures nothing again");
    }
    return first;
  }

  /// One of those with images, the earlier merge and the sources, which have to be of one layout;
  /// the first source where none has any.
  fs::path folder_of_map_layout() const {
    std::vector<fs::path> folders{out_};
    for (const MergeSource& source : sources_.folders) folders.push_back(source.folder);
    for (const fs::path& folder : folders) require_known_map_layout(folder);
    std::erase_if(folders, [](const fs::path& folder) { return !map_layout_of(folder); });
    if (folders.empty()) return sources_.folders.front().folder;
    const fs::path& first = folders.front();
    const MapLayout layout = *map_layout_of(first);
    for (const fs::path& folder : folders) {
      if (map_layout_of(folder) == layout) continue;
      throw UsageError(first.string() + " and " + folder.string() + " have images in layouts " +
                       to_string(layout) + " and " + to_string(*map_layout_of(folder)) +
                       "; move the maps/ of one of them elsewhere, and save its images again "
                       "with the other's --save-layout");
    }
    chosen_map_layout(out_, layout, false);
    return first;
  }

  void note(const std::string& line) {
    report_.notes.push_back(line);
    report_.complete = false;
    ++report_.left_out;
  }

  /// The record, if it is one of this run; one that is not is noted and left out.
  std::optional<CaseRecord> usable_record(const fs::path& folder, const std::string& case_id) {
    try {
      CaseRecord record = read_case_record(folder, case_id);
      if (record.run_identity == sources_.identity_sha256) return record;
      note(case_record_path(folder, case_id).string() +
           ": left out: made under another run identity; let its run finish");
    } catch (const InputError& error) {
      note(std::string(error.what()) + "; left out: measure the case again");
    }
    return std::nullopt;
  }

  static bool is_ok(const std::optional<CaseRecord>& record) {
    return record && record->status == CaseRecord::Status::kOk;
  }

  /// Decides for every case which folder's record is taken; writes nothing.
  void choose_all() {
    std::map<std::string, std::vector<fs::path>> holders;
    for (const MergeSource& source : sources_.folders) {
      for (const std::string& case_id : recorded_case_ids(source.folder)) {
        holders[case_id].push_back(source.folder);
      }
    }
    if (sources_.earlier_merge) {
      for (const std::string& case_id : recorded_case_ids(out_)) holders[case_id].push_back(out_);
    }
    for (const auto& [case_id, folders] : holders) choose(case_id, folders);
  }

  void choose(const std::string& case_id, const std::vector<fs::path>& folders) {
    std::optional<CaseRecord> best;
    fs::path best_folder;
    for (const fs::path& folder : folders) {
      // An earlier merge comes last: what it holds may be older than the sources.
      if (sources_.earlier_merge && folder == out_ && is_ok(best)) continue;
      std::optional<CaseRecord> record = usable_record(folder, case_id);
      if (!record) continue;
      ++usable_records_[folder];
      if (is_ok(record) && is_ok(best) && !record->same_measurement(*best)) {
        throw UsageError(case_id + ": measured differently in " + best_folder.string() + " and " +
                         folder.string() + "; remove the record of one of them");
      }
      const bool tells_more = is_ok(record) && is_ok(best) && has_regression_features(*record) &&
                              !has_regression_features(*best);
      if (!best || (is_ok(record) && !is_ok(best)) || tells_more) {
        best = std::move(record);
        best_folder = folder;
      }
    }
    if (!best) return;
    chosen_[case_id] = {best_folder, best->status};
    ++(best->status == CaseRecord::Status::kOk ? report_.done : report_.failed);
  }

  /// One record in memory at a time, whatever the number of cases. The sources are not locked: a
  /// run may have begun on one since its records were chosen.
  void write_case(const std::string& case_id, const Choice& chosen, VolumeTable& table) {
    const CaseRecord record = read_case_record(chosen.folder, case_id);
    if (record.run_identity != sources_.identity_sha256 || record.status != chosen.status) {
      throw Error(case_record_path(chosen.folder, case_id).string() +
                  ": changed while it was being merged; merge again once its run is over");
    }
    if (!fs::equivalent(chosen.folder, out_)) {
      copy_thumbnail(chosen.folder, case_id);
      copy_maps(chosen.folder, record);
      write_case_record(record, case_record_path(out_, case_id));
    }
    renew_maps(record, table.put(record));
    for (const std::string& name : unlisted_images(out_, case_id)) {
      report_.warnings.push_back(case_id + ": " + (maps_folder(out_, case_id) / name).string() +
                                 ": not of this measurement; move or remove it");
    }
  }

  /// Or removes that of an earlier merge, where the record taken has none.
  void copy_thumbnail(const fs::path& folder, const std::string& case_id) {
    const fs::path from = thumbnail_path(folder, case_id);
    const fs::path to = thumbnail_path(out_, case_id);
    std::error_code ignored;
    try {
      if (fs::exists(from)) return write_file_atomically(to, read_file(from));
    } catch (const DiskError&) {
      throw;
    } catch (const std::exception& error) {
      report_.warnings.push_back(case_id + ": merged without its slice: " + message_of(error));
    }
    fs::remove(to, ignored);
  }

  /// @throws Error where images of an earlier merge stay beside the record.
  void copy_maps(const fs::path& folder, const CaseRecord& record) {
    const bool had_list = remove_case_maps(out_, record.case_id);
    try {
      return copy_case_maps(folder, out_, record, had_list);
    } catch (const DiskError&) {
      throw;
    } catch (const std::exception& error) {
      report_.warnings.push_back(record.case_id +
                                 ": merged without its saved images: " + message_of(error));
    }
    remove_case_maps(out_, record.case_id);
  }

  /// The merged table may have other levels than a source.
  void renew_maps(const CaseRecord& record, const std::vector<VolumeRow>& rows) {
    if (record.status != CaseRecord::Status::kOk) return;
    try {
      renew_bounds(out_, record, rows);
    } catch (const DiskError&) {
      throw;
    } catch (const std::exception& error) {
      report_.warnings.push_back(
          record.case_id + ": its saved bounds are not those of the table: " + message_of(error));
    }
  }

  /// What the merged folder keeps of the options is what its sources have in common.
  void warn_of_other_qualities() {
    const std::vector<MergeSource>& all = sources_.folders;
    const auto first = least_dice_of(all.front().run);
    const bool same = std::all_of(all.begin(), all.end(), [&](const MergeSource& source) {
      return least_dice_of(source.run) == first;
    });
    if (same) return;
    report_.warnings.push_back(
        "the folders were measured with different --quality: low_quality goes by the calibration's "
        "own limit; mcvol interval --quality sets another");
  }

  RunFile summary() const {
    RunFile merged = merged_run_file(sources_.folders);
    merged.state = report_.complete ? RunFile::State::kComplete : RunFile::State::kInterrupted;
    merged.done = report_.done;
    merged.failed = report_.failed;
    merged.found = report_.done + report_.failed;
    for (const MergeSource& source : sources_.folders) {
      // Counted, not taken from run.json: that of a killed run says what was done some time ago.
      const auto usable = usable_records_.find(source.folder);
      const int recorded = usable == usable_records_.end() ? 0 : usable->second;
      merged.found += std::max(0, source.run.found - recorded);
    }
    if (calibration_) merged.options["calibration"] = calibration_->file.sha256;
    merged.options.erase("calibration_before");
    merged.levels.clear();
    for (const NominalCoverage& level : levels_) merged.levels.push_back(level.text);
    return merged;
  }

  fs::path out_;
  MergeSources sources_;
  std::vector<NominalCoverage> levels_;
  fs::path calibration_folder_, map_layout_folder_;
  CalibrationPointer calibration_;
  std::map<std::string, Choice> chosen_;
  std::map<fs::path, int> usable_records_;
  MergeReport report_;
};

}  // namespace

MergeReport merge_results(const MergeOptions& options) {
  // Before the lock: a folder that is merged into may be one of the sources.
  require_sources_free(options.sources);
  require_no_foreign_files(options.out);
  const RunLock lock(options.out);
  for (const fs::path& folder : {options.out, options.out / "cases", options.out / "thumbnails"}) {
    remove_left_temporary_files(folder);
  }
  remove_left_temporary_maps(options.out);
  return Merge(options).run();
}

}  // namespace mcvol

#include "mcvol/analysis/referenced_results.h"

#include "mcvol/analysis/parallel.h"
#include "mcvol/analysis/reference_check.h"
#include "mcvol/analysis/run_identity.h"
#include "mcvol/analysis/volume_table.h"
#include "mcvol/calibration/scores.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text.h"
#include "mcvol/io/records/calibration_file.h"
#include "mcvol/io/records/case_record.h"

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>

#include "reference_reader.h"

namespace mcvol {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<std::string> regions_of(const json& model) {
  std::vector<std::string> names;
  for (const json& region : model.at("regions")) names.push_back(region.at("name"));
  return names;
}

enum class Fate { kUsed, kFailed, kOtherRun, kUnreadable, kNoReference };

Fate read_case(const fs::path& folder, const std::string& case_id, const std::string& identity,
               const ReferenceReader& references, ReferencedCase& into) {
  CaseRecord record;
  ReferenceReader::OfCase known;
  try {
    record = read_case_record(folder, case_id);
    if (record.status == CaseRecord::Status::kFailed) return Fate::kFailed;
    if (record.run_identity != identity) return Fate::kOtherRun;
    known = references.volumes_of(record, folder);
  } catch (const UnknownLabelError& error) {
    into.problem = error.what();
    into.unknown_label = error.value();
    return Fate::kUnreadable;
  } catch (const InputError& error) {
    into.problem = error.what();
    return Fate::kUnreadable;
  }
  into.case_id = case_id;
  into.scan_sha256 = scan_sha256(record);
  into.voxel_ml = record.grid.voxel_volume_ml();
  into.image_quality = record.image_quality;
  into.has_label_map = references.has_label_maps();
  into.why_no_dice = known.labels.why_no_dice;
  for (std::size_t n = 0; n < record.regions.size(); ++n) {
    const RegionRecord& region = record.regions[n];
    const auto volume = known.regions_ml.find(region.region);
    if (volume == known.regions_ml.end()) continue;
    ReferencedRegion of_region{region.region,
                               volume->second,
                               predicted_volume_ml(prediction_of(record, region)),
                               static_cast<double>(region.mean.above_half()) * into.voxel_ml,
                               !region.without_dropout.empty(),
                               !region.agreement.empty(),
                               std::nullopt};
    if (n < known.labels.dice.size()) of_region.dice = known.labels.dice[n];
    into.regions.push_back(std::move(of_region));
  }
  into.labels_ml = std::move(known.labels.labels_ml);
  into.values = std::move(known.labels.values);
  return into.regions.empty() ? Fate::kNoReference : Fate::kUsed;
}

/// @throws Error, which ends the work: the record was readable and of this run a moment ago.
std::vector<RegionPrediction> predictions_of(const ReferencedCase& one, const fs::path& folder,
                                             const std::string& identity) {
  constexpr const char* kAgain =
      "; it was another a moment ago: start again once nothing writes to it";
  std::vector<RegionPrediction> predictions;
  try {
    const CaseRecord record = read_case_record(folder, one.case_id);
    const bool same = record.status == CaseRecord::Status::kOk && record.run_identity == identity &&
                      scan_sha256(record) == one.scan_sha256;
    for (const RegionRecord& region : record.regions) {
      if (!same || predictions.size() == one.regions.size()) break;
      if (region.region != one.regions[predictions.size()].region) continue;
      predictions.push_back(prediction_of(record, region));
    }
  } catch (const InputError& error) {
    throw Error(error.what() + std::string(kAgain));
  }
  if (predictions.size() == one.regions.size()) return predictions;
  throw Error(case_record_path(folder, one.case_id).string() + ": changed" + kAgain);
}

void note_count(std::vector<std::string>& notes, std::size_t count, const std::string& what) {
  if (count > 0) notes.push_back(std::to_string(count) + " case(s) " + what);
}

/// A value of no region in one label map of many is a slip, and that case's own. In more of them it
/// is a convention, and to go on without all tumours that have such a part would be a choice among
/// them: why that is refused, empty where it is not.
std::string unknown_convention_of(const std::vector<ReferencedCase>& unread, std::size_t used) {
  constexpr std::size_t kOneOf = 20;
  std::map<int, std::vector<std::string>> problems;
  std::size_t holders = 0;
  for (const ReferencedCase& one : unread) {
    if (!one.unknown_label) continue;
    ++holders;
    problems[*one.unknown_label].push_back(one.problem);
  }
  const std::size_t most = std::max<std::size_t>(1, (used + holders) / kOneOf);
  if (holders == 0 || (used > 0 && holders <= most)) return {};
  const auto worst = std::max_element(
      problems.begin(), problems.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  const std::size_t count = worst->second.size();
  return worst->second.front() +
         (count > 1 ? "; " + std::to_string(count) + " label maps hold it" : "");
}

/// Why the references are of too little; empty where they are not. A calibration is of all regions
/// of the model.
std::string shortage_of(const ReferencedResults& results, const fs::path& path,
                        const fs::path& folder) {
  if (results.cases.empty()) {
    return path.string() + ": no measured case of " + folder.string() +
           " has a reference there; expected its case_id and regions " + results.regions.front() +
           ", …";
  }
  std::set<std::string> seen;
  for (const ReferencedCase& one : results.cases) {
    for (const ReferencedRegion& region : one.regions) seen.insert(region.region);
  }
  for (const std::string& region : results.regions) {
    if (seen.contains(region)) continue;
    return path.string() + ": no volume of the region " + region +
           "; expected some of each region of the model";
  }
  return "";
}

/// Names of cases that match nothing. A table of more cases than were measured is usual, measured
/// cases without a reference are too; both at once may be one name written in two ways.
void note_unmatched_cases(const std::set<std::string>& without,
                          const std::set<std::string>& surplus, const fs::path& path,
                          ReferencedResults& results) {
  if (without.empty() || surplus.empty()) {
    note_count(results.notes, surplus.size(), "of the references have not been measured");
    return;
  }
  results.left_out.push_back(path.string() + ": " + std::to_string(surplus.size()) +
                             " case(s) match no measured one, and " +
                             std::to_string(without.size()) +
                             " measured one(s) match none: " + describe_mismatch(without, surplus));
}

/// Likewise of regions, of which a table may have more than the model.
void note_unmatched_regions(const ReferenceReader& references, const fs::path& path,
                            ReferencedResults& results) {
  std::set<std::string> lacking, surplus;
  std::size_t rows = 0;
  for (const auto& [region, count] : references.regions()) {
    if (std::count(results.regions.begin(), results.regions.end(), region) > 0) continue;
    surplus.insert(region);
    rows += static_cast<std::size_t>(count);
  }
  for (const std::string& region : results.regions) {
    const auto has = [&](const ReferencedCase& one) {
      return std::any_of(one.regions.begin(), one.regions.end(),
                         [&](const auto& of) { return of.region == region; });
    };
    const auto with = std::count_if(results.cases.begin(), results.cases.end(), has);
    const auto without = static_cast<std::ptrdiff_t>(results.cases.size()) - with;
    if (without == 0 && !results.cases.empty()) continue;
    lacking.insert(region);
    if (with > 0) {
      note_count(results.notes, static_cast<std::size_t>(without),
                 "have no reference of " + region + ", others have");
    }
  }
  if (surplus.empty()) return;
  if (lacking.empty()) {
    results.notes.push_back(path.string() + ": " + joined(surplus) +
                            ": no region of the model; passed over");
    return;
  }
  results.left_out.push_back(
      path.string() + ": " + std::to_string(rows) +
      " row(s) of no region of the model: " + describe_mismatch(lacking, surplus));
}

}  // namespace

RunFile require_run_file(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw UsageError(folder.string() + ": no such folder; expected a result folder");
  }
  std::optional<RunFile> run = read_run_file(folder);
  if (run && run->model.contains("regions") && run->model.contains("output")) {
    return *std::move(run);
  }
  if (run) throw UsageError(folder.string() + "/run.json: holds no model; measure the cases again");
  throw UsageError(folder.string() + ": no run.json; expected a result folder of mcvol predict" +
                   (fs::is_directory(folder / "shards", error)
                        ? ", and it has shards only: bring them together with mcvol merge"
                        : ""));
}

ReferencedResults read_referenced_results(const fs::path& folder, const ReferenceSource& source,
                                          int threads) {
  ReferencedResults results;
  results.folder = folder;
  results.run = require_run_file(folder);
  results.regions = regions_of(results.run.model);
  const ReferenceReader references(source, results.run.model);
  const std::string identity = sha256_of_identity(results.run.identity);
  const std::vector<std::string> ids = recorded_case_ids(folder);
  std::vector<ReferencedCase> cases(ids.size());
  std::vector<Fate> fates(ids.size());
  for_each_parallel(ids.size(), threads, [&](std::size_t n) {
    fates[n] = read_case(folder, ids[n], identity, references, cases[n]);
  });
  if (!references.readings().empty()) results.facts.push_back(references.readings());
  std::vector<ReferencedCase> unread;
  std::set<std::string> without, surplus = references.case_ids();
  for (std::size_t n = 0; n < ids.size(); ++n) {
    surplus.erase(ids[n]);
    if (fates[n] == Fate::kUsed) results.cases.push_back(std::move(cases[n]));
    if (fates[n] == Fate::kUnreadable) {
      unread.push_back(std::move(cases[n]));
    }
    if (fates[n] == Fate::kNoReference && !references.knows(ids[n])) without.insert(ids[n]);
  }
  std::string refusal = unknown_convention_of(unread, results.cases.size());
  for (const ReferencedCase& one : unread) {
    // One line for all of a convention.
    if (one.unknown_label && !refusal.empty()) continue;
    results.left_out.push_back(one.problem + "; left out");
  }
  const auto count = [&](Fate fate) {
    return static_cast<std::size_t>(std::count(fates.begin(), fates.end(), fate));
  };
  note_count(results.notes, count(Fate::kNoReference), "without a reference left out");
  note_count(results.notes, count(Fate::kFailed), "that failed left out");
  note_count(results.notes, count(Fate::kOtherRun), "measured with other settings left out");
  note_unmatched_cases(without, surplus, source.path, results);
  if (references.is_table()) note_unmatched_regions(references, source.path, results);
  for (std::string& note : references.notes_of_labels(results.cases)) {
    results.notes.push_back(std::move(note));
  }
  if (refusal.empty()) refusal = shortage_of(results, source.path, folder);
  if (refusal.empty()) {
    results.voxel_ml = results.cases.front().voxel_ml;
    refusal = judge_references(results, source.path.string(), source.accept, source.label_map);
  }
  if (source.said) source.said(results);
  if (!refusal.empty()) throw UsageError(refusal);
  return results;
}

void read_predictions(
    const ReferencedResults& results, int threads,
    const std::function<void(std::size_t case_number,
                             const std::vector<RegionPrediction>& predictions)>& work) {
  const std::string identity = sha256_of_identity(results.run.identity);
  for_each_parallel(results.cases.size(), threads, [&](std::size_t number) {
    work(number, predictions_of(results.cases[number], results.folder, identity));
  });
}

bool ReferencedCase::has_pass_without_dropout() const {
  return std::all_of(regions.begin(), regions.end(),
                     [](const ReferencedRegion& region) { return region.without_dropout; });
}

bool ReferencedCase::has_regression_features() const {
  return has_pass_without_dropout() &&
         std::all_of(regions.begin(), regions.end(),
                     [](const ReferencedRegion& region) { return region.agreement; });
}

std::string cases_without_dice(const ReferencedResults& results) {
  std::size_t without = 0, uncomparable = 0;
  std::string example;
  for (const ReferencedCase& one : results.cases) {
    const bool has_dice = std::any_of(one.regions.begin(), one.regions.end(),
                                      [](const auto& region) { return region.dice; });
    if (!one.has_label_map || has_dice) continue;
    ++without;
    uncomparable += one.why_no_dice.empty() ? 0 : 1;
    if (example.empty()) example = one.why_no_dice;
  }
  if (without == 0) return "";
  std::string text = std::to_string(without) + " of " + std::to_string(results.cases.size()) +
                     " case(s) have no Dice: ";
  if (without > uncomparable) {
    text += std::to_string(without - uncomparable) +
            " without saved segmentations (measure with --save segmentation)";
  }
  if (uncomparable == 0) return text;
  return text + (without > uncomparable ? ", " : "") + std::to_string(uncomparable) +
         " that cannot be compared: " + example;
}

std::string leave_out_earlier_records(ReferencedResults& results, IntervalMethod method) {
  if (!is_regression(method)) return "";
  const auto left_out = std::erase_if(
      results.cases, [](const ReferencedCase& one) { return !one.has_regression_features(); });
  if (left_out == 0) return "";
  return std::to_string(left_out) +
         " case(s) left out that an earlier version measured without what the regression takes; "
         "measure them again";
}

std::string leave_out_repeated_scans(ReferencedResults& results) {
  std::map<std::string, const ReferencedCase*> kept;
  for (const ReferencedCase& one : results.cases) {
    const ReferencedCase*& best = kept[one.scan_sha256];
    if (best == nullptr || one.regions.size() > best->regions.size()) best = &one;
  }
  std::set<std::string> stay;
  for (const auto& [scan, one] : kept) stay.insert(one->case_id);
  std::string example;
  for (const ReferencedCase& one : results.cases) {
    if (!example.empty() || stay.contains(one.case_id)) continue;
    example = one.case_id + ", which is " + kept.at(one.scan_sha256)->case_id + " again";
  }
  const auto left_out = std::erase_if(
      results.cases, [&](const ReferencedCase& one) { return !stay.contains(one.case_id); });
  if (left_out == 0) return "";
  return std::to_string(left_out) + " case(s) left out since each scan counts once, such as " +
         example;
}

}  // namespace mcvol

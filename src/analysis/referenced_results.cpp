#include "mcvol/analysis/referenced_results.h"

#include "mcvol/analysis/parallel.h"
#include "mcvol/analysis/run_identity.h"
#include "mcvol/analysis/volume_table.h"
#include "mcvol/error/error.h"
#include "mcvol/io/records/calibration_file.h"
#include "mcvol/io/records/case_record.h"

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>

namespace mcvol {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<std::string> regions_of(const json& model) {
  std::vector<std::string> names;
  for (const json& region : model.at("regions")) names.push_back(region.at("name"));
  return names;
}

/// Which label values each region of the model is made of.
LabelMeaning label_meaning_of(const json& model, const std::map<int, int>& remapped) {
  if (model.at("output").value("activation", "") == "sigmoid") {
    // Its regions overlap, so that a label does not say which of them a voxel belongs to.
    throw UsageError(
        "the model's regions overlap (activation sigmoid), and label maps do not say which labels "
        "make up each; give their volumes as a table (case_id, region, volume_ml)");
  }
  const json& labels = model.at("output").at("labels");
  LabelMeaning meaning;
  meaning.remapped = remapped;
  for (const json& region : model.at("regions")) {
    LabelMeaning::Region of_region;
    of_region.name = region.at("name");
    for (const json& output : region.at("outputs")) {
      const json& label = labels.at(output.get<std::size_t>());
      if (!label.is_null()) of_region.labels.insert(label.get<int>());
    }
    meaning.regions.push_back(std::move(of_region));
  }
  return meaning;
}

/// Reference volumes of one case by region, from a table or its label map.
class ReferenceReader {
 public:
  ReferenceReader(const ReferenceSource& source, const json& model) : source_(source) {
    std::error_code error;
    if (fs::is_directory(source.path, error)) {
      meaning_ = label_meaning_of(model, source.label_map);
      return;
    }
    if (!fs::exists(source.path, error)) {
      throw UsageError(source.path.string() + ": no such file or folder of references");
    }
    if (!source.label_map.empty()) {
      throw UsageError("--label-map goes with a folder of label maps; " + source.path.string() +
                       " is a table");
    }
    table_ = read_reference_table(source.path);
  }

  std::map<std::string, double> volumes_of(const std::string& case_id) const {
    std::map<std::string, double> volumes;
    if (meaning_) {
      const auto path = find_label_map(source_.path, case_id);
      if (!path) return volumes;
      const std::vector<double> measured = volumes_of_label_map(*path, *meaning_);
      for (std::size_t r = 0; r < measured.size(); ++r) {
        volumes[meaning_->regions[r].name] = measured[r];
      }
      return volumes;
    }
    for (auto entry = table_.lower_bound({case_id, ""});
         entry != table_.end() && entry->first.first == case_id; ++entry) {
      volumes[entry->first.second] = entry->second;
    }
    return volumes;
  }

  /// Cases of the table; none of a folder.
  std::set<std::string> case_ids() const {
    std::set<std::string> ids;
    for (const auto& [key, volume] : table_) ids.insert(key.first);
    return ids;
  }

 private:
  const ReferenceSource& source_;
  std::optional<LabelMeaning> meaning_;
  References table_;
};

enum class Fate { kUsed, kFailed, kOtherRun, kUnreadable, kNoReference };

Fate read_case(const fs::path& folder, const std::string& case_id, const std::string& identity,
               const ReferenceReader& references, ReferencedCase& into) {
  CaseRecord record;
  std::map<std::string, double> volumes;
  try {
    record = read_case_record(folder, case_id);
    if (record.status == CaseRecord::Status::kFailed) return Fate::kFailed;
    if (record.run_identity != identity) return Fate::kOtherRun;
    volumes = references.volumes_of(case_id);
  } catch (const InputError& error) {
    into.problem = error.what();
    return Fate::kUnreadable;
  }
  into.case_id = case_id;
  into.scan_sha256 = scan_sha256(record);
  for (const RegionRecord& region : record.regions) {
    const auto volume = volumes.find(region.region);
    if (volume == volumes.end()) continue;
    into.regions.push_back({prediction_of(record, region), volume->second});
  }
  return into.regions.empty() ? Fate::kNoReference : Fate::kUsed;
}

void note_count(std::vector<std::string>& notes, std::size_t count, const std::string& what) {
  if (count > 0) notes.push_back(std::to_string(count) + " case(s) " + what);
}

/// A calibration is of all regions of the model.
void require_every_region(const ReferencedResults& results, const fs::path& path) {
  std::set<std::string> seen;
  for (const ReferencedCase& one : results.cases) {
    for (const ReferencedRegion& region : one.regions) seen.insert(region.prediction.region);
  }
  for (const std::string& region : results.regions) {
    if (results.cases.empty() || seen.contains(region)) continue;
    throw UsageError(path.string() + ": no volume of the region " + region +
                     "; expected some of each region of the model");
  }
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
  for (std::size_t n = 0; n < ids.size(); ++n) {
    if (fates[n] == Fate::kUsed) results.cases.push_back(std::move(cases[n]));
  }
  const auto count = [&](Fate fate) {
    return static_cast<std::size_t>(std::count(fates.begin(), fates.end(), fate));
  };
  std::set<std::string> unmatched = references.case_ids();
  for (const std::string& id : ids) unmatched.erase(id);
  note_count(results.notes, count(Fate::kNoReference), "without a reference left out");
  note_count(results.notes, count(Fate::kFailed), "that failed left out");
  note_count(results.notes, count(Fate::kOtherRun), "measured with other settings left out");
  for (std::size_t n = 0; n < ids.size(); ++n) {
    if (fates[n] == Fate::kUnreadable) results.notes.push_back(cases[n].problem + "; left out");
  }
  note_count(results.notes, unmatched.size(), "of the references have not been measured");
  require_every_region(results, source.path);
  if (results.cases.empty()) {
    throw UsageError(source.path.string() + ": no measured case of " + folder.string() +
                     " has a reference there; expected its case_id and regions " +
                     results.regions.front() + ", …");
  }
  return results;
}

}  // namespace mcvol

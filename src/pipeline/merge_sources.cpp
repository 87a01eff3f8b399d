#include "merge_sources.h"

#include "mcvol/analysis/run_identity.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/records/run_lock.h"
#include "mcvol/pipeline/shard.h"

#include <algorithm>
#include <map>
#include <set>

namespace mcvol {

namespace {

namespace fs = std::filesystem;

/// The shards of `folder`, by number of shards and index, whether anything ran there or not.
std::map<int, std::map<int, fs::path>> shards_in(const fs::path& folder) {
  std::map<int, std::map<int, fs::path>> shards;
  const fs::path parent = folder / "shards";
  std::error_code error;
  if (!fs::is_directory(parent, error)) return shards;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto shard = shard_from_folder_name(entry->path().filename().string());
    if (shard) shards[shard->count][shard->index] = entry->path();
  }
  if (error) throw Error(parent.string() + ": cannot be listed: " + error.message());
  return shards;
}

/// Gathers the folders and what is to be said about them.
class SourceFinder {
 public:
  void add_named(const fs::path& folder) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
      throw UsageError(folder.string() + ": no such folder; expected a result folder");
    }
    const auto shards = shards_in(folder);
    std::optional<RunFile> run = read_run_file(folder);
    std::size_t found = 0;
    for (const auto& [count, by_index] : shards) {
      for (const auto& [index, path] : by_index) {
        if (!add_if_run(path)) continue;
        present_[count].insert(index);
        parents_[count].insert(folder.string());
        ++found;
      }
    }
    // An earlier merge of the shards is no result of its own.
    if (run && (found == 0 || run->merged_from.empty())) {
      add(folder, *std::move(run));
      ++found;
    }
    if (found == 0) {
      throw UsageError(folder.string() +
                       ": no run.json; expected a result folder as mcvol predict writes it");
    }
    if (const auto shard = shard_of_folder(folder)) {
      present_[shard->count].insert(shard->index);
      named_one_by_one_.insert(shard->count);
    }
  }

  /// @return whether `out` holds an earlier merge that is no source itself.
  /// @throws UsageError where it holds something else.
  bool add_out(const fs::path& out) {
    std::optional<RunFile> run = read_run_file(out);
    if (!run) {
      if (recorded_case_ids(out).empty()) return false;
      throw UsageError(out.string() +
                       ": holds records but no run.json to say what they are; use another --out");
    }
    const bool is_source = std::any_of(folders_.begin(), folders_.end(), [&](const auto& source) {
      return fs::equivalent(source.folder, out);
    });
    if (is_source && shard_of_folder(out)) {
      throw UsageError(out.string() +
                       ": one of the shards that are merged; merge into another folder");
    }
    // The parent of shards, or an earlier merge, is where they belong; a run is not.
    if (is_source && run->merged_from.empty() && shards_in(out).empty()) {
      throw UsageError(out.string() +
                       ": one of the results that are merged; merge into another folder");
    }
    if (is_source) return false;
    if (run->merged_from.empty()) {
      throw UsageError(out.string() +
                       ": holds a run that is none of those merged; merge into another folder");
    }
    require_one_identity({out, *run});
    return true;
  }

  MergeSources finish() {
    for (const auto& [count, present] : present_) {
      // Shards of one split may lie in several folders, as where two machines have measured them.
      const std::set<std::string>& parents = parents_[count];
      const bool one_folder = parents.size() == 1 && !named_one_by_one_.contains(count);
      note_missing(one_folder ? *parents.begin() : "", count, present);
    }
    for (const MergeSource& source : folders_) note_unfinished(source);
    MergeSources sources;
    sources.identity_sha256 = sha256_of_identity(folders_.front().run.identity);
    sources.folders = std::move(folders_);
    sources.notes = std::move(notes_);
    return sources;
  }

 private:
  static std::optional<Shard> shard_of_folder(const fs::path& folder) {
    return shard_from_folder_name(fs::canonical(folder).filename().string());
  }

  bool add_if_run(const fs::path& folder) {
    std::optional<RunFile> run = read_run_file(folder);
    if (run) add(folder, *std::move(run));
    return run.has_value();
  }

  void add(const fs::path& folder, RunFile run) {
    if (!seen_.insert(fs::canonical(folder)).second) return;
    MergeSource source{folder, std::move(run)};
    require_one_identity(source);
    folders_.push_back(std::move(source));
  }

  void require_one_identity(const MergeSource& source) const {
    if (folders_.empty()) return;
    const MergeSource& first = folders_.front();
    const auto found = difference(first.run.identity, source.run.identity);
    if (!found) return;
    throw UsageError(first.folder.string() + " and " + source.folder.string() + ": made with " +
                     found->field + " " + found->first + " and " + found->second +
                     "; only results of one run identity can be merged");
  }

  void note_missing(const std::string& where, int count, const std::set<int>& present) {
    constexpr int kMostNamed = 20;
    const int missing = count - static_cast<int>(present.size());
    if (missing == 0) return;
    std::string list;
    int named = 0;
    for (int index = 1; index <= count && named < kMostNamed; ++index) {
      if (present.contains(index)) continue;
      list += (named++ == 0 ? "" : ", ") + Shard{index, count}.folder_name();
    }
    if (missing > named) list += " and " + std::to_string(missing - named) + " more";
    notes_.push_back((where.empty() ? "" : where + ": ") +
                     (missing == 1 ? "a shard is" : "shards are") + " missing: " + list +
                     "; the table is without, run it and merge again");
  }

  void note_unfinished(const MergeSource& source) {
    if (source.run.state == RunFile::State::kComplete) return;
    notes_.push_back(source.folder.string() + ": its run was cut short; run it again to finish");
  }

  std::vector<MergeSource> folders_;
  std::set<fs::path> seen_;
  std::map<int, std::set<int>> present_;          ///< indices by number of shards, of all named
  std::map<int, std::set<std::string>> parents_;  ///< folders they lie in, likewise
  std::set<int> named_one_by_one_;                ///< numbers of shards
  std::vector<std::string> notes_;
};

/// Keeps the options that have the same value everywhere (not the shard).
void keep_common(nlohmann::json& options, const nlohmann::json& other) {
  for (auto item = options.begin(); item != options.end();) {
    const auto same = other.find(item.key());
    item = same != other.end() && *same == *item ? std::next(item) : options.erase(item);
  }
}

/// Null where a source does not say.
nlohmann::json sum_of_timings(const std::vector<MergeSource>& sources) {
  nlohmann::json sums = nlohmann::json::object();
  for (const MergeSource& source : sources) {
    for (const auto& item : source.run.timings_s.items()) sums[item.key()] = 0.0;
  }
  for (const auto& item : sums.items()) {
    for (const MergeSource& source : sources) {
      const auto found = source.run.timings_s.find(item.key());
      const bool known =
          item.value().is_number() && found != source.run.timings_s.end() && found->is_number();
      item.value() = known ? nlohmann::json(item.value().get<double>() + found->get<double>())
                           : nlohmann::json();
    }
  }
  return sums;
}

}  // namespace

void require_sources_free(const std::vector<fs::path>& named) {
  for (const fs::path& folder : named) {
    RunLock::require_free(folder);
    for (const auto& [count, by_index] : shards_in(folder)) {
      for (const auto& [index, path] : by_index) RunLock::require_free(path);
    }
  }
}

MergeSources find_merge_sources(const std::vector<fs::path>& named, const fs::path& out) {
  if (named.empty()) throw UsageError("nothing to merge: name at least one result folder");
  SourceFinder finder;
  for (const fs::path& folder : named) finder.add_named(folder);
  const bool earlier_merge = finder.add_out(out);
  MergeSources sources = finder.finish();
  sources.earlier_merge = earlier_merge;
  return sources;
}

RunFile merged_run_file(const std::vector<MergeSource>& sources) {
  RunFile merged = sources.front().run;
  merged.timings_s = sum_of_timings(sources);
  merged.merged_from.clear();
  merged.batch = nullptr;
  std::set<std::string> names, versions, commits, devices;
  for (const MergeSource& source : sources) {
    names.insert(fs::canonical(source.folder).filename().string());
    versions.insert(source.run.version);
    commits.insert(source.run.commit);
    devices.insert(source.run.device);
    keep_common(merged.options, source.run.options);
    merged.started = std::min(merged.started, source.run.started);
    merged.ended = std::max(merged.ended, source.run.ended);
  }
  merged.merged_from.assign(names.begin(), names.end());
  merged.version = joined(versions, "; ");
  merged.commit = joined(commits, "; ");
  merged.device = joined(devices, "; ");
  return merged;
}

}  // namespace mcvol

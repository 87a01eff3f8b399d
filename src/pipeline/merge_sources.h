#pragma once

#include "mcvol/io/records/run_file.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// One result folder that is merged, and what it says of itself.
struct MergeSource {
  std::filesystem::path folder;
  RunFile run;
};

struct MergeSources {
  std::vector<MergeSource> folders;  ///< at least one, each once, all of one run identity
  std::string identity_sha256;
  bool earlier_merge = false;      ///< the folder merged into holds an earlier merge
  std::vector<std::string> notes;  ///< shards that are missing, runs that were cut short
};

/// @throws FolderLockedError where a run holds one of the folders, or a shard in one.
void require_sources_free(const std::vector<std::filesystem::path>& named);

/// The result folders that the named ones stand for: shards in place of their parent.
/// @throws UsageError for a folder that holds no results, for run identities that differ, and
///   where `out` holds a run that is none of them.
MergeSources find_merge_sources(const std::vector<std::filesystem::path>& named,
                                const std::filesystem::path& out);

/// What the merged folder says of itself: what the sources have in common; counts and levels are
/// the caller's. No time of its own, so that merging again gives the same bytes.
RunFile merged_run_file(const std::vector<MergeSource>& sources);

}  // namespace mcvol

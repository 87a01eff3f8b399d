#pragma once

#include "mcvol/io/scans/scan_discovery.h"

#include <filesystem>
#include <set>
#include <vector>

#include "scan_layouts.h"
#include "scan_tree.h"

namespace mcvol {

/// Cases made of files that no layout takes, and these files.
struct LostFiles {
  std::vector<FoundCase> cases;
  std::set<const ScanFile*> files;
};

/// What looks like a scan but is no case in any layout: such a patient must not vanish. Each
/// becomes a case with its error: a folder that stands where cases have theirs and has no image
/// that can be read, or none of a channel, or nothing; images beside cases in one folder that
/// belong to none of them; files of other formats; folders that cannot be listed. What is below a
/// case's own folder is that case's; label maps are nobody's.
/// @param found in `layout`, under `root`.
LostFiles lost_scans(const ScanTree& tree, const std::filesystem::path& root,
                     const std::vector<ChannelPattern>& channels, ScanLayout layout,
                     const LayoutCases& found);

}  // namespace mcvol

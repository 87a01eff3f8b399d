#include "lost_scans.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace mcvol {
namespace {

using Folders = std::vector<std::string>;

bool is_session(const std::string& name) { return name.starts_with("ses-"); }

/// Of a data set, or of a system that leaves such folders on disks and in archives, not of a
/// patient.
bool is_of_data_set(const std::string& name) {
  static constexpr std::array<std::string_view, 18> kNames{
      "code",         "derivatives", "sourcedata",
      "stimuli",      "phenotype",   "rawdata",
      "logs",         "scripts",     "work",
      "atlas",        "templates",   "predictions",
      "results",      "lost+found",  "__macosx",
      "$recycle.bin", "@eadir",      "system volume information"};
  const std::string lower = lower_case(name);
  return std::find(kNames.begin(), kNames.end(), lower) != kNames.end() ||
         lower.starts_with("labels");
}

Folders parent_of(const Folders& folder) { return {folder.begin(), folder.end() - 1}; }

/// What stands in a folder and below.
struct Content {
  std::vector<const ScanFile*> images;
  bool is_empty = true;
  bool is_too_deep = false;           ///< not looked into whole
  const ScanFile* sidecar = nullptr;  ///< named like a channel's image, without it
  const ScanFile* label_map = nullptr;
};

class LostScans {
 public:
  LostScans(const ScanTree& tree, const std::filesystem::path& root,
            const std::vector<ChannelPattern>& channels, ScanLayout layout,
            const LayoutCases& found)
      : tree_(tree), root_(root), channels_(channels), layout_(layout), found_(found) {
    for (const FoundCase& one : found.cases) {
      ids_in_[one.folders].insert(one.scan.case_id);
      ids_.insert(one.scan.case_id);
    }
    for (const auto& [folders, ids] : ids_in_) occupy(folders, ids.size());
    for (const Folders& folders : found.other_places) occupy(folders, 1);
    // Without a case, its folders are those under the root.
    if (ids_.empty()) parents_.insert(Folders{});
  }

  LostFiles find() {
    std::map<Folders, Content> units;
    for (const Folders& folder : tree_.folders) {
      if (const auto unit = unit_of(folder)) units[*unit];
    }
    for (const Folders& folder : tree_.too_deep) {
      if (const auto unit = unit_of(folder)) units[*unit].is_too_deep = true;
    }
    for (const ScanFile& file : tree_.images) sort_in(file, units);
    for (const ScanFile& file : tree_.others) {
      if (!file.unreadable.empty() && parents_.contains(file.folders)) {
        add(file.name(), file.folders, {&file}, file.unreadable);
      }
      const auto unit = unit_of(file.folders);
      if (!unit) continue;
      units[*unit].is_empty = false;
      if (is_channel(file)) units[*unit].sidecar = &file;
    }
    for (const auto& [unit, content] : units) judge(unit, content);
    for (const auto& [stem, files] : beside_cases_) {
      add(stem.second, files.front()->folders, files, what_is_wrong(files));
    }
    add_unreadable();
    return std::move(lost_);
  }

 private:
  /// Takes note of a folder with files of so many cases.
  void occupy(Folders folder, std::size_t cases) {
    const bool holds_files = folder.empty() || !is_modality_folder(folder.back());
    while (!folder.empty() && is_modality_folder(folder.back())) folder.pop_back();
    for (std::size_t size = 0; size < folder.size(); ++size) {
      above_cases_.insert(Folders(folder.begin(), folder.begin() + std::ptrdiff_t(size)));
    }
    const bool is_subject =
        !folder.empty() && (folder.back().starts_with("sub-") || is_session(folder.back()));
    if (cases > 1 && holds_files && !is_subject) {
      // Many cases' own, as imagesTr: its neighbours are no cases', folders in it may be.
      above_cases_.insert(folder);
      shared_.insert(folder);
      parents_.insert(std::move(folder));
    } else if (!folder.empty()) {
      parents_.insert(parent_of(folder));
      // Beside a session stand others, and beside its subject too.
      if (is_session(folder.back()) && folder.size() > 1) {
        parents_.insert(parent_of(parent_of(folder)));
      }
      case_folders_.insert(std::move(folder));
    }
  }

  /// What a case in a folder of its own would be called.
  std::string id_of(const Folders& unit) const {
    const std::string& name = unit.back();
    return is_session(name) && unit.size() > 1 ? unit[unit.size() - 2] + "_" + name : name;
  }

  /// BIDS: whether a subject or session has a case, from another tree of the data set.
  bool is_found_elsewhere(const std::string& id) const {
    if (!id.starts_with("sub-")) return false;
    const auto from = ids_.lower_bound(id);
    return from != ids_.end() && (*from == id || from->starts_with(id + "_"));
  }

  /// The folder that would be a case's own, in which a file lies: none within one that has a case,
  /// and none that has cases' folders in it.
  std::optional<Folders> unit_of(const Folders& folders) const {
    Folders unit;
    for (const std::string& name : folders) {
      const bool may_be_unit = parents_.contains(unit) && !is_of_data_set(name);
      unit.push_back(name);
      if (case_folders_.contains(unit)) return std::nullopt;
      if (may_be_unit && !above_cases_.contains(unit)) return unit;
    }
    return std::nullopt;
  }

  bool is_channel(const ScanFile& file) const {
    return found_.unnamed.contains(&file) || is_channel_in(layout_, file.stem, channels_);
  }

  /// Whether a case of the file's folder begins its name.
  bool belongs_to_case(const ScanFile& file, const std::set<std::string>& ids) const {
    for (std::size_t at = file.stem.find_first_of("_-"); at != std::string::npos;
         at = file.stem.find_first_of("_-", at + 1)) {
      if (ids.contains(file.stem.substr(0, at))) return true;
    }
    return false;
  }

  void sort_in(const ScanFile& file, std::map<Folders, Content>& units) {
    if (const auto unit = unit_of(file.folders)) {
      Content& content = units[*unit];
      content.is_empty = false;
      if (!is_label_map(file)) {
        // A channel's was looked at by the layout, and passed over for a reason.
        if (!is_channel(file)) content.images.push_back(&file);
      } else if (file.stem.starts_with(unit->back())) {
        content.label_map = &file;
      }
      return;
    }
    if (is_label_map(file) || is_channel(file)) return;
    const auto here = ids_in_.find(file.folders);
    const bool among_cases = here != ids_in_.end() && here->second.size() > 1;
    const bool alone = ids_.empty() && file.folders.empty();
    if (!among_cases && !alone) return;
    const std::size_t separator = file.stem.find_last_of("_-");
    const bool has_stem = separator != std::string::npos && separator > 0;
    if (among_cases && belongs_to_case(file, here->second)) return;
    if (!has_stem && file.format == nullptr) return;
    const std::string folder = file.folders.empty() ? tree_.name : file.folders.back();
    beside_cases_[{file.folders, has_stem ? file.stem.substr(0, separator) : folder}].push_back(
        &file);
  }

  void judge(const Folders& unit, const Content& content) {
    const std::string id = id_of(unit);
    // Beside files of cases a folder is a case's only where it holds what another program's would.
    const bool has_foreign = std::any_of(content.images.begin(), content.images.end(),
                                         [](const ScanFile* file) { return file->format; });
    if (shared_.contains(parent_of(unit)) && !has_foreign) return;
    if (is_found_elsewhere(id)) return;
    if (!content.images.empty()) {
      add(id, unit, content.images, what_is_wrong(content.images));
    } else if (ids_.empty()) {
      return;
    } else if (const ScanFile* left = content.label_map ? content.label_map : content.sidecar) {
      add(id, unit, {left}, "no image, only " + left->name() + "; where are its images?");
    } else if (content.is_too_deep) {
      add_folder(id, unit, "its files lie too many folders deep, and are not looked into");
    } else if (content.is_empty && !is_decathlon_folder(unit, tree_.name)) {
      add_folder(id, unit, "an empty folder: there is no file in it");
    }
  }

  std::string what_is_wrong(const std::vector<const ScanFile*>& files) const {
    const ScanFile& first = *files.front();
    const std::string count = std::to_string(files.size());
    if (first.format != nullptr) {
      return count + " " + std::string(first.format->name) + " file(s) such as " + first.name() +
             ", which mcvol does not read; " + std::string(first.format->advice);
    }
    std::vector<std::string> listed;
    for (const ChannelPattern& channel : channels_) {
      const auto suffixes = suffixes_of(channel, layout_ == ScanLayout::kNnunet);
      listed.push_back(channel.name + " (" + joined(suffixes) + ")");
    }
    return count + " image file(s) such as " + first.name() +
           ", but none whose name ends in _ or - and a channel's suffix of layout " +
           to_string(layout_) + ": " + joined(listed) + "; rename them or use a manifest .csv";
  }

  void add(const std::string& id, const Folders& folders, const std::vector<const ScanFile*>& files,
           const std::string& error) {
    lost_.files.insert(files.begin(), files.end());
    const ScanFile& first = *files.front();
    lost_.cases.push_back({{id, {}, error, {}}, first.path.string(), first.shown, folders, true});
  }

  void add_folder(const std::string& id, const Folders& folders, const std::string& error) {
    std::filesystem::path below;
    for (const std::string& name : folders) below /= name;
    lost_.cases.push_back({{id, {}, error, {}},
                           (root_ / below).string(),
                           tree_.name + "/" + below.string(),
                           folders,
                           true});
  }

  void add_unreadable() {
    for (const auto& [below, cause] : tree_.unreadable) {
      if (is_of_data_set(below.filename().string())) continue;
      const std::string shown = tree_.name + "/" + below.string();
      lost_.cases.push_back({{below.filename().string(),
                              {},
                              shown + ": cannot list the folder: " + cause + "; make it readable",
                              {}},
                             (root_ / below).string(),
                             shown,
                             Folders(below.begin(), below.end()),
                             true});
    }
  }

  const ScanTree& tree_;
  const std::filesystem::path& root_;
  const std::vector<ChannelPattern>& channels_;
  ScanLayout layout_;
  const LayoutCases& found_;
  std::set<std::string> ids_;                        ///< of all cases
  std::set<Folders> case_folders_;                   ///< with a case's files in it or below
  std::set<Folders> parents_;                        ///< in which those lie
  std::set<Folders> shared_;                         ///< with the files of several cases
  std::set<Folders> above_cases_;                    ///< those and theirs
  std::map<Folders, std::set<std::string>> ids_in_;  ///< of the cases with files there
  std::map<std::pair<Folders, std::string>, std::vector<const ScanFile*>> beside_cases_;
  LostFiles lost_;
};

}  // namespace

LostFiles lost_scans(const ScanTree& tree, const std::filesystem::path& root,
                     const std::vector<ChannelPattern>& channels, ScanLayout layout,
                     const LayoutCases& found) {
  return LostScans(tree, root, channels, layout, found).find();
}

}  // namespace mcvol

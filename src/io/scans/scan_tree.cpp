#include "scan_tree.h"

#include "mcvol/error/error.h"
#include "mcvol/io/images/image_endings.h"
#include "mcvol/io/scans/data_set.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <system_error>
#include <tuple>
#include <utility>

#include <sys/stat.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxDepth = 6;

/// Empty where it can be tried.
std::string why_unreadable(const fs::directory_entry& entry) {
  std::error_code error;
  if (entry.is_symlink(error) && !entry.exists(error)) {
    return "a link to a file that is not there; fetch it (datalad get, git annex get) or mend the "
           "link";
  }
  return entry.is_regular_file(error) || error ? ""
                                               : "a pipe or device; expected a file with the image";
}

struct Folder {
  fs::path path;
  std::vector<std::string> folders;
  std::string shown;
};

[[noreturn]] void throw_cannot_list(const fs::path& path, const std::string& cause) {
  throw Error(path.string() + ": cannot list the folder: " + cause +
              "; make it readable or move it elsewhere");
}

/// @throws std::system_error where it cannot be listed.
std::vector<fs::directory_entry> sorted_entries(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  while (!error && entry != fs::directory_iterator()) {
    entries.push_back(*entry);
    entry.increment(error);
  }
  if (error) throw std::system_error(error);
  std::sort(entries.begin(), entries.end());
  return entries;
}

/// Walks a folder tree. Real folders come before links to folders, so that a folder goes by its own
/// name where it has one in the tree.
class TreeWalk {
 public:
  TreeWalk(const fs::path& root, fs::path results) : results_(std::move(results)) {
    std::error_code error;
    const fs::path resolved = fs::canonical(root, error);
    if (error) throw_cannot_list(root, error.message());
    // A link's own name is what the user knows, but "." and ".." have none.
    fs::path name = root.has_filename() ? root.filename() : root.parent_path().filename();
    if (name.empty() || name == "." || name == "..") name = resolved.filename();
    tree_.name = name.string();
    folders_.push_back({root, {}, tree_.name});
  }

  ScanTree walk() {
    while (!folders_.empty() || !links_.empty()) {
      std::deque<Folder>& queue = folders_.empty() ? links_ : folders_;
      const Folder folder = std::move(queue.front());
      queue.pop_front();
      if (is_first_visit(folder)) list(folder);
    }
    std::sort(tree_.images.begin(), tree_.images.end(), [](const ScanFile& a, const ScanFile& b) {
      return std::tie(a.folders, a.path) < std::tie(b.folders, b.path);
    });
    return std::move(tree_);
  }

 private:
  bool is_first_visit(const Folder& folder) {
    struct stat status {};
    if (::stat(folder.path.c_str(), &status) != 0) {
      const std::string cause = std::generic_category().message(errno);
      if (folder.folders.empty()) throw_cannot_list(folder.path, cause);
      add_unreadable(folder, cause);
      return false;
    }
    const auto [at, first] = seen_.try_emplace({status.st_dev, status.st_ino}, folder.shown);
    if (!first) tree_.passed_over.add(folder.shown, "a link to the same folder as " + at->second);
    return first;
  }

  void add_unreadable(const Folder& folder, const std::string& cause) {
    fs::path below;
    for (const std::string& name : folder.folders) below /= name;
    tree_.unreadable.emplace_back(below, cause);
  }

  std::vector<fs::directory_entry> entries_of(const Folder& folder) {
    try {
      std::vector<fs::directory_entry> entries = sorted_entries(folder.path);
      if (!will_hold_results(folder)) tree_.folders.push_back(folder.folders);
      return entries;
    } catch (const std::system_error& error) {
      const std::string cause = error.code().message();
      if (folder.folders.empty()) throw_cannot_list(folder.path, cause);
      add_unreadable(folder, cause);
      return {};
    }
  }

  /// What mcvol wrote is never taken for a scan: saved images are named like some. Whatever else
  /// stands in a result folder may be one, as where results are kept beside the scans.
  static bool is_kept_by_results(const std::string& name) {
    return name == "cases" || name == "maps" || name == "thumbnails" || name == "shards";
  }

  static bool is_result_folder(const Folder& folder) {
    std::error_code error;
    return fs::is_regular_file(folder.path / "run.json", error) &&
           fs::is_directory(folder.path / "cases", error);
  }

  /// One that a run holds, or held and wrote nothing to, is no patient's.
  bool will_hold_results(const Folder& folder) const {
    std::error_code error;
    return fs::exists(folder.path / ".lock", error) ||
           (!results_.empty() && fs::equivalent(folder.path, results_, error));
  }

  void list(const Folder& folder) {
    const bool of_results = is_result_folder(folder);
    if (is_data_set_of_mcvol(folder.path)) {
      tree_.passed_over.add(folder.shown, "written by mcvol");
      return;
    }
    for (const fs::directory_entry& entry : entries_of(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with('.')) continue;
      const std::string shown = folder.shown + "/" + name;
      std::error_code error;
      if (entry.is_directory(error)) {
        if (!(of_results && is_kept_by_results(name))) add_folder(entry, folder, shown);
      } else {
        add_file(entry, folder, shown);
      }
    }
  }

  void add_folder(const fs::directory_entry& entry, const Folder& parent,
                  const std::string& shown) {
    if (parent.folders.size() == kMaxDepth) {
      tree_.passed_over.add(
          shown, "more than " + std::to_string(kMaxDepth) + " folders deep, not looked into");
      tree_.too_deep.push_back(parent.folders);
      return;
    }
    Folder folder{entry.path(), parent.folders, shown};
    folder.folders.push_back(entry.path().filename().string());
    std::error_code error;
    (entry.is_symlink(error) ? links_ : folders_).push_back(std::move(folder));
  }

  void add_file(const fs::directory_entry& entry, const Folder& parent, const std::string& shown) {
    const std::string name = entry.path().filename().string();
    ScanFile file{entry.path(), parent.folders, image_stem(name), shown, why_unreadable(entry), {}};
    if (is_fetching(entry.path())) return;  // Said of the file beside it.
    if (!file.stem.empty() && is_being_fetched(entry.path())) {
      std::string stem = file.stem;
      tree_.images.push_back(foreign_file(std::move(file), std::move(stem), unfinished_download()));
    } else if (!file.stem.empty()) {
      tree_.images.push_back(std::move(file));
    } else if (const ForeignFormat* format = foreign_format(name)) {
      tree_.images.push_back(foreign_file(std::move(file), foreign_stem(name), *format));
    } else {
      file.stem = entry.path().stem().string();
      tree_.others.push_back(std::move(file));
    }
  }

  fs::path results_;
  ScanTree tree_;
  std::deque<Folder> folders_, links_;
  std::map<std::pair<dev_t, ino_t>, std::string> seen_;
};

}  // namespace

ScanFile foreign_file(ScanFile file, std::string stem, const ForeignFormat& format) {
  file.stem = std::move(stem);
  file.format = &format;
  if (file.unreadable.empty()) {
    file.unreadable =
        std::string(format.name) + ", which mcvol does not read; " + std::string(format.advice);
  }
  return file;
}

void PassedOver::add(const std::string& shown, const std::string& reason, std::size_t count) {
  const auto group = std::find_if(groups_.begin(), groups_.end(),
                                  [&](const Group& one) { return one.reason == reason; });
  if (group == groups_.end()) {
    groups_.push_back({reason, shown, count});
  } else {
    group->count += count;
  }
}

void PassedOver::add(const PassedOver& others) {
  for (const Group& group : others.groups_) add(group.first, group.reason, group.count);
}

std::vector<std::string> PassedOver::lines() const {
  std::vector<std::string> lines;
  for (const Group& group : groups_) {
    const std::string more =
        group.count > 1 ? " (and " + std::to_string(group.count - 1) + " more)" : "";
    lines.push_back(group.first + more + ": " + group.reason);
  }
  return lines;
}

ScanTree list_scan_tree(const fs::path& root, const fs::path& results) {
  return TreeWalk(root, results).walk();
}

}  // namespace mcvol

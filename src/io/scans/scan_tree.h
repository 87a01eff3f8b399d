#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "scan_formats.h"

namespace mcvol {

/// A file by its name; nothing of it has been read.
struct ScanFile {
  std::filesystem::path path;        ///< to be opened
  std::vector<std::string> folders;  ///< from the root, which is left out, to the file
  std::string stem;                  ///< its name without .nii.gz and the like
  std::string shown;                 ///< for messages: the root's name, folders and file name
  std::string unreadable;            ///< why it cannot be read, with what to do; empty where it can
  const ForeignFormat* format = nullptr;  ///< that mcvol does not read; null for others

  /// `shown` without the file name.
  std::string shown_folder() const { return shown.substr(0, shown.rfind('/')); }
  std::string name() const { return path.filename().string(); }
};

/// A file of a format that mcvol does not read: it says so where it is taken for a channel.
ScanFile foreign_file(ScanFile file, std::string stem, const ForeignFormat& format);

/// Files and folders passed over, one line for those with the same reason.
class PassedOver {
 public:
  void add(const std::string& shown, const std::string& reason, std::size_t count = 1);
  void add(const PassedOver& others);
  /// "first of them (and 12 more): reason", by reason in the order of coming.
  std::vector<std::string> lines() const;

 private:
  struct Group {
    std::string reason, first;
    std::size_t count = 0;
  };
  std::vector<Group> groups_;
};

/// What lies under a folder.
struct ScanTree {
  std::string name;  ///< the folder's own, for messages and as a case_id
  /// In a fixed order: by folders, then names. Those of foreign formats too.
  std::vector<ScanFile> images;
  std::vector<ScanFile> others;  ///< no known ending
  /// All that were listed and hold no results, from the root.
  std::vector<std::vector<std::string>> folders;
  std::vector<std::vector<std::string>> too_deep;  ///< not looked into
  PassedOver passed_over;
  /// Folders that cannot be listed: the path from the root, and why.
  std::vector<std::pair<std::filesystem::path, std::string>> unreadable;
};

/// Lists `root` and its folders, down to six below it. Hidden files are left out; links are
/// followed, each folder once.
/// @param results the folder that the run writes, which may be among them; may be empty.
/// @throws Error where `root` itself cannot be listed.
ScanTree list_scan_tree(const std::filesystem::path& root, const std::filesystem::path& results);

}  // namespace mcvol

#pragma once

#include "mcvol/error/error.h"
#include "mcvol/io/scans/scan_discovery.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <typeinfo>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace mcvol {

/// A temporary folder of small files; it goes with the object.
class FileTree {
 public:
  explicit FileTree(const std::vector<std::string>& files = {}) {
    static int count = 0;
    const std::string name = "tree-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
    // The folder that holds `root` keeps its random name out of messages.
    parent_ = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::create_directories(root());
    for (const std::string& file : files) add(file);
  }
  FileTree(const FileTree&) = delete;
  FileTree& operator=(const FileTree&) = delete;
  ~FileTree() {
    std::error_code ignored;
    std::filesystem::remove_all(parent_, ignored);
  }

  std::filesystem::path root() const { return parent_ / "data"; }
  std::filesystem::path operator/(const std::string& file) const { return root() / file; }

  void add(const std::string& file, const std::string& bytes = "") {
    std::filesystem::create_directories((root() / file).parent_path());
    std::ofstream(root() / file, std::ios::binary) << bytes;
  }
  void link(const std::string& target, const std::string& file) {
    std::filesystem::create_directories((root() / file).parent_path());
    std::filesystem::create_symlink(target, root() / file);
  }

 private:
  std::filesystem::path parent_;
};

/// The channels of a glioma model, as its bundle lists them.
inline std::vector<ChannelPattern> glioma_channels() {
  return {{"t1", {"t1", "t1n", "T1w", "0000"}},
          {"t1ce", {"t1ce", "t1c", "t1gd", "ce-gadolinium_T1w", "0001"}},
          {"t2", {"t2", "t2w", "T2w", "0002"}},
          {"flair", {"flair", "t2f", "FLAIR", "0003"}}};
}

/// BraTS files of a case.
inline void add_case(FileTree& tree, const std::string& stem,
                     const std::string& ending = ".nii.gz") {
  for (const char* channel : {"_t1", "_t1ce", "_t2", "_flair"}) tree.add(stem + channel + ending);
}

inline ScanDiscovery discover(const std::vector<std::filesystem::path>& scans,
                              ScanLayout layout = ScanLayout::kAuto) {
  return discover_scans(scans, glioma_channels(), {layout, {}});
}

/// The message of an error of type `Expected`, and of no type derived from it.
template <typename Expected, typename Function>
std::string message_thrown(Function function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(typeid(error), typeid(Expected)) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing thrown";
  return {};
}

inline std::vector<std::string> ids_of(const ScanDiscovery& discovery) {
  std::vector<std::string> ids;
  for (const ScanCase& scan : discovery.cases) ids.push_back(scan.case_id);
  return ids;
}

inline std::vector<std::string> names_of(const ScanCase& scan) {
  std::vector<std::string> names;
  for (const ImageSource& source : scan.channel_files) names.push_back(source.name());
  return names;
}

}  // namespace mcvol

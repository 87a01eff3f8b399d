#pragma once

#include "mcvol/io/maps/map_layout.h"
#include "mcvol/io/maps/map_list.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mcvol {

/// Values of a label map and what they are called.
using LabelNames = std::vector<std::pair<int, std::string>>;

/// A text beside an image, which comes and goes with it.
struct Sidecar {
  std::string file;
  std::string text;
};

/// Where the images of a case lie and what they are called: all that depends on the layout.
class MapNames {
 public:
  virtual ~MapNames() = default;

  const std::string& case_id() const { return case_id_; }
  /// Of the images and their list; in one of several cases, perhaps.
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path list() const { return folder_ / list_name(); }
  virtual std::string list_name() const = 0;
  /// Of any kind but bounds. @param region empty of labels.
  std::string image(const std::string& kind, const std::string& region) const {
    return name_of(kind, region, "", "");
  }
  /// @param which "lower" or "upper".
  std::string bound(const std::string& region, const std::string& which,
                    const std::string& level) const {
    return name_of("bounds", region, which, level);
  }
  /// Whether an image of this name in the folder would be of this case.
  virtual bool could_be_own(const std::string& image) const = 0;
  /// @param labels what label values are called, for the texts.
  virtual std::vector<Sidecar> sidecars(const MapEntry& image, const LabelNames& labels) const = 0;

 protected:
  MapNames(std::string case_id, std::filesystem::path folder)
      : case_id_(std::move(case_id)), folder_(std::move(folder)) {}

 private:
  virtual std::string name_of(const std::string& kind, const std::string& region,
                              const std::string& bound, const std::string& level) const = 0;

  std::string case_id_;
  std::filesystem::path folder_;
};

/// Those of a case in a result folder that is of this layout.
std::unique_ptr<MapNames> map_names(const std::filesystem::path& folder, const std::string& case_id,
                                    MapLayout layout);
/// In the layout that the folder has.
std::unique_ptr<MapNames> map_names(const std::filesystem::path& folder,
                                    const std::string& case_id);

}  // namespace mcvol

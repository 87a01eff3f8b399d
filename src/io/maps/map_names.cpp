#include "mcvol/io/maps/map_names.h"

#include <utility>

#include "bids_names.h"

namespace mcvol {
namespace {

namespace fs = std::filesystem;

/// maps/<case_id>/, all of it the case's.
class CaseFolderNames final : public MapNames {
 public:
  CaseFolderNames(const fs::path& folder, const std::string& case_id)
      : MapNames(case_id, folder / "maps" / case_id) {}

  std::string list_name() const override { return "maps.json"; }

  bool could_be_own(const std::string&) const override { return true; }

  std::vector<Sidecar> sidecars(const MapEntry&, const LabelNames&) const override { return {}; }

 private:
  std::string name_of(const std::string& kind, const std::string& region, const std::string& bound,
                      const std::string& level) const override {
    if (kind == "labels") return kind + kMapEnding;
    if (kind == "segmentation") return region + kMapEnding;
    if (kind == "bounds") return region + "_" + bound + "_" + level + kMapEnding;
    return region + "_" + kind + kMapEnding;
  }
};

}  // namespace

std::unique_ptr<MapNames> map_names(const fs::path& folder, const std::string& case_id,
                                    MapLayout layout) {
  if (layout == MapLayout::kBids) return std::make_unique<BidsNames>(folder, case_id);
  return std::make_unique<CaseFolderNames>(folder, case_id);
}

std::unique_ptr<MapNames> map_names(const fs::path& folder, const std::string& case_id) {
  return map_names(folder, case_id, map_layout_in_use(folder));
}

}  // namespace mcvol

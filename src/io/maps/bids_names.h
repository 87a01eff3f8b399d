#pragma once

#include "mcvol/io/maps/bids_stem.h"
#include "mcvol/io/maps/map_names.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// A case of a BIDS derivative data set, in maps/sub-<label>/[ses-<label>/]anat/.
class BidsNames final : public MapNames {
 public:
  BidsNames(const std::filesystem::path& folder, const std::string& case_id);

  std::string list_name() const override { return stem_ + "_maps.json"; }
  bool could_be_own(const std::string& image) const override {
    return bids_stem_of_image(image) == stem_;
  }
  std::vector<Sidecar> sidecars(const MapEntry& image, const LabelNames& labels) const override;

 private:
  std::string name_of(const std::string& kind, const std::string& region, const std::string& bound,
                      const std::string& level) const override;
  std::string description(const MapEntry& image) const;

  std::string stem_;
};

}  // namespace mcvol

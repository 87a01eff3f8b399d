#pragma once

#include "mcvol/image/image.h"
#include "mcvol/pipeline/case_maps.h"

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol::testing {

/// Of 1000 voxels of 0.01 ml, of n / 1024 each, n from 0 to 999 in a mixed order.
Image<float> ramp();

/// The saved images of a case_a, all of them ramp(), on the grid of scan.nii.gz.
class CaseMapFiles : public ::testing::Test {
 protected:
  void SetUp() override;

  static VolumeRow row(const std::string& level, double lower_ml, double upper_ml);
  void write(const std::vector<VolumeRow>& rows, const MapChoice& choice) const;
  bool has(const MapChoice& choice, const std::string& case_id = "case_a") const;
  nlohmann::json list() const;
  void write_list(const nlohmann::json& list) const;
  double volume_of(const std::string& name) const;

  std::filesystem::path folder_ = fresh_folder("maps");
  std::filesystem::path maps_ = folder_ / "maps" / "case_a";
  std::filesystem::path source_;
  CaseRecord record_;
  MapChoice all_ = MapChoice::parse({"segmentation,bounds"});
};

}  // namespace mcvol::testing

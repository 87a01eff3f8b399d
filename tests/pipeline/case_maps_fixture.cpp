#include "pipeline/case_maps_fixture.h"

#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"

#include <algorithm>

namespace mcvol::testing {

Image<float> ramp() {
  Grid grid;
  grid.size = {10, 10, 10};
  grid.spacing_mm = {1, 2, 5};  // 0.01 ml a voxel
  Image<float> image(grid);
  for (std::size_t n = 0; n < 1000; ++n) {
    image.values[n] = static_cast<float>(n * 7919 % 1000) / 1024.0F;  // of whole steps
  }
  return image;
}

void CaseMapFiles::SetUp() {
  source_ = folder_ / "scan.nii.gz";
  write_image(source_, ramp());
  record_.case_id = "case_a";
  record_.run_identity = "run 1";
  record_.inputs = {{"t1", "scan.nii.gz", "sha 1", 10, 20}};
}

VolumeRow CaseMapFiles::row(const std::string& level, double lower_ml, double upper_ml) {
  VolumeRow made;
  made.case_id = "case_a";
  made.region = "whole";
  made.level = level;
  made.segmented_ml = 3.0;
  made.raw_lower_ml = lower_ml;
  made.raw_upper_ml = upper_ml;
  return made;
}

void CaseMapFiles::write(const std::vector<VolumeRow>& rows, const MapChoice& choice) const {
  write_case_maps(folder_, record_, {{"whole", ramp(), {}, {}}}, rows, choice, source_);
}

bool CaseMapFiles::has(const MapChoice& choice, const std::string& case_id) const {
  return has_case_maps(folder_, case_id, MapsOrigin(record_.run_identity, record_.inputs), choice);
}

nlohmann::json CaseMapFiles::list() const {
  return nlohmann::json::parse(read_file(maps_ / "maps.json"));
}

void CaseMapFiles::write_list(const nlohmann::json& list) const {
  write_file_atomically(maps_ / "maps.json", list.dump());
}

double CaseMapFiles::volume_of(const std::string& name) const {
  const Image<std::int32_t> image = read_label_map(maps_ / name);
  return static_cast<double>(std::count(image.values.begin(), image.values.end(), 1)) * 0.01;
}

}  // namespace mcvol::testing

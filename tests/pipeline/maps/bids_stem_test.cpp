#include "mcvol/io/maps/bids_stem.h"

#include "mcvol/io/maps/map_layout.h"
#include "mcvol/pipeline/case_maps.h"

#include <map>
#include <regex>
#include <string>
#include <vector>

#include "pipeline/case_maps_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::CaseMapFiles;

TEST(BidsStem, OfScansOfBidsIsTheirOwnName) {
  for (const std::string id :
       {"sub-01", "sub-01_ses-1", "sub-A1_ses-pre_acq-iso_run-2_space-SRI24_desc-brain",
        "sub-01_task-rest_rec-x_echo-1_space-MNI305_chunk-3_res-2"}) {
    EXPECT_EQ(bids_stem(id), id);
  }
}

/// The digits are those of `printf '%s' ID | sha256sum`.
TEST(BidsStem, OfOtherNamesIsASubjectWithTheirSha256) {
  EXPECT_EQ(bids_stem("BraTS2021_00006"), "sub-BraTS202100006x4da56e3b");
  EXPECT_EQ(bids_stem("p1"), "sub-p1xf64551fc");
  EXPECT_EQ(bids_stem("sub-01_ses-1-1a2b3c4d"), "sub-sub01ses11a2b3c4dx42ea4f95")
      << "an id given to one of two scans of one name";
}

TEST(BidsStem, IsOneThatBidsAllowsAndNoOtherIdsWhateverTheIdIs) {
  std::vector<std::string> ids{"01",
                               "sub-01",
                               "sub-01_ses-1",
                               "sub-01_ses-1_run-1",
                               "sub-01_run-1_ses-1",
                               "sub-01_run-one",
                               "sub-01_ses-1_ses-1",
                               "sub-01_foo-1",
                               "sub-01_ce-gadolinium",
                               "sub-01_label-core",
                               "sub-01_ses-",
                               "sub-01_T1w",
                               "sub-0.1",
                               "sub-0+1",
                               "sub-01_desc-brain",
                               "sub-01_desc-brain+lower0p9",
                               "sub-01_desc-lower0p9",
                               "sub-01_desc-Upper0p9",
                               "sub",
                               "sub-",
                               "sub01",
                               "a_1",
                               "a-1",
                               "a.1",
                               "a+1",
                               "a1",
                               "A1_",
                               std::string(128, 'x')};
  // What another id's stem is made of is no stem of its own.
  for (const std::string& id : std::vector<std::string>(ids)) ids.push_back(bids_stem(id));
  const std::regex allowed("sub-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9]+)*");
  std::map<std::string, std::string> ids_by_stem;
  for (const std::string& id : ids) {
    const std::string stem = bids_stem(id);
    EXPECT_TRUE(std::regex_match(stem, allowed)) << id << ": " << stem;
    const auto [other, is_first] = ids_by_stem.emplace(stem, id);
    EXPECT_TRUE(is_first || other->second == id) << id << " and " << other->second << ": " << stem;
  }
}

TEST(BidsStem, IsFoundInTheNamesOfImages) {
  const std::map<std::string, std::string> stems{
      {"sub-01_label-core_mask.nii.gz", "sub-01"},
      {"sub-01_ses-1_run-2_label-core_desc-upper0p95_mask.nii.gz", "sub-01_ses-1_run-2"},
      {"sub-01_ses-1_label-core_desc-brain_probseg.nii.gz", "sub-01_ses-1_desc-brain"},
      {"sub-01_label-core_desc-brain+lower0p9_mask.nii.gz", "sub-01_desc-brain"},
      {"sub-01_dseg.nii.gz", "sub-01"},
      {"sub-01_label-core_desc-manual_mask.nii.gz", "sub-01_desc-manual"},
      {"notes.nii.gz", "notes.nii.gz"}};
  for (const auto& [name, stem] : stems) EXPECT_EQ(bids_stem_of_image(name), stem) << name;
}

/// Images of case_maps_fixture's region "whole" and of "core_2", of every kind and two levels.
class BidsMapFiles : public CaseMapFiles {
 protected:
  void SetUp() override {
    CaseMapFiles::SetUp();
    begin_map_layout(folder_, MapLayout::kBids, "1.2.3");
  }

  std::vector<std::string> names_of(const std::string& case_id) {
    record_.case_id = case_id;
    std::vector<RegionMap> maps{{"whole", testing::ramp(), testing::ramp(), testing::ramp()},
                                {"core_2", testing::ramp(), testing::ramp(), testing::ramp()}};
    std::vector<VolumeRow> rows{row("0.5", 2, 4), row("0.95", 1, 6), row("0.5", 2, 4)};
    rows.back().region = "core_2";
    const MapChoice all =
        MapChoice::parse({"segmentation,probability,bounds,sd,agreement,labels,entropy"});
    LabelPainting painting;
    painting.region_labels = {1, 2};
    painting.names = {{0, "background"}, {1, "whole"}, {2, "core_2"}};
    write_case_maps(folder_, record_, maps, rows, all, source_, painting);
    std::vector<std::string> names;
    for (const fs::directory_entry& file : fs::directory_iterator(maps_folder(folder_, case_id))) {
      names.push_back(file.path().filename().string());
    }
    return names;
  }
};

TEST_F(BidsMapFiles, NamesOfImagesLeadBackToTheirCaseAndNoOther) {
  std::map<std::string, std::string> ids_by_name;
  int images = 0;
  for (const std::string id : {"sub-01_ses-1", "sub-01_ses-1_run-1", "sub-01_ses-1_desc-brain",
                               "sub-01_ses-1_desc-lower0p5", "01_ses-1", "case_a"}) {
    for (const std::string& name : names_of(id)) {
      if (!name.ends_with(kMapEnding) || bids_stem_of_image(name) != bids_stem(id)) continue;
      ++images;
      const auto [other, is_first] = ids_by_name.emplace(name, id);
      EXPECT_TRUE(is_first) << name << " of " << id << " and " << other->second;
    }
    EXPECT_TRUE(unlisted_images(folder_, id).empty()) << id;
  }
  EXPECT_EQ(images, 6 * 17);
}

}  // namespace
}  // namespace mcvol

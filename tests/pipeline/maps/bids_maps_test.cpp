#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/maps/map_layout.h"
#include "mcvol/pipeline/case_maps.h"
#include "mcvol/pipeline/draw_maps.h"
#include "mcvol/pipeline/merge.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "pipeline/merge/merge_fixture.h"
#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;
using testing_support::contents_of;
using testing_support::message_from;

/// Runs on two sessions of sub-01 and one of sub-02, of BIDS layout.
class BidsMaps : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    fs::remove_all(root_ / "scans");
    testing::write_fake_bundle(root_ / "model", [](nlohmann::json& model) {
      model["channels"][0]["suffixes"].push_back("T1w");
      model["channels"][1]["suffixes"].push_back("FLAIR");
    });
    write_session("sub-01_ses-1", "sub-01/ses-1", 1);
    write_session("sub-01_ses-2", "sub-01/ses-2", 2);
    write_session("sub-02", "sub-02", 3);
  }

  void write_session(const std::string& case_id, const fs::path& folder, int variant) const {
    testing::write_fake_scan(root_ / "made", case_id, variant, 4.0, {"T1w", "FLAIR"});
    fs::create_directories(root_ / "scans" / folder);
    fs::rename(root_ / "made" / case_id, root_ / "scans" / folder / "anat");
  }

  PredictOptions saving(const std::string& kinds, const std::string& out = "out") const {
    PredictOptions with = options(out);
    with.save = MapChoice::parse({kinds});
    return with;
  }

  fs::path maps(const std::string& out = "out") const { return root_ / out / "maps"; }
  fs::path anat() const { return maps() / "sub-01" / "ses-1" / "anat"; }
  nlohmann::json json_in(const fs::path& file) const {
    return nlohmann::json::parse(read_file(file));
  }

  /// Of all files below maps/.
  std::set<std::string> files_of(const std::string& out = "out") const {
    std::set<std::string> files;
    for (const auto& [name, bytes] : contents_of(root_ / out)) {
      if (name.starts_with("maps/")) files.insert(name.substr(5));
    }
    return files;
  }

  static constexpr const char* kAll = "segmentation,probability,bounds,sd,agreement,labels,entropy";
};

TEST_F(BidsMaps, ImagesAreThoseOfTheOtherLayoutUnderNamesOfBids) {
  PredictOptions cases = saving(kAll, "cases");
  cases.save_layout = MapLayout::kCases;
  run(cases);
  run(saving(kAll));
  const std::map<std::string, std::string> names{
      {"whole.nii.gz", "label-whole_mask.nii.gz"},
      {"core_probability.nii.gz", "label-core_probseg.nii.gz"},
      {"whole_lower_0.9.nii.gz", "label-whole_desc-lower0p9_mask.nii.gz"},
      {"whole_upper_0.9.nii.gz", "label-whole_desc-upper0p9_mask.nii.gz"},
      {"core_sd.nii.gz", "label-core_sd.nii.gz"},
      {"core_agreement.nii.gz", "label-core_agreement.nii.gz"},
      {"core_entropy.nii.gz", "label-core_entropy.nii.gz"},
      {"labels.nii.gz", "dseg.nii.gz"}};
  const std::map<std::string, fs::path> folders{{"sub-01_ses-1", "sub-01/ses-1/anat"},
                                                {"sub-01_ses-2", "sub-01/ses-2/anat"},
                                                {"sub-02", "sub-02/anat"}};
  for (const auto& [case_id, folder] : folders) {
    for (const auto& [ours, theirs] : names) {
      EXPECT_EQ(read_file(maps("cases") / case_id / ours),
                read_file(maps() / folder / (case_id + "_" + theirs)))
          << case_id << ": " << theirs;
    }
    nlohmann::json list = json_in(maps() / folder / (case_id + "_maps.json"));
    nlohmann::json other = json_in(maps("cases") / case_id / "maps.json");
    for (nlohmann::json* one : {&list, &other}) {
      for (nlohmann::json& image : (*one)["images"]) image.erase("file");
    }
    EXPECT_EQ(list, other);
  }
  EXPECT_EQ(table("out"), table("cases"));
  // 2 regions of 7 images and a sidecar each, the labels with two, and the list.
  EXPECT_EQ(files_of().size(), 3U * (2 * 7 * 2 + 3 + 1) + 2);
}

TEST_F(BidsMaps, AreDescribedAsADerivativeDataSet) {
  run(saving(kAll));
  EXPECT_EQ(json_in(maps() / "dataset_description.json"),
            nlohmann::json::parse(R"({"Name": "Images of volumes measured by mcvol",
                                      "BIDSVersion": "1.11.0", "DatasetType": "derivative",
                                      "GeneratedBy": [{"Name": "mcvol", "Version": "0.0.0"}]})"));
  const fs::path stem = anat() / "sub-01_ses-1_";
  const auto described = [&](const std::string& name) {
    return json_in(stem.string() + name + ".json");
  };
  EXPECT_EQ(described("label-core_mask")["SpatialReference"], "orig");
  EXPECT_EQ(described("label-core_mask")["Type"], "ROI");
  EXPECT_FALSE(described("label-core_probseg").contains("Type"));
  const std::string bound = described("label-core_desc-upper0p9_mask")["Description"];
  EXPECT_NE(bound.find("core: "), std::string::npos);
  EXPECT_NE(bound.find("upper bound"), std::string::npos);
  EXPECT_NE(bound.find("level 0.9"), std::string::npos);
  EXPECT_EQ(read_file(stem.string() + "dseg.tsv"),
            "index\tname\n0\tbackground\n1\twhole less core\n2\tcore\n");
}

TEST_F(BidsMaps, EntitiesOfTheScanStayInTheNames) {
  fs::remove_all(root_ / "scans");
  write_session("sub-01_run-1_space-MNI152NLin6Asym_res-2_desc-brain", "sub-01", 1);
  run(saving("segmentation,bounds"));
  const std::string stem = "sub-01/anat/sub-01_run-1_space-MNI152NLin6Asym_res-2_";
  EXPECT_TRUE(fs::exists(maps() / (stem + "label-core_desc-brain_mask.nii.gz")));
  EXPECT_TRUE(fs::exists(maps() / (stem + "label-core_desc-brain+lower0p9_mask.nii.gz")));
  const auto sidecar = json_in(maps() / (stem + "label-core_desc-brain_mask.json"));
  EXPECT_FALSE(sidecar.contains("SpatialReference")) << "a space that BIDS knows";
  EXPECT_TRUE(sidecar.contains("Resolution"));
}

TEST_F(BidsMaps, ASecondRunOverScansThatHoldResultsFindsTheSameScans) {
  PredictOptions inside = saving(kAll);
  inside.output = root_ / "scans" / "derivatives" / "mcvol";
  EXPECT_EQ(run(inside).found, 3);
  // As they may be handed on: the images without their results.
  fs::copy(inside.output / "maps", root_ / "scans" / "derivatives" / "images",
           fs::copy_options::recursive);
  const PredictOutcome again = run(inside);
  EXPECT_EQ(again.found, 3);
  EXPECT_EQ(again.kept, 3);
  EXPECT_TRUE(listener_.warnings.empty());
}

TEST_F(BidsMaps, ResumedRunMakesImagesThatAreMissing) {
  run(saving("segmentation,labels"));
  const auto whole = contents_of(root_ / "out");
  for (const char* name : {"label-core_mask.nii.gz", "label-core_mask.json", "dseg.tsv"}) {
    fs::remove(anat() / (std::string("sub-01_ses-1_") + name));
    EXPECT_EQ(run(saving("segmentation,labels")).measured, 1) << name;
    auto now = contents_of(root_ / "out");
    now["run.json"] = whole.at("run.json");
    now["volumes.csv"] = whole.at("volumes.csv");
    EXPECT_EQ(now, whole) << name;
  }
  write_file_atomically(anat() / "sub-01_ses-1_maps.json", "{");
  EXPECT_EQ(run(saving("segmentation,labels")).measured, 1);
}

TEST_F(BidsMaps, BoundsFollowTheLevelWithAllThatIsTheirs) {
  run(saving("bounds"));
  PredictOptions other = options();
  other.levels = parse_levels({"0.5"});
  EXPECT_EQ(run(other).kept, 3);
  run([&] {
    PredictOptions at_once = saving("bounds", "other");
    at_once.levels = other.levels;
    return at_once;
  }());
  EXPECT_EQ(files_of(), files_of("other"));
  EXPECT_TRUE(fs::exists(anat() / "sub-01_ses-1_label-core_desc-lower0p5_mask.json"));
}

TEST_F(BidsMaps, DrawingGoesOnInTheLayoutThatTheFolderHas) {
  run(saving("probability,segmentation,labels,entropy,bounds", "at_once"));
  run(saving("probability"));
  fs::remove_all(root_ / "scans");
  DrawMapsOptions drawing;
  drawing.results = root_ / "out";
  drawing.save = MapChoice::parse({"segmentation,labels,entropy,bounds"});
  EXPECT_EQ(draw_maps(drawing).drawn, 3);
  const auto at_once = contents_of(root_ / "at_once");
  for (const auto& [name, bytes] : contents_of(root_ / "out")) {
    // The order of a list is another.
    if (!name.starts_with("maps/") || name.ends_with("_maps.json")) continue;
    EXPECT_EQ(bytes, at_once.at(name)) << name;
  }
  EXPECT_EQ(files_of(), files_of("at_once"));
}

TEST_F(BidsMaps, MeasuredAgainWithoutSavingLeavesNoneAndNothingOfOthersIsTouched) {
  run(saving(kAll));
  const fs::path mine = anat() / "sub-01_ses-1_label-core_desc-manual_mask.nii.gz";
  const fs::path odd = anat() / "sub-01_ses-1_label-edema_mask.nii.gz";
  write_file_atomically(mine, "mine");
  write_file_atomically(odd, "mine");
  write_file_atomically(anat() / ".sub-01_ses-1_maps.json.tmp-1-2", "left");
  PredictOptions fresh = options();
  fresh.fresh = true;
  run(fresh);
  EXPECT_EQ(files_of(), (std::set<std::string>{
                            ".bidsignore", "dataset_description.json",
                            "sub-01/ses-1/anat/sub-01_ses-1_label-core_desc-manual_mask.nii.gz",
                            "sub-01/ses-1/anat/sub-01_ses-1_label-edema_mask.nii.gz"}));
  EXPECT_FALSE(fs::exists(maps() / "sub-01" / "ses-2"));
  EXPECT_FALSE(fs::exists(maps() / "sub-02"));
  ASSERT_EQ(listener_.warnings.size(), 1U);
  EXPECT_NE(listener_.warnings[0].find("label-edema_mask.nii.gz: not of this measurement"),
            std::string::npos)
      << "as the image of a region of the case would be called";
}

TEST_F(BidsMaps, MergedShardsHaveTheFilesOfOneRun) {
  run(saving("bounds,labels", "whole"));
  for (int index = 1; index <= 3; ++index) {
    PredictOptions part = saving("bounds,labels", "parts");
    part.shard = Shard{index, 3};
    run(part);
  }
  MergeOptions merging;
  merging.sources = {root_ / "parts"};
  merging.out = root_ / "parts";
  EXPECT_TRUE(merge_results(merging).warnings.empty());
  auto whole = contents_of(root_ / "whole");
  auto parts = contents_of(root_ / "parts");
  whole.erase("run.json");
  parts.erase("run.json");
  EXPECT_EQ(parts, whole);
  merge_results(merging);
  EXPECT_EQ(files_of("parts"), files_of("whole"));
}

TEST_F(BidsMaps, ResultsOfTwoLayoutsAreNotMerged) {
  run(saving("labels", "one"));
  PredictOptions cases = saving("labels", "two");
  cases.save_layout = MapLayout::kCases;
  run(cases);
  MergeOptions merging;
  merging.sources = {root_ / "one", root_ / "two"};
  merging.out = root_ / "out";
  const std::string message = message_from<UsageError>([&] { merge_results(merging); });
  EXPECT_NE(message.find("have images in layouts bids and cases"), std::string::npos) << message;
  EXPECT_FALSE(fs::exists(root_ / "out" / "volumes.csv"));
}

TEST_F(BidsMaps, AFolderKeepsItsLayoutAndItsDescription) {
  PredictOptions first = saving("labels");
  first.version = "0.0.1";
  run(first);
  const std::string description = read_file(maps() / "dataset_description.json");
  run(saving("labels,segmentation"));
  EXPECT_EQ(read_file(maps() / "dataset_description.json"), description);
  PredictOptions other = saving("labels");
  other.save_layout = MapLayout::kCases;
  const std::string message = message_from<UsageError>([&] { run(other); });
  EXPECT_NE(message.find("out/maps: has images in layout bids, expected those of --save-layout "
                         "cases"),
            std::string::npos)
      << message;
  PredictOptions cases = saving("labels", "cases");
  cases.save_layout = MapLayout::kCases;
  run(cases);
  run(saving("labels,segmentation", "cases"));
  EXPECT_TRUE(fs::exists(maps("cases") / "sub-01_ses-1" / "core.nii.gz"));
  EXPECT_FALSE(fs::exists(maps("cases") / "dataset_description.json"));
}

TEST_F(BidsMaps, FilesThatAreSomebodyElsesStayAsTheyAre) {
  run(options());
  write_file_atomically(maps() / "dataset_description.json", R"({"Name": "mine"})");
  const std::string message = message_from<UsageError>([&] { run(saving("labels")); });
  EXPECT_NE(message.find("dataset_description.json: not written by mcvol"), std::string::npos);
  EXPECT_EQ(read_file(maps() / "dataset_description.json"), R"({"Name": "mine"})");
  fs::remove(maps() / "dataset_description.json");
  write_file_atomically(maps() / ".bidsignore", "mine");
  EXPECT_EQ(run(saving("labels")).measured, 3);
  EXPECT_EQ(read_file(maps() / ".bidsignore"), "mine");
}

TEST_F(BidsMaps, ScansOfOtherLayoutsHaveThemWhereAskedFor) {
  fs::remove_all(root_ / "scans");
  testing::write_fake_scan(root_ / "scans", "case_a");
  PredictOptions with = saving("labels");
  run(with);
  EXPECT_TRUE(fs::exists(maps() / "case_a" / "labels.nii.gz"));
  with.output = root_ / "bids";
  with.save_layout = MapLayout::kBids;
  run(with);
  const std::string subject = maps_folder(root_ / "bids", "case_a").parent_path().filename();
  EXPECT_TRUE(subject.starts_with("sub-caseax")) << subject;
  EXPECT_TRUE(fs::exists(maps("bids") / subject / "anat" / (subject + "_dseg.nii.gz")));
}

TEST_F(BidsMaps, RegionsThatBidsCannotTellApartAreRefused) {
  testing::write_fake_bundle(root_ / "model", [](nlohmann::json& model) {
    model["channels"][0]["suffixes"].push_back("T1w");
    model["channels"][1]["suffixes"].push_back("FLAIR");
    model["regions"][0]["name"] = "core_1";
    model["regions"][1]["name"] = "core1";
  });
  const std::string message = message_from<UsageError>([&] { run(saving("segmentation")); });
  EXPECT_NE(message.find("label-core1_mask.nii.gz"), std::string::npos) << message;
  EXPECT_NE(message.find("--save-layout cases"), std::string::npos) << message;
  PredictOptions cases = saving("segmentation");
  cases.save_layout = MapLayout::kCases;
  EXPECT_EQ(run(cases).measured, 3);
}

TEST_F(BidsMaps, WithoutTheWordThatTheyAreTheirsImagesAreNotTakenForNone) {
  run(saving("segmentation"));
  const fs::path description = maps() / "dataset_description.json";
  const std::string good = read_file(description);
  const auto before = contents_of(root_ / "out");
  MergeOptions merging;
  merging.sources = {root_ / "out"};
  merging.out = root_ / "merged";
  DrawMapsOptions drawing;
  drawing.results = root_ / "out";
  drawing.save = MapChoice::parse({"segmentation"});
  for (const char* text : {"{", R"({"GeneratedBy": [{"Name": "mcvol-0.2"}]})", "gone"}) {
    write_file_atomically(description, text);
    if (text == std::string("gone")) fs::remove(description);
    const std::string at = description.string() + ": ";
    EXPECT_EQ(message_from<UsageError>([&] { run(options()); }).find(at), 0u) << text;
    EXPECT_EQ(message_from<UsageError>([&] { run(saving("segmentation")); }).find(at), 0u) << text;
    EXPECT_EQ(message_from<UsageError>([&] { merge_results(merging); }).find(at), 0u) << text;
    EXPECT_EQ(message_from<UsageError>([&] { draw_maps(drawing); }).find(at), 0u) << text;
  }
  write_file_atomically(description, good);
  EXPECT_EQ(run(options()).kept, 3);
  EXPECT_TRUE(fs::exists(anat() / "sub-01_ses-1_label-whole_mask.nii.gz"));
}

}  // namespace
}  // namespace mcvol

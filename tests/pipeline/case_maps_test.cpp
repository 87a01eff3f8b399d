#include "mcvol/pipeline/case_maps.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/maps/saved_segmentations.h"

#include <utility>

#include "pipeline/case_maps_fixture.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::CaseMapFiles;
using testing::ramp;

TEST_F(CaseMapFiles, AreWhatTheTableSays) {
  write({row("0.5", 2, 4), row("0.9", 1, 6)}, all_);
  EXPECT_NEAR(volume_of("whole.nii.gz"), 3.0, 1e-9);
  EXPECT_NEAR(volume_of("whole_lower_0.5.nii.gz"), 2.0, 1e-9);
  EXPECT_NEAR(volume_of("whole_upper_0.9.nii.gz"), 6.0, 1e-9);
  EXPECT_EQ(read_image(maps_ / "whole_probability.nii.gz").values, ramp().values);
  const nlohmann::json contents = list();
  EXPECT_EQ(contents["grid_of"], "scan.nii.gz");
  EXPECT_EQ(contents["images"].size(), 6U);
  EXPECT_EQ(contents["images"][0]["threshold"].get<double>(), 700.0 / 1024);
  EXPECT_TRUE(has(all_));
  EXPECT_FALSE(has(all_, "case_b"));
  fs::remove(maps_ / "whole.nii.gz");
  EXPECT_FALSE(has(all_));
}

TEST_F(CaseMapFiles, BoundsOfACalibrationAreDrawnInPlaceOfTheRawOnes) {
  VolumeRow calibrated = row("0.9", 1, 6);
  calibrated.lower_ml = 0.5;
  calibrated.upper_ml = 8.0;
  write({calibrated}, all_);
  EXPECT_NEAR(volume_of("whole_lower_0.9.nii.gz"), 0.5, 1e-9);
  EXPECT_NEAR(volume_of("whole_upper_0.9.nii.gz"), 8.0, 1e-9);
}

TEST_F(CaseMapFiles, BoundsAreMadeAnewForAnotherIntervalOnly) {
  write({row("0.9", 1, 6)}, all_);
  EXPECT_FALSE(renew_bounds(folder_, record_, {row("0.9", 1, 6)}));
  EXPECT_TRUE(renew_bounds(folder_, record_, {row("0.5", 2, 4)}));
  EXPECT_FALSE(fs::exists(maps_ / "whole_lower_0.9.nii.gz"));
  EXPECT_NEAR(volume_of("whole_lower_0.5.nii.gz"), 2.0, 1e-9);
  EXPECT_TRUE(renew_bounds(folder_, record_, {row("0.5", 2, 5)}));
  EXPECT_NEAR(volume_of("whole_upper_0.5.nii.gz"), 5.0, 1e-9);
  EXPECT_TRUE(has(all_));
}

TEST_F(CaseMapFiles, RemovingTakesWhatIsOursAndLeavesWhatIsNot) {
  write({row("0.9", 1, 6)}, all_);
  write_file_atomically(maps_ / "notes.txt", "mine");
  remove_case_maps(folder_, "case_a");
  EXPECT_TRUE(fs::exists(maps_ / "notes.txt"));
  EXPECT_EQ(std::distance(fs::directory_iterator(maps_), fs::directory_iterator()), 1);
  fs::remove(maps_ / "notes.txt");
  write({row("0.9", 1, 6)}, all_);
  remove_case_maps(folder_, "case_a");
  EXPECT_FALSE(fs::exists(maps_));
}

TEST_F(CaseMapFiles, AListThatNamesFilesElsewhereTakesNone) {
  write({row("0.9", 1, 6)}, all_);
  write_file_atomically(folder_ / "mine.nii.gz", "x");
  write_file_atomically(maps_ / "notes.txt", "x");
  const nlohmann::json good = list();
  for (const std::string name : {"../../mine.nii.gz", "notes.txt", ".nii.gz", "", "maps.json"}) {
    nlohmann::json bad = good;
    bad["images"][0]["file"] = name;
    write_list(bad);
    remove_case_maps(folder_, "case_a");
  }
  EXPECT_TRUE(fs::exists(folder_ / "mine.nii.gz"));
  EXPECT_TRUE(fs::exists(maps_ / "notes.txt"));
}

TEST_F(CaseMapFiles, SegmentationsAreThoseOfTheRecordWholeOrNone) {
  write({row("0.9", 1, 6)}, all_);
  record_.regions.resize(1);
  record_.regions[0].region = "whole";
  const std::vector<fs::path> expected{maps_ / "whole.nii.gz"};
  EXPECT_EQ(saved_segmentations(folder_, record_), expected);
  CaseRecord other = record_;
  other.inputs[0].sha256 = "another scan";
  EXPECT_FALSE(saved_segmentations(folder_, other));
  other = record_;
  other.regions.push_back(record_.regions[0]);
  other.regions[1].region = "core";
  EXPECT_FALSE(saved_segmentations(folder_, other)) << "one of each region or none";
  nlohmann::json unfinished = list();
  const nlohmann::json whole = unfinished;
  unfinished["complete"] = false;
  write_list(unfinished);
  EXPECT_FALSE(saved_segmentations(folder_, record_));
  write_list(whole);
  fs::remove(maps_ / "whole.nii.gz");
  EXPECT_FALSE(saved_segmentations(folder_, record_));
}

/// Every way in which a list is not what is written here.
std::vector<std::string> damaged_lists(const nlohmann::json& good) {
  std::vector<std::string> lists{R"({"images": [1]})",
                                 R"({"images": "x"})",
                                 R"({"images": [{"file": 5}]})",
                                 "",
                                 "null",
                                 "[]",
                                 "{",
                                 R"({"format": 1})"};
  const auto add = [&](const auto& change) {
    nlohmann::json bad = good;
    change(bad);
    lists.push_back(bad.dump());
  };
  for (const auto& field : good.items()) {
    const std::string name = field.key();
    add([&](nlohmann::json& bad) { bad.erase(name); });
    add([&](nlohmann::json& bad) { bad[name] = 17; });
    add([&](nlohmann::json& bad) { bad[name] = nlohmann::json::array({{1}}); });
  }
  for (const char* name : {"file", "kind", "region", "volume_ml"}) {
    add([&](nlohmann::json& bad) { bad["images"][0].erase(name); });
  }
  for (const char* name : {"file", "kind", "region", "level"}) {
    add([&](nlohmann::json& bad) { bad["images"][0][name] = 5; });
  }
  for (const char* name : {"volume_ml", "drawn_ml", "threshold"}) {
    add([&](nlohmann::json& bad) { bad["images"][0][name] = "much"; });
  }
  return lists;
}

TEST_F(CaseMapFiles, ADamagedListCountsAsNone) {
  write({row("0.9", 1, 6)}, all_);
  const nlohmann::json good = list();
  for (const std::string& text : damaged_lists(good)) {
    SCOPED_TRACE(text);
    write_file_atomically(maps_ / "maps.json", text);
    EXPECT_FALSE(has(all_));
    EXPECT_FALSE(renew_bounds(folder_, record_, {row("0.5", 2, 4)}));
    EXPECT_NO_THROW(copy_case_maps(folder_, folder_ / "copy", record_));
    EXPECT_FALSE(fs::exists(folder_ / "copy"));
    EXPECT_NO_THROW(remove_case_maps(folder_, "case_a"));
    EXPECT_FALSE(fs::exists(maps_ / "maps.json"));
  }
  write_list(good);
  EXPECT_TRUE(has(all_)) << "nothing was removed that no list names";
}

TEST_F(CaseMapFiles, AFileOfTheUsersIsNeverWrittenOver) {
  write_file_atomically(maps_ / "whole.nii.gz", "mine");
  try {
    write({row("0.9", 1, 6)}, all_);
    ADD_FAILURE() << "written over";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), (maps_ / "whole.nii.gz").string() +
                                ": not of an image that maps.json names; move or remove it");
  }
  EXPECT_EQ(read_file(maps_ / "whole.nii.gz"), "mine");
  EXPECT_FALSE(fs::exists(maps_ / "maps.json"));
  fs::remove(maps_ / "whole.nii.gz");
  write({row("0.9", 1, 6)}, all_);
  write_file_atomically(folder_ / "copy" / "maps" / "case_a" / "whole.nii.gz", "mine");
  EXPECT_THROW(copy_case_maps(folder_, folder_ / "copy", record_), Error);
  EXPECT_EQ(read_file(folder_ / "copy" / "maps" / "case_a" / "whole.nii.gz"), "mine");
}

TEST_F(CaseMapFiles, APipeOrAFolderIsNoList) {
  fs::create_directories(maps_ / "maps.json");
  EXPECT_FALSE(has(all_));
  EXPECT_NO_THROW(remove_case_maps(folder_, "case_a"));
  fs::create_directories(maps_);
  fs::remove(maps_ / "maps.json");
  ASSERT_EQ(::mkfifo((maps_ / "maps.json").c_str(), 0600), 0);
  EXPECT_FALSE(has(all_));
  EXPECT_FALSE(renew_bounds(folder_, record_, {row("0.5", 2, 4)}));
  EXPECT_NO_THROW(remove_case_maps(folder_, "case_a"));
  EXPECT_FALSE(fs::exists(maps_));
}

TEST_F(CaseMapFiles, AreListedBeforeTheyAreWrittenAndRemovedAfterAKill) {
  source_ = folder_ / "missing.nii.gz";  // as far as to its header
  EXPECT_THROW(write({row("0.9", 1, 6)}, all_), Error);
  EXPECT_EQ(list()["complete"], false);
  EXPECT_EQ(list()["images"].size(), 4U);
  write_file_atomically(maps_ / "whole.nii.gz", "x");
  write_file_atomically(maps_ / ".whole_lower_0.9.nii.gz.tmp-12-3", "x");
  EXPECT_FALSE(has(all_));
  remove_case_maps(folder_, "case_a");
  EXPECT_FALSE(fs::exists(maps_));
}

TEST_F(CaseMapFiles, AreAbsentWhileTheListIsNotComplete) {
  write({row("0.9", 1, 6)}, all_);
  nlohmann::json contents = list();
  EXPECT_EQ(contents["complete"], true);
  contents["complete"] = false;
  write_list(contents);
  EXPECT_FALSE(has(all_));
}

TEST_F(CaseMapFiles, OfAnotherMeasurementCountAsAbsent) {
  write({row("0.9", 1, 6)}, all_);
  CaseRecord other = record_;
  std::swap(other, record_);
  record_.run_identity = "run 2";
  EXPECT_FALSE(has(all_));
  EXPECT_FALSE(renew_bounds(folder_, record_, {row("0.5", 2, 4)}));
  copy_case_maps(folder_, folder_ / "copy", record_);
  EXPECT_FALSE(fs::exists(folder_ / "copy"));
  record_ = other;
  record_.inputs[0].mtime_ns = 21;
  EXPECT_TRUE(has(all_)) << "of the same bytes";
  record_.inputs[0].sha256 = "sha 2";
  EXPECT_FALSE(has(all_));
}

TEST_F(CaseMapFiles, OneThatCannotBeRemovedIsAnErrorThatNamesItAndStaysListed) {
  write({row("0.9", 1, 6)}, all_);
  fs::remove(maps_ / "whole_lower_0.9.nii.gz");
  write_file_atomically(maps_ / "whole_lower_0.9.nii.gz" / "x", "x");  // not to be removed so
  try {
    remove_case_maps(folder_, "case_a");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("whole_lower_0.9.nii.gz"), std::string::npos);
  }
  EXPECT_EQ(list()["images"].size(), 4U);
}

TEST_F(CaseMapFiles, BoundsStayAsTheyAreWhereTheProbabilityCannotBeRead) {
  write({row("0.9", 1, 6)}, all_);
  const std::string before = read_file(maps_ / "maps.json");
  write_file_atomically(maps_ / "whole_probability.nii.gz", "x");
  EXPECT_THROW(renew_bounds(folder_, record_, {row("0.5", 2, 4)}), InputError);
  EXPECT_EQ(read_file(maps_ / "maps.json"), before);
  EXPECT_TRUE(fs::exists(maps_ / "whole_lower_0.9.nii.gz"));
}

TEST_F(CaseMapFiles, APipeInPlaceOfAnImageIsNotWaitedFor) {
  write({row("0.9", 1, 6)}, all_);
  const fs::path image = maps_ / "whole_probability.nii.gz";
  fs::remove(image);
  ASSERT_EQ(::mkfifo(image.c_str(), 0600), 0);
  EXPECT_FALSE(has(all_));
  EXPECT_THROW(renew_bounds(folder_, record_, {row("0.5", 2, 4)}), InputError);
  EXPECT_THROW(copy_case_maps(folder_, folder_ / "copy", record_), InputError);
}

TEST_F(CaseMapFiles, BoundsOfWhichAKilledRunHadDrawnSomeAreMadeAnew) {
  write({row("0.9", 1, 6)}, all_);
  nlohmann::json contents = list();
  contents["complete"] = false;
  write_list(contents);
  fs::remove(maps_ / "whole_upper_0.9.nii.gz");
  EXPECT_TRUE(renew_bounds(folder_, record_, {row("0.9", 1, 6)}));
  EXPECT_TRUE(has(all_));
}

TEST_F(CaseMapFiles, TheListSaysWhatWasDrawn) {
  VolumeRow much = row("0.9", 1.004, 99);
  much.segmented_ml = 0.0;
  write({much}, all_);
  const nlohmann::json images = list()["images"];
  EXPECT_EQ(images[0]["drawn_ml"], 0.0);
  EXPECT_TRUE(images[0].contains("threshold") && images[0]["threshold"].is_null());
  EXPECT_EQ(images[1]["volume_ml"], 1.004);
  EXPECT_NEAR(images[1]["drawn_ml"].get<double>(), 1.0, 1e-9);
  EXPECT_EQ(images[2]["volume_ml"], 99.0);
  EXPECT_NEAR(images[2]["drawn_ml"].get<double>(), 9.99, 1e-9) << "all but the voxel of 0";
}

TEST_F(CaseMapFiles, TemporaryFilesThatKilledRunsLeftAreRemoved) {
  write_file_atomically(maps_ / ".whole.nii.gz.tmp-12-3", "x");
  write_file_atomically(maps_ / "mine.nii.gz", "x");
  remove_left_temporary_maps(folder_);
  EXPECT_FALSE(fs::exists(maps_ / ".whole.nii.gz.tmp-12-3"));
  EXPECT_TRUE(fs::exists(maps_ / "mine.nii.gz"));
}

TEST(MapChoice, TakesWordsApartAndTogether) {
  const MapChoice choice = MapChoice::parse({"segmentation, probability"});
  EXPECT_TRUE(choice.segmentation && choice.probability && !choice.bounds);
  EXPECT_TRUE(MapChoice::parse({"bounds"}).probability) << "which they are made of";
  EXPECT_FALSE(MapChoice::parse({}).any());
  EXPECT_EQ(MapChoice::parse({"agreement", "sd,segmentation"}).text(), "segmentation,sd,agreement");
  EXPECT_THROW(MapChoice::parse({"label"}), UsageError);
}

}  // namespace
}  // namespace mcvol

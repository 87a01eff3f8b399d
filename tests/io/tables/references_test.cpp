#include "mcvol/io/tables/references.h"

#include "mcvol/io/images/image_file.h"

#include <cmath>
#include <map>

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing_support;

class KnownVolumes : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name) const { return temporary_.path() / name; }
  void write_labels(const std::string& name, const std::vector<std::uint8_t>& values) const {
    Grid grid;
    grid.size = {static_cast<std::int64_t>(values.size()), 1, 1};
    grid.spacing_mm = {10, 10, 10};
    Image<std::uint8_t> image(grid);
    image.values = values;
    write_image(file(name), image);
  }
  std::string refusal_of(const std::string& text) const {
    write_text(file("r.csv"), text);
    return message_from<UsageError>([&] { read_reference_table(file("r.csv")); });
  }
  TemporaryFolder temporary_;
  LabelMeaning meaning_{{{"whole", {1, 2, 4}}, {"core", {1, 4}}}, {}};
};

TEST_F(KnownVolumes, TableMayHaveOtherColumns) {
  write_text(file("r.csv"), "note,volume_ml,region,case_id\nx,12.5,whole,a\ny,0,core,a\n");
  const References references = read_reference_table(file("r.csv")).volumes;
  ASSERT_EQ(references.size(), 2u);
  EXPECT_EQ(references.at({"a", "whole"}), 12.5);
  EXPECT_EQ(references.at({"a", "core"}), 0.0);
}

TEST_F(KnownVolumes, WrongTablesAreRefusedNamingTheLine) {
  const std::string head = "case_id,region,volume_ml\n";
  const std::string at = file("r.csv").string();
  EXPECT_EQ(refusal_of("case_id,volume_ml\na,1\n"),
            at + ": expected one column 'region' (case_id, region and volume_ml), found: case_id, "
                 "volume_ml");
  EXPECT_EQ(refusal_of(head + "a,whole,-1\n"),
            at + ", line 2: volume_ml: expected a number from 0, found \"-1\"");
  EXPECT_EQ(refusal_of(head + "a,whole,nan\n"),
            at + ", line 2: volume_ml: expected a number from 0, found \"nan\"");
  EXPECT_EQ(refusal_of(head + "a,whole,1\na,whole,1\n"),
            at + ", line 3: a, whole is given twice; keep one of them");
}

TEST_F(KnownVolumes, OfSeveralRatersOneOfEachCaseIsDrawnForAllItsRegions) {
  std::string table = "case_id,region,volume_ml,rater\n";
  for (int n = 0; n < 300; ++n) {
    const std::string id = "case_" + std::to_string(n);
    for (const char* region : {"whole", "core"}) {
      table += id + "," + region + ",1,ann\n" + id + "," + region + ",2,bob\n";
      if (n % 2 == 0) table += id + "," + region + ",3,cleo\n";
    }
  }
  write_text(file("r.csv"), table);
  const ReferenceTable read = read_reference_table(file("r.csv"));
  EXPECT_EQ(read.readings,
            file("r.csv").string() +
                ": 3 rater(s), up to 3 of a case; of each case the reading of one of "
                "them, drawn, is the reference: intervals hold a reading");
  ASSERT_EQ(read.volumes.size(), 600u);
  std::map<double, int> counts;  // of cases with three raters
  for (int n = 0; n < 300; ++n) {
    const std::string id = "case_" + std::to_string(n);
    EXPECT_EQ(read.volumes.at({id, "whole"}), read.volumes.at({id, "core"})) << id;
    if (n % 2 == 0) ++counts[read.volumes.at({id, "whole"})];
  }
  for (const double rater : {1, 2, 3}) EXPECT_NEAR(counts[rater], 50, 4 * 5.8) << rater;
}

TEST_F(KnownVolumes, ARaterWhoReadAllRegionsComesBeforeOneWhoDidNot) {
  std::string table = "case_id,region,volume_ml,rater\n";
  for (int n = 0; n < 40; ++n) {
    const std::string id = "case_" + std::to_string(n);
    table += id + ",whole,1,ann\n" + id + ",core,1,ann\n" + id + ",whole,2,bob\n";
  }
  write_text(file("r.csv"), table + "odd,whole,1,ann\nodd,core,2,bob\n");
  const References volumes = read_reference_table(file("r.csv")).volumes;
  for (int n = 0; n < 40; ++n) {
    EXPECT_EQ(volumes.at({"case_" + std::to_string(n), "whole"}), 1) << n;
  }
  EXPECT_EQ(volumes.at({"odd", "whole"}), 1);
  EXPECT_EQ(volumes.at({"odd", "core"}), 2);
}

TEST_F(KnownVolumes, ReadingsScatterAsTheirStandardDeviationSays) {
  std::string table = "case_id,region,volume_ml,volume_sd_ml\n";
  for (int n = 0; n < 1000; ++n) table += "case_" + std::to_string(n) + ",whole,20,3\n";
  write_text(file("r.csv"), table + "sure,whole,5,0\nsmall,whole,0,0\n");
  const ReferenceTable read = read_reference_table(file("r.csv"));
  EXPECT_NE(read.readings.find("readings drawn by volume_sd_ml"), std::string::npos);
  double sum = 0, squares = 0;
  for (int n = 0; n < 1000; ++n) {
    const double off = read.volumes.at({"case_" + std::to_string(n), "whole"}) - 20;
    sum += off;
    squares += off * off;
  }
  EXPECT_NEAR(sum / 1000, 0, 4 * 3 / std::sqrt(1000.0));
  EXPECT_NEAR(std::sqrt(squares / 1000), 3, 4 * 3 / std::sqrt(2000.0));
  EXPECT_EQ(read.volumes.at({"sure", "whole"}), 5);
  EXPECT_EQ(read.volumes.at({"small", "whole"}), 0);
}

TEST_F(KnownVolumes, WrongReadingsAreRefusedNamingTheLine) {
  const std::string at = file("r.csv").string();
  const std::string raters = "case_id,region,volume_ml,rater\n";
  EXPECT_EQ(refusal_of(raters + "a,whole,1,ann\na,whole,1,bob\na,whole,2,ann\n"),
            at + ", line 4: a, whole, ann is given twice; keep one of them");
  EXPECT_EQ(refusal_of(raters + "a,whole,1,\n"),
            at + ", line 2: rater: expected a name, found nothing");
  EXPECT_EQ(refusal_of("case_id,region,volume_ml\na,whole,1e19\n"),
            at + ", line 2: volume_ml: expected a number from 0 to 1e9, found \"1e19\"");
  EXPECT_EQ(refusal_of("case_id,region,volume_ml,volume_sd_ml\na,whole,1,-0.1\n"),
            at + ", line 2: volume_sd_ml: expected a number from 0, found \"-0.1\"");
  expect_part(refusal_of("case_id,region,volume_ml,rater,volume_sd_ml\na,whole,1,ann,0\n"),
              "has the columns rater and volume_sd_ml; expected one of them");
}

TEST_F(KnownVolumes, TablesOfMcvolItselfAreRefused) {
  const std::string at = file("r.csv").string();
  EXPECT_EQ(refusal_of("case_id,region,level,volume_ml\na,whole,0.9,1\n"),
            at + ": a table of mcvol's own, found the column 'level'; expected reference volumes, "
                 "which mcvol has not measured, such as those of manual segmentations");
  expect_part(refusal_of("case_id,region,volume_ml,raw_volume_ml\na,whole,1,1\n"),
              "found the column 'raw_volume_ml'");
}

TEST_F(KnownVolumes, BlanksAndEmptyRowsOfATableDoNotMatter) {
  write_text(file("r.csv"), "case_id, region ,volume_ml\n a,whole ,\t12.5\n,,\n , ,\n");
  const References references = read_reference_table(file("r.csv")).volumes;
  ASSERT_EQ(references.size(), 1u);
  EXPECT_EQ(references.at({"a", "whole"}), 12.5);
}

TEST_F(KnownVolumes, NamesThatLabelMapsStandUnder) {
  write_labels("a_seg.nii.gz", {0, 1});
  write_labels("b.nii", {0, 1});
  write_labels("c-label.nii.gz", {0, 1});
  for (const char* name : {"d", "empty"}) std::filesystem::create_directory(file(name));
  write_labels("d/d-seg.nii.gz", {0, 1});
  write_text(file("notes.txt"), "");
  EXPECT_EQ(label_map_case_ids(temporary_.path()),
            (std::vector<std::string>{"a", "b", "c-label", "d"}));
}

TEST_F(KnownVolumes, LabelMapsAreMeasuredOnTheirOwnGrid) {
  write_labels("a_seg.nii.gz", {0, 1, 2, 2, 4, 4, 4});
  const LabelMapVolumes volumes = volumes_of_label_map(file("a_seg.nii.gz"), meaning_);
  EXPECT_NEAR(volumes.regions_ml[0], 6.0, 1e-9);
  EXPECT_NEAR(volumes.regions_ml[1], 4.0, 1e-9);
  EXPECT_NEAR(volumes.labels_ml.at(2), 2.0, 1e-9);
  EXPECT_EQ(volumes.values, (std::set<int>{1, 2, 4}));
}

TEST_F(KnownVolumes, ValueOfNoRegionIsNamedUnlessItIsRemapped) {
  write_labels("a.nii", {0, 1, 3, 3});
  const std::string message =
      message_from<UnknownLabelError>([&] { volumes_of_label_map(file("a.nii"), meaning_); });
  EXPECT_NE(message.find("a.nii: the value 3 belongs to no region"), std::string::npos) << message;
  meaning_.remapped = parse_label_mapping("3=4");
  EXPECT_NEAR(volumes_of_label_map(file("a.nii"), meaning_).regions_ml[1], 3.0, 1e-9);
  meaning_.remapped = parse_label_mapping("3=0,1=2");
  EXPECT_NEAR(volumes_of_label_map(file("a.nii"), meaning_).regions_ml[0], 1.0, 1e-9);
  EXPECT_EQ(volumes_of_label_map(file("a.nii"), meaning_).regions_ml[1], 0.0);
}

TEST_F(KnownVolumes, SegmentationsAreComparedWithTheirRegionOfTheLabelMap) {
  write_labels("a_seg.nii.gz", {0, 1, 2, 2, 7, 4, 4, 0});
  write_labels("whole.nii.gz", {0, 1, 1, 1, 1, 0, 0, 0});
  write_labels("core.nii.gz", {0, 0, 0, 0, 0, 1, 1, 1});
  meaning_.remapped = parse_label_mapping("7=4");
  const LabelMapVolumes volumes = volumes_of_label_map(file("a_seg.nii.gz"), meaning_,
                                                       {file("whole.nii.gz"), file("core.nii.gz")});
  EXPECT_EQ(volumes.why_no_dice, "");
  ASSERT_EQ(volumes.dice.size(), 2u);
  EXPECT_DOUBLE_EQ(volumes.dice[0], 2.0 * 4 / (6 + 4));
  EXPECT_DOUBLE_EQ(volumes.dice[1], 2.0 * 2 / (4 + 3));
  EXPECT_TRUE(volumes_of_label_map(file("a_seg.nii.gz"), meaning_).dice.empty());
}

TEST_F(KnownVolumes, OfNothingAndNothingTheDiceIsOne) {
  write_labels("a.nii", {0, 2, 0});
  write_labels("whole.nii", {0, 0, 0});
  const LabelMapVolumes volumes =
      volumes_of_label_map(file("a.nii"), meaning_, {file("whole.nii"), file("whole.nii")});
  EXPECT_EQ(volumes.dice, (std::vector<double>{0, 1}));
}

TEST_F(KnownVolumes, SegmentationsOnAnotherGridHaveNoDice) {
  write_labels("a.nii", {0, 1, 1});
  write_labels("whole.nii", {0, 1, 1, 0});
  const LabelMapVolumes volumes =
      volumes_of_label_map(file("a.nii"), meaning_, {file("whole.nii"), file("whole.nii")});
  EXPECT_NEAR(volumes.regions_ml[0], 2.0, 1e-9) << "the volume is known all the same";
  EXPECT_TRUE(volumes.dice.empty());
  EXPECT_EQ(volumes.why_no_dice.rfind(file("a.nii").string() + ": it has 3x1x1 voxels", 0), 0u)
      << volumes.why_no_dice;
  const LabelMapVolumes unread =
      volumes_of_label_map(file("a.nii"), meaning_, {file("none.nii"), file("none.nii")});
  EXPECT_NE(unread.why_no_dice.find("none.nii"), std::string::npos) << unread.why_no_dice;
}

TEST_F(KnownVolumes, LabelMapIsFoundByTheCasesName) {
  EXPECT_FALSE(find_label_map(temporary_.path(), "a"));
  std::filesystem::create_directory(file("a"));
  write_labels("a/a_seg.nii.gz", {0, 1});
  EXPECT_EQ(find_label_map(temporary_.path(), "a"), file("a") / "a_seg.nii.gz");
  write_labels("a-seg.nii", {0, 1});
  const std::string message =
      message_from<UsageError>([&] { find_label_map(temporary_.path(), "a"); });
  EXPECT_NE(message.find("a: two label maps"), std::string::npos) << message;
}

TEST_F(KnownVolumes, WrongMappingsAreRefused) {
  for (const char* text : {"3", "3=", "=4", "a=1", "3=4;1=2"}) {
    EXPECT_THROW(parse_label_mapping(text), UsageError) << text;
  }
  EXPECT_TRUE(parse_label_mapping("").empty());
}

}  // namespace
}  // namespace mcvol

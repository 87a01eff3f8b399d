#include "io/scans/case_ids.h"

#include <map>
#include <set>

#include "io/scans/file_tree.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

FoundCase case_at(const std::string& name, const std::string& place) {
  return {{name, {place + "_t1.nii.gz"}, {}, {}}, place + "_t1.nii.gz", place, {}, true};
}

std::set<std::string> ids_after(std::vector<FoundCase> cases) {
  assign_case_ids(cases);
  std::set<std::string> ids;
  for (const FoundCase& found : cases) {
    EXPECT_TRUE(is_valid_case_id(found.scan.case_id)) << found.scan.case_id;
    ids.insert(found.scan.case_id);
  }
  EXPECT_EQ(ids.size(), cases.size());
  return ids;
}

using Ids = std::set<std::string>;

TEST(CaseId, FollowsTheInterface) {
  for (const char* id : {"a", "9", "sub-01_ses-2", "A.b-c_d", "sub-01_space-MNIInfant+1"}) {
    EXPECT_TRUE(is_valid_case_id(id)) << id;
  }
  EXPECT_TRUE(is_valid_case_id(std::string(128, 'x')));
  EXPECT_FALSE(is_valid_case_id(std::string(129, 'x')));
  for (const char* id : {"", ".", "..", "-a", "_a", "+a", "a b", "a/b", "a\n", "\xc3\xa9"}) {
    EXPECT_FALSE(is_valid_case_id(id)) << id;
  }
}

// Digits: printf 'patient 1' | sha256sum
TEST(CaseId, OfAnOddNameIsItsValidCharactersAndAHashOfIt) {
  EXPECT_EQ(ids_after({case_at("patient 1", "a")}), Ids{"patient_1-fe7592d0"});
  EXPECT_EQ(ids_after({case_at("patient 1", "elsewhere")}), Ids{"patient_1-fe7592d0"});
  EXPECT_EQ(ids_after({case_at("patient 1", "a"), case_at("patient_1", "b")}).size(), 2u);
  EXPECT_EQ(ids_after({case_at("m\xc3\xbcller", "a")}), Ids{"m_ller-2dbd2180"});
  EXPECT_EQ(ids_after({case_at("-a", "a")}).begin()->substr(0, 4), "x-a-");
  const std::string longest = *ids_after({case_at(std::string(129, 'p'), "a")}).begin();
  EXPECT_EQ(longest.size(), 128u);
  EXPECT_NE(ids_after({case_at(std::string(130, 'p'), "a")}).begin()->substr(119),
            longest.substr(119));
}

TEST(CaseId, OfANameThatIsTakenIsItsPlaces) {
  const Ids ids = ids_after({case_at("p1", "b"), case_at("p1", "a"), case_at("P1", "c")});
  EXPECT_TRUE(ids.contains("P1"));
  // Whatever comes beside it, a case keeps its id, as long as the first of its name is there.
  const Ids fewer = ids_after({case_at("p1", "b"), case_at("P1", "c")});
  for (const std::string& id : fewer) EXPECT_TRUE(ids.contains(id)) << id;
}

using Records = std::map<std::string, std::vector<ImageSource>>;

RecordedCase recorded_in(const Records& records) {
  return [&records](const std::string& id, const std::vector<ImageSource>& files) {
    const auto found = records.find(id);
    if (found == records.end()) return Recorded::kNothing;
    return found->second == files ? Recorded::kTheseFiles : Recorded::kOtherFiles;
  };
}

/// The id of the case at a place.
std::string id_at(const std::string& place, const std::vector<FoundCase>& cases) {
  for (const FoundCase& found : cases) {
    if (found.shown == place) return found.scan.case_id;
  }
  return "none";
}

TEST(CaseId, StaysTheCasesThatHasARecordUnderIt) {
  std::vector<FoundCase> first{case_at("p1", "b"), case_at("p1", "c")};
  assign_case_ids(first);
  EXPECT_EQ(id_at("b", first), "p1");
  Records records;
  for (const FoundCase& found : first) records[found.scan.case_id] = found.scan.channel_files;
  const RecordedCase recorded = recorded_in(records);
  // One more that would come first.
  std::vector<FoundCase> more{case_at("p1", "a"), case_at("p1", "b"), case_at("p1", "c")};
  assign_case_ids(more, recorded);
  EXPECT_EQ(id_at("b", more), "p1");
  EXPECT_EQ(id_at("c", more), id_at("c", first));
  EXPECT_EQ(id_at("a", more).substr(0, 3), "p1-");
  // The first is gone.
  std::vector<FoundCase> fewer{case_at("p1", "c")};
  assign_case_ids(fewer, recorded);
  EXPECT_EQ(id_at("c", fewer), id_at("c", first));
  // Both are other scans than that of the record: its number is not overwritten.
  std::vector<FoundCase> others{case_at("p1", "d"), case_at("p1", "e")};
  assign_case_ids(others, recorded);
  EXPECT_NE(id_at("d", others), "p1");
  EXPECT_NE(id_at("e", others), "p1");
  // Without its record it is like any other.
  records.clear();
  fewer = {case_at("p1", "c")};
  assign_case_ids(fewer, recorded);
  EXPECT_EQ(id_at("c", fewer), "p1");
}

TEST(CaseId, OfRowsOfAManifestIsTheirFiles) {
  const auto row = [](const std::string& file) {
    return FoundCase{{"x", {"data/" + file}, {}, {}}, "data/list.csv", "list.csv", {}, false, 2};
  };
  const auto id_of = [](const std::string& file, const std::vector<FoundCase>& cases) {
    for (const FoundCase& found : cases) {
      if (found.scan.channel_files.at(0).name() == file) return found.scan.case_id;
    }
    return std::string("none");
  };
  std::vector<FoundCase> three{row("a.nii"), row("b.nii"), row("c.nii")};
  assign_case_ids(three);
  EXPECT_EQ(id_of("a.nii", three), "x");
  const std::string of_b = id_of("b.nii", three), of_c = id_of("c.nii", three);
  EXPECT_NE(of_b, of_c);
  // Whichever of them are left, in whatever order: what was measured is each row's own.
  Records records;
  for (const FoundCase& found : three) records[found.scan.case_id] = found.scan.channel_files;
  const RecordedCase recorded = recorded_in(records);
  for (std::vector<FoundCase> some :
       {std::vector{row("c.nii")}, std::vector{row("c.nii"), row("a.nii")},
        std::vector{row("d.nii"), row("c.nii"), row("b.nii")}}) {
    assign_case_ids(some, recorded);
    EXPECT_EQ(id_of("c.nii", some), of_c);
    for (const FoundCase& found : some) {
      const auto record = records.find(found.scan.case_id);
      if (record != records.end()) EXPECT_EQ(record->second, found.scan.channel_files);
    }
  }
}

TEST(CaseId, OddNamesKeepWhatTheFilesSay) {
  std::vector<FoundCase> cases{case_at("p 1", "a"), case_at("p2", "b")};
  assign_case_ids(cases);
  EXPECT_EQ(cases[0].scan.found_as, "p 1");
  EXPECT_EQ(cases[1].scan.found_as, "");
}

}  // namespace
}  // namespace mcvol

#include "mcvol/io/tables/change_table.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include "files/temporary_folder.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

/// Of the first version, which had no correlation.
constexpr const char* kHeader =
    "subject_id,baseline,followup,region,level,change_ml,lower_ml,upper_ml,p_growth,p_shrinkage,"
    "p_tie,status,flags,error,growth_threshold";

ChangeRow measured() {
  ChangeRow row;
  row.pair = {"s, 1", "a", "b"};
  row.region = "whole";
  row.level = "0.9";
  row.change_ml = -1.25;
  row.lower_ml = -2.5;
  row.upper_ml = 0.125;
  row.p_growth = 0.0625;
  row.p_shrinkage = 0.875;
  row.p_tie = 0.0625;
  row.growth_threshold = 0.25;
  row.correlation = 0.5;
  row.status = "ok";
  row.flags = {"empty", "uncertain"};
  return row;
}

ChangeRow failed() {
  ChangeRow row;
  row.pair = {"s2", "a", "c"};
  row.status = "failed";
  row.error = "c: not \"measured\"";
  return row;
}

class ChangeTableFile : public ::testing::Test {
 protected:
  std::vector<ChangeRow> read(const std::string& text) const {
    write_file_atomically(folder_.path() / "change.csv", text);
    return read_change_table(folder_.path() / "change.csv");
  }
  std::string complaint(const std::string& row) const {
    try {
      read(std::string(kHeader) + "\n" + row + "\n");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }
  TemporaryFolder folder_;
};

TEST_F(ChangeTableFile, HasTheTextPromised) {
  EXPECT_EQ(
      change_csv({measured(), failed()}),
      std::string(kHeader) +
          ",correlation\n\"s, 1\",a,b,whole,0.9,-1.250,-2.500,0.125,0.0625,0.8750,0.0625,ok,"
          "empty;uncertain,,0.25,0.5000\ns2,a,c,,,,,,,,,failed,,\"c: not \"\"measured\"\"\",,\n");
}

TEST_F(ChangeTableFile, ReadsBackWhatWasWritten) {
  ChangeRow bonferroni = measured();
  bonferroni.p_growth = bonferroni.p_shrinkage = bonferroni.p_tie = std::nullopt;
  bonferroni.growth_threshold = bonferroni.correlation = std::nullopt;
  const std::string text = change_csv({measured(), bonferroni, failed()});
  const std::vector<ChangeRow> rows = read(text);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].pair.subject_id, "s, 1");
  EXPECT_EQ(rows[0].lower_ml, -2.5);
  EXPECT_EQ(rows[0].flags, measured().flags);
  EXPECT_FALSE(rows[1].p_growth);
  EXPECT_EQ(rows[2].error, failed().error);
  EXPECT_EQ(change_csv(rows), text);
}

TEST_F(ChangeTableFile, TakesTheColumnsOfALaterVersion) {
  const std::vector<ChangeRow> rows =
      read("new," + std::string(kHeader) + "\nx,s,a,b,whole,0.9,1,0,2,,,,ok,,,\n");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].upper_ml, 2);
}

TEST_F(ChangeTableFile, WhatIsNoChangeIsRefusedNamingTheLine) {
  EXPECT_NE(complaint("s,a,b,whole,0.9,many,0,2,,,,ok,,,")
                .find("change.csv, line 2: change_ml: expected"),
            std::string::npos);
  EXPECT_NE(complaint("s,a,b,whole,0.9,1,,2,,,,ok,,,").find("change.csv, line 2: expected a pair"),
            std::string::npos);
  EXPECT_NE(complaint("s,a,b,whole,often,1,0,2,,,,ok,,,")
                .find("change.csv, line 2: level \"often\": expected"),
            std::string::npos);
  EXPECT_NE(complaint("s,a,b,whole,0.9,nan,0,2,,,,ok,,,"), "");
  EXPECT_THROW(read("case_id,region\na,b\n"), UsageError);
}

}  // namespace
}  // namespace mcvol

#include "mcvol/files/csv.h"

#include "mcvol/error/error.h"

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Fields = std::vector<std::string>;
using testing::IsSubstring;

std::string csv_error_of(const std::string& text) {
  try {
    parse_csv(text, "cases.csv");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Csv, ReadsHeaderAndRowsWithTheirLines) {
  const CsvTable table = parse_csv("case_id,t1\na,a.nii\n\nb,b.nii\n", "cases.csv");
  EXPECT_EQ(table.header, (Fields{"case_id", "t1"}));
  ASSERT_EQ(table.records.size(), 2u);
  EXPECT_EQ(table.records[0].fields, (Fields{"a", "a.nii"}));
  EXPECT_EQ(table.records[0].line, 2);
  EXPECT_EQ(table.records[1].line, 4);
  EXPECT_EQ(table.column("t1"), 1u);
  EXPECT_FALSE(table.column("T1").has_value());
}

TEST(Csv, LineBreaksMarkAndEndOfFileDoNotMatter) {
  for (const char* text : {"a,b\n1,2", "a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2\r",
                           "\xef\xbb\xbf"
                           "a,b\r\n1,2",
                           "\n\na,b\n\n1,2\n\n"}) {
    const CsvTable table = parse_csv(text, "cases.csv");
    EXPECT_EQ(table.header, (Fields{"a", "b"})) << text;
    ASSERT_EQ(table.records.size(), 1u) << text;
    EXPECT_EQ(table.records[0].fields, (Fields{"1", "2"})) << text;
  }
}

TEST(Csv, QuotedFieldsHoldCommasQuotesAndLineBreaks) {
  const CsvTable table =
      parse_csv("\"a\",b,c\n\"x,y\",\"say \"\"hi\"\"\",\"two\r\nlines\"\n,\"\",z\n", "cases.csv");
  ASSERT_EQ(table.records.size(), 2u);
  EXPECT_EQ(table.records[0].fields, (Fields{"x,y", "say \"hi\"", "two\r\nlines"}));
  EXPECT_EQ(table.records[1].line, 4);
  EXPECT_EQ(table.records[1].fields, (Fields{"", "", "z"}));
}

TEST(Csv, EmptyLastFieldIsKept) {
  const CsvTable table = parse_csv("a,b\n1,\n,2", "cases.csv");
  ASSERT_EQ(table.records.size(), 2u);
  EXPECT_EQ(table.records[0].fields, (Fields{"1", ""}));
  EXPECT_EQ(table.records[1].fields, (Fields{"", "2"}));
}

TEST(Csv, RowsOfNothingButCommasArePassedOver) {
  const CsvTable table = parse_csv("a,b,c\n1,2,3\n,,\n , \t,\r\n,,,,\n4,5,6\n,,", "cases.csv");
  ASSERT_EQ(table.records.size(), 2u);
  EXPECT_EQ(table.records[1].fields, (Fields{"4", "5", "6"}));
  EXPECT_EQ(table.records[1].line, 6);
}

TEST(Csv, NamesAndFieldsAreTrimmed) {
  const CsvTable table = parse_csv(" a ,\"b \"\n x y\t,\xc2\xa0\xc2\xa0z \xc2\xa0\n", "cases.csv");
  EXPECT_EQ(table.header, (Fields{"a", "b"}));
  ASSERT_EQ(table.records.size(), 1u);
  EXPECT_EQ(table.records[0].fields, (Fields{"x y", "z"}));
  EXPECT_NE(csv_error_of("a,a \n").find("two columns are called 'a'"), std::string::npos);
}

TEST(Csv, UnnamedColumnsOfSpreadsheetsArePassedOver) {
  EXPECT_EQ(parse_csv("a,,\n1,,\n", "cases.csv").header, (Fields{"a", "", ""}));
}

TEST(Csv, RaggedRowIsNamedWithItsLine) {
  EXPECT_EQ(csv_error_of("a,b\n1,2\n1,2,3\n"),
            "cases.csv, line 3: expected 2 fields as in the header, found 3; quote fields that "
            "contain commas");
}

TEST(Csv, UnclosedQuoteIsNamedWhereItOpens) {
  EXPECT_EQ(csv_error_of("a,b\n1,\"2\n3,4\n"),
            "cases.csv, line 2: the quote opened here is never closed");
}

TEST(Csv, MisplacedQuotesAreRefused) {
  EXPECT_PRED_FORMAT2(IsSubstring, "line 2: a quote within a field", csv_error_of("a\n5\" disk\n"));
  EXPECT_PRED_FORMAT2(IsSubstring, "expected a comma after a closing quote",
                      csv_error_of("a\n\"x\"y\n"));
}

TEST(Csv, ColumnGivenTwiceIsRefused) {
  EXPECT_PRED_FORMAT2(IsSubstring, "line 1: two columns are called 'a'", csv_error_of("a,b,a\n"));
}

TEST(Csv, OtherSeparatorsAreNamed) {
  EXPECT_EQ(csv_error_of("case_id;t1\na;b\n"),
            "cases.csv, line 1: looks like it is separated by ';'; save it with commas");
  EXPECT_PRED_FORMAT2(IsSubstring, "separated by tabs", csv_error_of("case_id\tt1\na\tb\n"));
}

TEST(Csv, EmptyAndForeignFilesAreRefused) {
  EXPECT_PRED_FORMAT2(IsSubstring, "empty; expected a header row", csv_error_of(""));
  EXPECT_PRED_FORMAT2(IsSubstring, "empty", csv_error_of("\n\n"));
  EXPECT_PRED_FORMAT2(IsSubstring, "save it as CSV in UTF-8",
                      csv_error_of(std::string("\xff\xfe"
                                               "a\0b\0",
                                               6)));
}

TEST(Csv, MissingFileIsAnErrorThatNamesIt) {
  try {
    read_csv("no/such/cases.csv");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_PRED_FORMAT2(IsSubstring, "no/such/cases.csv", error.what());
    EXPECT_EQ(error.exit_code(), ExitCode::kCannotGoOn);
  }
}

TEST(Csv, WrittenFieldsAreReadBackUnchanged) {
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
  for (const std::string field : {"", "a,b", "\"", "line\nbreak", "cr\rlf", "; \t;"}) {
    const CsvTable table = parse_csv("x,y\n" + csv_field(field) + ",1\n", "cases.csv");
    ASSERT_EQ(table.records.size(), 1u);
    EXPECT_EQ(table.records[0].fields[0], field);
  }
}

}  // namespace
}  // namespace mcvol

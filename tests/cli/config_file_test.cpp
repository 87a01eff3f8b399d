#include "mcvol/cli/config_file.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include "pipeline/fake_bundle.h"
#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

std::string complaint_about(const std::string& text) {
  try {
    parse_config(text, "run.toml");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ConfigFile, ReadsStringsNumbersBooleansAndArrays) {
  const auto entries = parse_config(
      "# a run\n"
      "model = \"models/my net, v2 #3\"  # comment\n"
      "passes = 1_000\n"
      "fresh = true\n"
      "level = [ 0.5, \"0.9\",\n  0.95, # the last\n]\n"
      "out = 'C:\\results'\r\n",
      "run.toml");
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[0].key, "model");
  EXPECT_EQ(entries[0].values, std::vector<std::string>{"models/my net, v2 #3"});
  EXPECT_EQ(entries[1].values, std::vector<std::string>{"1000"});
  EXPECT_EQ(entries[2].values, std::vector<std::string>{"true"});
  EXPECT_EQ(entries[3].values, (std::vector<std::string>{"0.5", "0.9", "0.95"}));
  EXPECT_EQ(entries[4].values, std::vector<std::string>{"C:\\results"});
  EXPECT_EQ(entries[4].line, 8);
}

TEST(ConfigFile, EmptyTextHasNoEntries) {
  EXPECT_TRUE(parse_config("", "run.toml").empty());
  EXPECT_TRUE(parse_config("\n  # nothing\n", "run.toml").empty());
}

TEST(ConfigFile, NamesFileAndLineOfWhatItCannotRead) {
  const auto says = [](const std::string& text, const std::string& expected) {
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, expected, complaint_about(text));
  };
  says("passes = 3\nmodel = models/x\n", "run.toml, line 2: ");
  says("model = models/x\n", "strings in quotes, numbers, true, false and arrays of these");
  says("[predict]\n",
       "run.toml, line 1: tables are not used here; write the options as key = value");
  says("passes 3\n", "run.toml, line 1: Error while parsing key-value pair: expected '='");
  says("a = 1\na = 2\n", "run.toml, line 2: ");
  says("a = \"x\n", "run.toml, line 1: ");
  says("a = [1 2]\n", "run.toml, line 1: Error while parsing array: expected comma or closing ']'");
  says("a = 1 2\n", "run.toml, line 1: ");
  says("a = [1,", "run.toml, line 1: ");
  says("a =", "run.toml, line 1: ");
  says("a = [[1], 2]\n", "run.toml, line 1: a: expected a string in quotes, a number");
  says("a = 2026-01-31\n", "run.toml, line 1: a: expected a string in quotes, a number");
}

TEST(ConfigFile, KeepsTheDecimalsOfANumberAsWritten) {
  const auto entries = parse_config("level = [0.90, 9.5e-1, 5]\nout = [\"é\", 0.25]\n", "run.toml");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].values, (std::vector<std::string>{"0.90", "9.5e-1", "5"}));
  EXPECT_EQ(entries[1].values, (std::vector<std::string>{"é", "0.25"}));
}

class ConfigOnOptions : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = testing::fresh_folder("config") / "run.toml";
    app_.add_option("scans", scans_);
    app_.add_option("--passes", passes_)->type_name("N")->check(CLI::Range(1, 100));
    app_.add_option("--level", levels_)->type_name("P")->allow_extra_args(false);
    app_.add_option("--memory", memory_)->type_name("SIZE");
    app_.add_option("--seed", seed_)->type_name("N");
    app_.add_flag("--fresh", fresh_);
  }
  void apply(const std::string& text) {
    write_file_atomically(file_, text);
    apply_config(file_, app_);
  }

  /// What is said after the file's name.
  std::string complaint(const std::string& text) {
    try {
      apply(text);
    } catch (const UsageError& error) {
      return std::string(error.what()).substr(file_.string().size());
    }
    return "accepted";
  }

  std::filesystem::path file_;
  CLI::App app_{"", "predict"};
  std::vector<std::string> scans_, levels_;
  int passes_ = 20;
  std::string memory_, seed_;
  bool fresh_ = false;
};

TEST_F(ConfigOnOptions, FillsWhatTheCommandLineLeftOpen) {
  app_.parse("--passes 7");
  apply("passes = 3\nlevel = [0.5, 0.9]\nfresh = true\nscans = [\"a b\", 'c,d']\n");
  EXPECT_EQ(passes_, 7);
  EXPECT_EQ(levels_, (std::vector<std::string>{"0.5", "0.9"}));
  EXPECT_TRUE(fresh_);
  EXPECT_EQ(scans_, (std::vector<std::string>{"a b", "c,d"}));
}

TEST_F(ConfigOnOptions, FalseLeavesAFlagOff) {
  app_.parse("");
  apply("fresh = false\n");
  EXPECT_FALSE(fresh_);
}

TEST_F(ConfigOnOptions, SizesMayBeStringsOrNumbersOfBytes) {
  app_.parse("");
  apply("memory = 1_073_741_824\n");
  EXPECT_EQ(memory_, "1073741824");
  app_.parse("");
  apply("memory = '2.5GiB'\n");
  EXPECT_EQ(memory_, "2.5GiB");
  EXPECT_EQ(complaint("memory = true\n"),
            ", line 1: memory: expected a size such as \"4G\", found true");
}

TEST_F(ConfigOnOptions, WholeNumbersThatTomlHasNoRoomForMayStandInQuotes) {
  app_.parse("");
  EXPECT_NE(complaint("seed = 18446744073709551615\n"), "accepted");
  apply("seed = \"18446744073709551615\"\n");
  EXPECT_EQ(seed_, "18446744073709551615");
}

TEST_F(ConfigOnOptions, ValuesOfAnotherTypeAreRefused) {
  app_.parse("");
  EXPECT_EQ(complaint("fresh = \"yes\"\n"),
            ", line 1: fresh: expected true or false, found \"yes\"");
  EXPECT_EQ(complaint("fresh = 1\n"), ", line 1: fresh: expected true or false, found 1");
  EXPECT_EQ(complaint("passes = \"two\"\n"), ", line 1: passes: expected a number, found \"two\"");
  EXPECT_EQ(complaint("level = [0.5, true]\n"), ", line 1: level: expected a number, found true");
  EXPECT_EQ(complaint("scans = 3\n"), ", line 1: scans: expected a string in quotes, found 3");
}

TEST_F(ConfigOnOptions, UnknownKeysAndValuesOutOfRangeAreRefused) {
  app_.parse("");
  EXPECT_THROW(apply("passess = 3\n"), UsageError);
  EXPECT_THROW(apply("config = \"x\"\n"), UsageError);
  EXPECT_THROW(apply("passes = 0\n"), CLI::Error);
  EXPECT_THROW(apply_config(file_.parent_path() / "none.toml", app_), UsageError);
}

}  // namespace
}  // namespace mcvol

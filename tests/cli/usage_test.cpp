#include "mcvol/files/text_file.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "analysis/synthetic_results.h"
#include "cli/checks.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>

namespace mcvol::testing {
namespace {

TEST(Usage, HelpNamesTheCommandsAndGivesAnExampleOnStdout) {
  const ProcessResult result = run_mcvol({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  for (const char* part : {"predict", "inspect", "merge", "Example:", "--version"}) {
    EXPECT_TRUE(contains(result.out, part)) << part << "\n" << result.out;
  }
}

TEST(Usage, VersionIsOneLineOnStdout) {
  const ProcessResult result = run_mcvol({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out.rfind("mcvol ", 0), 0u);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
}

TEST(Usage, NoCommandUnknownCommandAndUnknownOptionAreUsageErrors) {
  expect_usage_error({}, "see mcvol --help");
  expect_usage_error({"forecast"}, "see mcvol --help");
  expect_usage_error({"predict", "--colour", "red"}, "--colour; see mcvol predict --help");
  expect_usage_error({"merge"}, "see mcvol merge --help");
}

TEST(Usage, UnknownCommandsAreNamed) {
  expect_usage_error({"measure"}, "no command is called 'measure'");
}

TEST(Usage, ClosedOrFullStdoutIsAnError) {
  for (const char* redirection : {">&-", ">/dev/full"}) {
    const std::string command = std::string("exec \"$0\" --version ") + redirection;
    const ProcessResult result = run_program("/bin/sh", {"-c", command, MCVOL_EXECUTABLE});
    EXPECT_EQ(result.exit_code, 1) << redirection;
    EXPECT_EQ(result.err, "error: stdout cannot be written\n");
  }
}

/// What follows each name that `text` lists under "<title>:", indented, lines of one entry joined.
std::map<std::string, std::string> entries_under(const std::string& title,
                                                 const std::string& text) {
  std::map<std::string, std::string> entries;
  std::istringstream lines(text.substr(text.find("\n" + title + ":\n") + title.size() + 3));
  std::string name;
  for (std::string line; std::getline(lines, line) && line.starts_with("  ");) {
    const bool goes_on = line[2] == ' ';
    if (!goes_on) name = line.substr(2, line.find(' ', 2) - 2);
    const std::size_t text = line.find_first_not_of(' ', goes_on ? 0 : 2 + name.size());
    if (text != std::string::npos) entries[name] += " " + line.substr(text);
  }
  return entries;
}

/// What the tests below know of a command.
struct KnownCommand {
  std::vector<std::string> quantities;  ///< of its help: ranges and units
  std::vector<std::string> valid;       ///< arguments that succeed, a positional one first
};

/// @param folder what EveryCommand made
std::map<std::string, KnownCommand> known_commands(const std::filesystem::path& folder) {
  const auto in = [&](const char* name) { return (folder / name).string(); };
  const std::string coverage = "above 0 and below 1", threads = "CPU threads";
  const std::string references = "--references", calibration = "--calibration";
  return {
      {"predict",
       {{"N|auto=20", "1 to 10000", "share of its width, above 0 and up to 1", "0 to 2^64 - 1",
         coverage, "CPU threads, 1 to 1024", "SIZE=4G", "from 64M (powers of 1024)"},
        {in("scans"), "--model", in("model"), "--list"}}},
      {"inspect", {{}, {in("known")}}},
      {"merge", {{coverage}, {in("known"), "--out", in("merged")}}},
      {"interval", {{coverage, "0 to 1", threads}, {in("new")}}},
      {"calibrate",
       {{"ML,…", coverage, threads},
        {in("known"), references, in("references.csv"), "--output", in("again.json")}}},
      {"evaluate",
       {{coverage, threads},
        {in("new"), references, in("references.csv"), calibration, in("calibration.json"), "--out",
         in("evaluation")}}},
      {"change",
       {{coverage, "-1 to 1", "relative to the baseline", threads},
        {in("new"), "--pairs", in("pairs.csv"), calibration, in("calibration.json")}}},
      {"report",
       {{"that of the run next to 0.9", threads},
        {in("new"), calibration, in("calibration.json")}}},
  };
}

/// Runs every command that the program itself names; one that is not known here is a failure.
class EveryCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::filesystem::path folder = fresh_folder("every_command");
    write_fake_bundle(folder / "model");
    write_fake_scan(folder / "scans", "case_a");
    const auto all = synthetic_scans(60, 33);
    write_synthetic_results(folder / "known", {all.begin(), all.begin() + 50});
    write_synthetic_results(folder / "new", {all.begin() + 50, all.end()});
    write_synthetic_references(folder / "references.csv", all);
    write_file_atomically(folder / "pairs.csv",
                          "subject_id,baseline,followup\nann,scan_50,scan_51\n");
    run_mcvol({"calibrate", (folder / "known").string(), "--references",
               (folder / "references.csv").string(), "--output",
               (folder / "calibration.json").string()});
    known_ = known_commands(folder);
    for (const auto& [command, about] : entries_under("Subcommands", run_mcvol({"--help"}).out)) {
      commands_.push_back(command);
    }
  }
  void SetUp() override {
    ASSERT_GE(commands_.size(), 8u);
    for (const std::string& command : commands_) {
      ASSERT_TRUE(known_.contains(command)) << command << ": add its usage to known_commands()";
    }
  }
  static std::string help_of(const std::string& command) {
    return run_mcvol({command, "--help"}).out;
  }

  static inline std::map<std::string, KnownCommand> known_;
  static inline std::vector<std::string> commands_;
};

TEST_F(EveryCommand, HasHelpWithAnExample) {
  for (const std::string& command : commands_) {
    const ProcessResult result = run_mcvol({command, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_TRUE(contains(result.out, "  mcvol " + command)) << result.out;
  }
}

TEST_F(EveryCommand, SaysWhatItsOptionsTakeWithRangesAndUnits) {
  for (const std::string& command : commands_) {
    const std::string help = help_of(command);
    for (const std::string& quantity : known_.at(command).quantities) {
      EXPECT_TRUE(contains(help, quantity)) << command << " does not say " << quantity;
    }
    // What CLI11 says where nobody says better.
    for (const char* type : {" TEXT", " INT", " UINT", " FLOAT", " TEXT:", " PATH:"}) {
      EXPECT_FALSE(contains(help, std::string(type) + " ")) << command << type;
    }
  }
}

/// But for what CLI11 adds to what an option takes.
std::ptrdiff_t words_of(const std::string& text) {
  std::istringstream words(text);
  return std::count_if(std::istream_iterator<std::string>(words),
                       std::istream_iterator<std::string>(),
                       [](const std::string& word) { return word != "..." && word != "REQUIRED"; });
}

// One word says what it takes, and no description is shorter than two.
TEST_F(EveryCommand, DescribesEachOption) {
  for (const std::string& command : commands_) {
    const std::string help = help_of(command);
    int options = 0;
    std::istringstream lines(help);
    for (std::string title; std::getline(lines, title);) {
      if (!title.ends_with(":") || title.starts_with(" ") || title == "Example:") continue;
      title.pop_back();
      for (const auto& [option, text] : entries_under(title, help)) {
        ++options;
        EXPECT_GE(words_of(text), 3) << command << " " << option << text;
      }
    }
    EXPECT_GE(options, 3) << help;
  }
}

TEST_F(EveryCommand, RefusesAnUnknownOption) {
  for (const std::string& command : commands_) {
    expect_usage_error({command, "--colour", "red"}, "--colour; see mcvol " + command + " --help");
  }
}

TEST_F(EveryCommand, RefusesACallThatLacksWhatItNeeds) {
  for (const std::string& command : commands_) {
    SCOPED_TRACE(command);
    expect_usage_error({command}, "error: ");
    // Anything it takes by position comes first: without it nothing else will do.
    std::vector<std::string> options = known_.at(command).valid;
    options.front() = command;
    expect_usage_error(options, "error: ");
  }
}

TEST_F(EveryCommand, SaysNothingOnStderrWhereItSucceedsQuietly) {
  for (const std::string& command : commands_) {
    std::vector<std::string> arguments = known_.at(command).valid;
    arguments.insert(arguments.begin(), command);
    const bool has_quiet = contains(help_of(command), "\n  --quiet ");
    EXPECT_TRUE(has_quiet || command == "inspect") << "which has nothing to say";
    if (has_quiet) arguments.emplace_back("--quiet");
    const ProcessResult result = run_mcvol(arguments);
    EXPECT_EQ(result.exit_code, 0) << command << ": " << result.err;
    EXPECT_EQ(result.err, "") << command;
  }
}

}  // namespace
}  // namespace mcvol::testing

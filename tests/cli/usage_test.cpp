#include "mcvol/cli/command_help.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/pipeline/case_maps.h"

#include <algorithm>
#include <filesystem>
#include <map>
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

std::string with_stdout_to(const std::string& place, const std::vector<std::string>& arguments,
                           int& exit_code) {
  std::vector<std::string> words{"-c", "exec \"$0\" \"$@\" " + place, MCVOL_EXECUTABLE};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const ProcessResult result = run_program("/bin/sh", words);
  exit_code = result.exit_code;
  return result.err;
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
      {"maps", {{coverage}, {in("saved"), "--save", "segmentation,bounds"}}},
  };
}

/// Results of a scan whose probability was saved.
void write_saved_results(const std::filesystem::path& folder, const SyntheticScan& scan) {
  write_synthetic_results(folder / "saved", {scan});
  const auto file = folder / "scans/case_a/case_a_t1.nii.gz";
  const Image<float> nowhere(read_image(file).grid);
  const CaseRecord record = read_case_record(folder / "saved", scan.case_id);
  write_case_maps(folder / "saved", record, {{"whole", nowhere, {}, {}}, {"core", nowhere, {}, {}}},
                  {}, MapChoice::parse({"probability"}), file);
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
    write_saved_results(folder, all[0]);
    write_synthetic_references(folder / "references.csv", all);
    write_file_atomically(folder / "pairs.csv",
                          "subject_id,baseline,followup\nann,scan_50,scan_51\n");
    run_mcvol({"calibrate", (folder / "known").string(), "--references",
               (folder / "references.csv").string(), "--output",
               (folder / "calibration.json").string()});
    known_ = known_commands(folder);
  }
  void SetUp() override {
    ASSERT_GE(helps_.size(), 9u);
    for (const CommandHelp& help : helps_) {
      ASSERT_TRUE(known_.contains(help.name)) << help.name << ": add it to known_commands()";
    }
  }

  static inline std::map<std::string, KnownCommand> known_;
  const std::vector<CommandHelp> helps_ = help_of_commands();
};

TEST_F(EveryCommand, IsInTheHelpOfTheProgram) {
  const std::string help = run_mcvol({"--help"}).out;
  for (const auto& [name, text, options] : helps_) {
    EXPECT_TRUE(contains(help, "\n  " + name + " ")) << help;
    EXPECT_TRUE(contains(help, text)) << help;
  }
}

TEST_F(EveryCommand, HasHelpWithAnExampleAndEachOption) {
  for (const auto& [name, text, options] : helps_) {
    const ProcessResult result = run_mcvol({name, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_TRUE(contains(result.out, "  mcvol " + name)) << result.out;
    for (const OptionHelp& option : options) {
      EXPECT_TRUE(contains(result.out, option.name)) << option.name << " of " << name;
      EXPECT_TRUE(contains(result.out, option.text)) << option.name << " of " << name;
    }
  }
}

TEST_F(EveryCommand, SaysWhatItsOptionsTakeWithRangesAndUnits) {
  for (const auto& [name, text, options] : helps_) {
    const std::string help = run_mcvol({name, "--help"}).out;
    for (const std::string& quantity : known_.at(name).quantities) {
      EXPECT_TRUE(contains(help, quantity)) << name << " does not say " << quantity;
    }
    for (const OptionHelp& option : options) {
      EXPECT_NE(option.text, "") << option.name << " of " << name;
      // What CLI11 says where nobody says better.
      for (const char* type : {"TEXT", "INT", "UINT", "FLOAT", "BOOLEAN"}) {
        EXPECT_NE(option.value, type) << option.name << " of " << name;
        EXPECT_NE(option.name, type) << name;
      }
    }
  }
}

TEST_F(EveryCommand, RefusesAnUnknownOption) {
  for (const auto& [name, text, options] : helps_) {
    // What is missing would be said first.
    std::vector<std::string> arguments = known_.at(name).valid;
    arguments.insert(arguments.begin(), name);
    arguments.emplace_back("--colour");
    expect_usage_error(arguments, "--colour; see mcvol " + name + " --help");
  }
}

TEST_F(EveryCommand, RefusesACallThatLacksWhatItNeeds) {
  for (const auto& [name, text, options] : helps_) {
    SCOPED_TRACE(name);
    expect_usage_error({name}, "error: ");
    // Without what goes by its place nothing else will do.
    std::vector<std::string> arguments = known_.at(name).valid;
    arguments.front() = name;
    expect_usage_error(arguments, "error: ");
    for (const OptionHelp& option : options) {
      if (!option.required || !option.name.starts_with("-")) continue;
      arguments = known_.at(name).valid;
      const auto given = std::find(arguments.begin(), arguments.end(), option.name);
      ASSERT_NE(given, arguments.end()) << option.name;
      arguments.erase(given, given + 2);
      arguments.insert(arguments.begin(), name);
      expect_usage_error(arguments, option.name);
    }
  }
}

TEST_F(EveryCommand, SaysNothingOnStderrWhereItSucceedsQuietly) {
  for (const auto& [name, text, options] : helps_) {
    std::vector<std::string> arguments = known_.at(name).valid;
    arguments.insert(arguments.begin(), name);
    const bool has_quiet =
        std::any_of(options.begin(), options.end(),
                    [](const OptionHelp& option) { return option.name == "--quiet"; });
    EXPECT_TRUE(has_quiet || name == "inspect") << name;  // inspect says nothing where it succeeds.
    if (has_quiet) arguments.emplace_back("--quiet");
    const ProcessResult result = run_mcvol(arguments);
    EXPECT_EQ(result.exit_code, 0) << name << ": " << result.err;
    EXPECT_EQ(result.err, "") << name;
  }
}

TEST_F(EveryCommand, FailsWhereItsStdoutIsFull) {
  const std::map<std::string, std::vector<std::string>> printing = {{"predict", {}},
                                                                    {"inspect", {}},
                                                                    {"interval", {}},
                                                                    {"calibrate", {}},
                                                                    {"change", {"--output", "-"}}};
  for (const auto& [name, more] : printing) {
    std::vector<std::string> arguments = known_.at(name).valid;
    arguments.insert(arguments.begin(), name);
    arguments.insert(arguments.end(), more.begin(), more.end());
    int exit_code = 0;
    const std::string err = with_stdout_to(">/dev/full", arguments, exit_code);
    EXPECT_EQ(exit_code, 1) << name;
    EXPECT_TRUE(contains(err, "error: stdout cannot be written\n")) << name << ": " << err;
    const ProcessResult unread = run_mcvol_without_reader(arguments);
    EXPECT_EQ(unread.exit_code, 1) << name;
    EXPECT_TRUE(contains(unread.err, "error: stdout cannot be written\n")) << name;
  }
  // Also where a case failed, which is exit code 3 by itself.
  std::vector<std::string> failing = known_.at("change").valid;
  const std::string pairs = failing[2] + ".failing.csv";
  write_file_atomically(pairs, "subject_id,baseline,followup\nann,scan_50,nowhere\n");
  failing[2] = pairs;
  failing.insert(failing.begin(), "change");
  failing.insert(failing.end(), {"--output", "-"});
  int exit_code = 0;
  with_stdout_to(">/dev/null", failing, exit_code);
  EXPECT_EQ(exit_code, 3);
  with_stdout_to(">/dev/full", failing, exit_code);
  EXPECT_EQ(exit_code, 1);
}

TEST_F(EveryCommand, WritesIntoAFileThatIsItsStdout) {
  const std::string file = known_.at("interval").valid.front() + ".appended.csv";
  write_file_atomically(file, "# kept\n");
  int exit_code = 0;
  const std::string err = with_stdout_to(
      ">> '" + file + "'",
      {"interval", known_.at("interval").valid.front(), "--output", "/dev/stdout"}, exit_code);
  EXPECT_EQ(exit_code, 0) << err;
  EXPECT_EQ(read_file(file).rfind("# kept\ncase_id,region,", 0), 0u);
}

}  // namespace
}  // namespace mcvol::testing

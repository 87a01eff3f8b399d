#include "mcvol/cli/command_line.h"

#include "mcvol/cli/calibrate_command.h"
#include "mcvol/cli/change_command.h"
#include "mcvol/cli/command.h"
#include "mcvol/cli/evaluate_command.h"
#include "mcvol/cli/inspect_command.h"
#include "mcvol/cli/interval_command.h"
#include "mcvol/cli/logging.h"
#include "mcvol/cli/maps_command.h"
#include "mcvol/cli/merge_command.h"
#include "mcvol/cli/predict_command.h"
#include "mcvol/cli/report_command.h"
#include "mcvol/cli/version.h"

#include <algorithm>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

constexpr const char* kProgramExample =
    "Example:\n"
    "  mcvol inspect models/glioma\n"
    "  mcvol predict scans/ --model models/glioma --out results\n"
    "Volumes are in ml. stdout carries data, stderr the log.\n"
    "Exit codes: 0 all measured, 1 cannot start or go on, 2 usage, 3 a case failed or\n"
    "was left out, 4 folder in use, 129/130/143 interrupted (what is finished is kept).";

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// "mcvol predict" when the command line got as far as that.
std::string name_of_command(const CLI::App& program) {
  for (const CLI::App* command : program.get_subcommands()) return "mcvol " + command->get_name();
  return "mcvol";
}

int report_parse_error(const CLI::App& program, const CLI::ParseError& error) {
  // Asking for help or the version comes as an exception, too.
  if (error.get_exit_code() == 0) return program.exit(error, std::cout, std::cerr);
  std::string message = one_line(error.what());
  // A word that is misspelt is named before what is missing for it.
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const std::vector<std::string> rest = program.remaining(true);
    const auto unknown = std::find_if(rest.begin(), rest.end(),
                                      [](const auto& word) { return word.starts_with('-'); });
    if (unknown != rest.end()) message = "The following argument was not expected: " + *unknown;
  }
  spdlog::error("{}; see {} --help", message, name_of_command(program));
  return static_cast<int>(ExitCode::kUsage);
}

/// CLI11 would only say that a command is required.
void require_known_command(const CLI::App& program, const std::string& word) {
  if (word.empty() || word.front() == '-') return;
  const auto any = [](const CLI::App*) { return true; };
  for (const CLI::App* command : program.get_subcommands(any)) {
    if (command->get_name() == word) return;
  }
  throw UsageError("no command is called '" + word + "'; see mcvol --help");
}

int run(int argc, const char* const* argv) {
  CLI::App program("Tumour volumes with intervals from brain scans, by Monte Carlo dropout",
                   "mcvol");
  program.footer(kProgramExample);
  program.set_version_flag("--version",
                           "mcvol " + program_version() + " (" + program_commit() + ")");
  program.require_subcommand(1);
  const std::vector<std::unique_ptr<Command>> commands = all_commands();
  for (const auto& command : commands) command->setup(program);
  if (argc > 1) require_known_command(program, argv[1]);
  try {
    program.parse(argc, argv);
    for (const auto& command : commands) {
      if (command->chosen()) return static_cast<int>(command->run());
    }
  } catch (const CLI::ParseError& error) {
    return report_parse_error(program, error);
  }
  return static_cast<int>(ExitCode::kUsage);
}

int run_reporting_errors(int argc, const char* const* argv) {
  try {
    set_up_logging(Verbosity::kNormal);
    return run(argc, argv);
  } catch (const Error& error) {
    spdlog::error("{}", one_line(message_of(error)));
    return static_cast<int>(error.exit_code());
  } catch (const std::exception& error) {
    spdlog::error("{}", one_line(message_of(error)));
  }
  return static_cast<int>(ExitCode::kCannotGoOn);
}

}  // namespace

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<PredictCommand>());
  commands.push_back(std::make_unique<InspectCommand>());
  commands.push_back(std::make_unique<MergeCommand>());
  commands.push_back(std::make_unique<IntervalCommand>());
  commands.push_back(std::make_unique<CalibrateCommand>());
  commands.push_back(std::make_unique<EvaluateCommand>());
  commands.push_back(std::make_unique<ChangeCommand>());
  commands.push_back(std::make_unique<ReportCommand>());
  commands.push_back(std::make_unique<MapsCommand>());
  return commands;
}

int run_command_line(int argc, const char* const* argv) {
  const int exit_code = run_reporting_errors(argc, argv);
  // Whatever else was wrong: who reads stdout must not take a part of it for the whole.
  if (std::cout.flush()) return exit_code;
  if (exit_code != static_cast<int>(ExitCode::kCannotGoOn)) {
    spdlog::error("stdout cannot be written");
  }
  return static_cast<int>(ExitCode::kCannotGoOn);
}

}  // namespace mcvol

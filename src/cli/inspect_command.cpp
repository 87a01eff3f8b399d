#include "mcvol/cli/inspect_command.h"

#include "mcvol/cli/inspect_facts.h"

#include <iostream>

#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

constexpr const char* kInspectExample =
    "Example:\n"
    "  mcvol inspect models/glioma scans/case_07/case_07_t1.nii.gz\n"
    "  prints the dropout found in the network and where it begins, and the scan's grid.";

}  // namespace

void InspectCommand::setup(CLI::App& program) {
  command_ = CommandOptions(
      program, "inspect",
      "Say what a model, scan, record or result folder is, and what would be refused",
      kInspectExample);
  command_
      .add("paths", paths_,
           "Model bundles, scans (.nii.gz, .nii, .nrrd, .mha), records and calibrations (.json), "
           "result folders")
      .type_name("PATH")
      .required();
  command_.add_flag("--json", json_, "One JSON object per path and line");
}

ExitCode InspectCommand::run() {
  ExitCode worst = ExitCode::kSuccess;
  for (const std::filesystem::path& path : paths_) {
    const ExitCode code = inspect(path);
    if (worst == ExitCode::kSuccess) worst = code;
  }
  return worst;
}

ExitCode InspectCommand::inspect(const std::filesystem::path& path) const {
  Facts facts;
  facts["path"] = path.string();
  ExitCode code = ExitCode::kSuccess;
  try {
    const InspectedKind kind = kind_of(path);
    facts["kind"] = to_string(kind);
    facts.update(facts_of(path, kind));
  } catch (const Error& error) {
    facts["refused"] = message_of(error);
    code = error.exit_code();
    spdlog::error("{}", message_of(error));
  }
  if (json_) {
    std::cout << facts.dump() << std::endl;
  } else if (code == ExitCode::kSuccess) {
    std::cout << text_of(facts) << std::endl;
  }
  return code;
}

}  // namespace mcvol

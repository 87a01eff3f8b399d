#pragma once

#include "mcvol/cli/command.h"
#include "mcvol/cli/reference_options.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// `mcvol evaluate`: coverage and scores of intervals on scans of known volume.
class EvaluateCommand : public Command {
 public:
  void setup(CLI::App& program) override;
  ExitCode run() override;

 private:
  std::filesystem::path results_, output_;
  std::vector<std::string> levels_;
  std::string calibration_, threads_;
  ReferenceOptions references_;
  bool quiet_ = false;
};

}  // namespace mcvol

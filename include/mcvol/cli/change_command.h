#pragma once

#include "mcvol/cli/command.h"
#include "mcvol/cli/reference_options.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// `mcvol change`: how far the volumes of two scans of a subject lie apart, without inference.
class ChangeCommand : public Command {
 public:
  void setup(CLI::App& program) override;
  ExitCode run() override;

 private:
  std::filesystem::path results_, pairs_;
  std::vector<std::string> levels_;
  std::string calibration_, correlation_, growth_threshold_;
  ReferenceOptions references_;
  std::string output_, threads_;
  bool quiet_ = false;
};

}  // namespace mcvol

#pragma once

#include "mcvol/cli/command.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// `mcvol interval`: volumes.csv of a result folder at other levels, with another calibration or
/// another conversion, without inference.
class IntervalCommand : public Command {
 public:
  void setup(CLI::App& program) override;
  ExitCode run() override;

 private:
  std::filesystem::path results_;
  std::vector<std::string> levels_;
  std::string calibration_, quality_, sampler_, rho_, output_ = "-", threads_;
  bool quiet_ = false;
};

}  // namespace mcvol

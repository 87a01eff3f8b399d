#pragma once

#include "mcvol/cli/command.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// `mcvol maps`: images of measured cases from what was saved of them, without inference.
class MapsCommand : public Command {
 public:
  void setup(CLI::App& program) override;
  ExitCode run() override;

 private:
  std::filesystem::path results_;
  std::vector<std::string> save_{"segmentation,bounds"}, cases_, levels_;
  std::string calibration_;
  bool quiet_ = false;
};

}  // namespace mcvol

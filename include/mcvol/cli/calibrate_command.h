#pragma once

#include "mcvol/calibration/region_calibration.h"
#include "mcvol/cli/command.h"
#include "mcvol/cli/reference_options.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// `mcvol calibrate`: a calibration from measured scans of known volume.
class CalibrateCommand : public Command {
 public:
  void setup(CLI::App& program) override;
  ExitCode run() override;

 private:
  ExitCode plan() const;

  std::filesystem::path results_, groups_, output_ = "calibration.json";
  std::vector<std::string> levels_{"0.9"};
  std::string method_, strata_, threads_;
  ReferenceOptions references_;
  bool simulated_ = false, plan_ = false, quiet_ = false;
};

}  // namespace mcvol

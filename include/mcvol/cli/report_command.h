#pragma once

#include "mcvol/cli/command.h"

#include <filesystem>
#include <string>

namespace mcvol {

/// `mcvol report`: one self-contained HTML page of a result folder.
class ReportCommand : public Command {
 public:
  void setup(CLI::App& program) override;
  ExitCode run() override;

 private:
  std::filesystem::path results_;
  std::string level_, calibration_, output_, threads_;
  bool no_thumbnails_ = false, quiet_ = false;
};

}  // namespace mcvol

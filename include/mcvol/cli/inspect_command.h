#pragma once

#include "mcvol/cli/command.h"

#include <filesystem>
#include <vector>

namespace mcvol {

/// `mcvol inspect`: what a model, scan, record or result folder is, and what would be refused.
class InspectCommand : public Command {
 public:
  void setup(CLI::App& program) override;
  ExitCode run() override;

 private:
  ExitCode inspect(const std::filesystem::path& path) const;

  std::vector<std::filesystem::path> paths_;
  bool json_ = false;
};

}  // namespace mcvol

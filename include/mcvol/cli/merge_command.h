#pragma once

#include "mcvol/cli/command.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// `mcvol merge`: shards, or results of one run identity, → one result folder.
class MergeCommand : public Command {
 public:
  void setup(CLI::App& program) override;
  ExitCode run() override;

 private:
  std::vector<std::filesystem::path> results_;
  std::filesystem::path output_;
  std::vector<std::string> levels_;
  bool quiet_ = false;
};

}  // namespace mcvol

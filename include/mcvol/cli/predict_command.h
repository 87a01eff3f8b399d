#pragma once

#include "mcvol/cli/command.h"
#include "mcvol/pipeline/predict_options.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// `mcvol predict`: scans → case records and volumes.csv.
class PredictCommand : public Command {
 public:
  void setup(CLI::App& program) override;
  ExitCode run() override;

 private:
  void add_measurement_options();
  void add_machine_options();
  void add_output_options();
  PredictOptions options() const;
  ExitCode list() const;

  std::vector<std::filesystem::path> scans_;
  std::filesystem::path model_, output_, config_;
  std::string passes_ = "20", seed_ = "0", scope_, precision_ = "auto", calibration_, quality_,
              device_ = "auto";
  std::string memory_ = "4G", shard_, layout_ = "auto", print_, save_layout_ = "auto";
  std::vector<std::string> levels_{"0.9"}, save_;
  std::string tolerance_, threads_, space_;
  std::vector<std::string> cases_, participants_;
  bool fresh_ = false, no_thumbnails_ = false, list_ = false, quiet_ = false, verbose_ = false;
};

}  // namespace mcvol

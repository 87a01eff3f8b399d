#include "mcvol/cli/maps_command.h"

#include "mcvol/cli/logging.h"
#include "mcvol/pipeline/draw_maps.h"

#include "shared_options.h"
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

constexpr const char* kMapsExample =
    "Examples:\n"
    "  mcvol maps results --save segmentation,labels\n"
    "  mcvol maps results --save bounds --level 0.95 --case patient_07\n"
    "Images are made of the probability that mcvol predict --save probability kept.";

}  // namespace

void MapsCommand::setup(CLI::App& program) {
  command_ = CommandOptions(program, "maps",
                            "Images of measured cases from their saved probability, without "
                            "inference",
                            kMapsExample);
  add_results(command_, results_);
  command_
      .add("--save", save_,
           "Images that are to be in RESULTS/maps, as those of mcvol predict; several with "
           "commas")
      .type_name("KINDS")
      .one_value_at_a_time()
      .show_default();
  command_.add("--case", cases_, "A case to draw them of; repeatable (default: all)")
      .type_name("ID")
      .one_value_at_a_time();
  add_levels(command_, levels_);
  add_calibration(command_, calibration_);
  command_.add_flag("--quiet", quiet_, "Nothing on stderr unless the exit code is not 0");
}

ExitCode MapsCommand::run() {
  if (quiet_) set_up_logging(Verbosity::kQuiet);
  DrawMapsOptions options;
  options.results = results_;
  options.cases = cases_;
  options.save = MapChoice::parse(save_);
  if (!options.save.any()) throw UsageError("--save: no kind of image given");
  for (const char* of_bounds : {"--level", "--calibration"}) {
    if (command_.given(of_bounds) && !options.save.bounds) {
      throw UsageError(std::string(of_bounds) + " goes with bounds among --save");
    }
  }
  options.levels = parse_levels(levels_);
  options.calibration = CalibrationChoice::parse(calibration_);
  const DrawMapsReport report = draw_maps(options);
  for (const std::string& line : report.unreadable) spdlog::error("{}", line);
  for (const std::string& line : report.without) spdlog::error("{}", line);
  spdlog::info("{}: images of {} case(s) drawn, {} had them, {} without",
               (results_ / "maps").string(), report.drawn, report.kept,
               report.without.size() + report.unreadable.size());
  const bool whole = report.unreadable.empty() && report.without.empty();
  return whole ? ExitCode::kSuccess : ExitCode::kScanFailed;
}

}  // namespace mcvol

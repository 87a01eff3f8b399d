#include "shared_options.h"

namespace mcvol {

void add_results(CLI::App& command, std::filesystem::path& results) {
  command.add_option("results", results, "Result folder")->type_name("RESULTS")->required();
}

CLI::Option* add_references(CLI::App& command, std::string& references, std::string& label_map) {
  CLI::Option* option = command.add_option(
      "--references", references,
      "Reference volumes: a CSV file (case_id, region, volume_ml) or a folder of label maps");
  option->type_name("FILE|DIR");
  command
      .add_option("--label-map", label_map,
                  "What values of label maps stand for in the model, such as 3=4,10=0")
      ->type_name("A=B,…");
  return option;
}

void add_levels(CLI::App& command, std::vector<std::string>& levels) {
  command
      .add_option("--level", levels,
                  "Coverage of the intervals, above 0 and below 1; repeatable (default: those of "
                  "the run)")
      ->type_name("P")
      ->allow_extra_args(false);
}

void add_calibration(CLI::App& command, std::string& calibration) {
  command
      .add_option("--calibration", calibration,
                  "Calibration to apply, or none (default: the one in the result folder)")
      ->type_name("FILE|none");
}

void add_threads_and_quiet(CLI::App& command, std::string& threads, bool& quiet) {
  command.add_option("--threads", threads, "CPU threads (default: as mcvol predict)")
      ->type_name("N");
  command.add_flag("--quiet", quiet, "Nothing on stderr unless the exit code is not 0");
}

}  // namespace mcvol

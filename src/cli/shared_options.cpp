#include "shared_options.h"

#include "mcvol/cli/option_values.h"

#include <spdlog/spdlog.h>

namespace mcvol {

void add_results(CommandOptions& command, std::filesystem::path& results) {
  command.add("results", results, "Result folder").type_name("RESULTS").required();
}

ReferenceSource ReferenceOptions::source() const {
  ReferenceSource source;
  source.path = path;
  source.segmentations = segmentations;
  source.label_map = parse_label_mapping(label_map);
  source.accept = accept;
  source.said = [](const ReferencedResults& results) {
    for (const std::string& fact : results.facts) spdlog::info("{}", fact);
    for (const std::string& note : results.notes) spdlog::warn("{}", note);
    for (const std::string& line : results.left_out) spdlog::error("{}", line);
  };
  return source;
}

OptionDeclaration add_references(CommandOptions& command, ReferenceOptions& references) {
  OptionDeclaration option = command.add(
      "--references", references.path,
      "Reference volumes: a CSV file (case_id, region, volume_ml) or a folder of label maps");
  option.type_name("FILE|DIR");
  command
      .add("--label-map", references.label_map,
           "What values of label maps stand for in the model, such as 3=4,10=0")
      .type_name("A=B,…");
  command.add_flag("--accept-references", references.accept,
                   "Use references that look like another unit, region or label as they are");
  return option;
}

void add_segmentations(CommandOptions& command, ReferenceOptions& references) {
  command
      .add("--segmentations", references.segmentations,
           "Label maps beside a table of reference volumes: what the Dice is taken with")
      .type_name("DIR");
}

void add_levels(CommandOptions& command, std::vector<std::string>& levels) {
  command
      .add("--level", levels,
           "Coverage of the intervals, above 0 and below 1; repeatable (default: those of "
           "the run)")
      .type_name("P")
      .one_value_at_a_time();
}

void add_calibration(CommandOptions& command, std::string& calibration) {
  command
      .add("--calibration", calibration,
           "Calibration to apply, or none (default: the one in the result folder)")
      .type_name("FILE|none");
}

void add_quality(CommandOptions& command, std::string& quality, const std::string& otherwise) {
  command
      .add("--quality", quality,
           "Flag segmentations low_quality whose expected Dice is this or less, 0 to 1 (default: " +
               otherwise + ")")
      .type_name("DICE");
}

std::optional<double> least_dice_from(const std::string& quality) {
  if (quality.empty()) return std::nullopt;
  return number_from("--quality", quality, 0, 1);
}

void add_threads_and_quiet(CommandOptions& command, std::string& threads, bool& quiet) {
  command.add("--threads", threads, "CPU threads (default: as mcvol predict)").type_name("N");
  command.add_flag("--quiet", quiet, "Nothing on stderr unless the exit code is not 0");
}

}  // namespace mcvol

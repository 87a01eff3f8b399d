#pragma once

#include "mcvol/cli/command_options.h"
#include "mcvol/cli/reference_options.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// Options that several commands have: declared once, so that they read and behave alike.

namespace mcvol {

/// The result folder to work on.
void add_results(CommandOptions& command, std::filesystem::path& results);
/// --references, --label-map and --accept-references; returns the first.
OptionDeclaration add_references(CommandOptions& command, ReferenceOptions& references);
/// --segmentations, of commands that compare them.
void add_segmentations(CommandOptions& command, ReferenceOptions& references);
/// --level, by default those of the run.
void add_levels(CommandOptions& command, std::vector<std::string>& levels);
/// --calibration, by default the one in the result folder.
void add_calibration(CommandOptions& command, std::string& calibration);
/// --quality. @param otherwise where the limit comes from without it.
void add_quality(CommandOptions& command, std::string& quality, const std::string& otherwise);
/// @param quality none of "". @throws UsageError.
std::optional<double> least_dice_from(const std::string& quality);
/// --threads and --quiet.
void add_threads_and_quiet(CommandOptions& command, std::string& threads, bool& quiet);

}  // namespace mcvol

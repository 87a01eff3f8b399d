#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

// Options that several commands have: declared once, so that they read and behave alike.

namespace mcvol {

/// The result folder to work on.
void add_results(CLI::App& command, std::filesystem::path& results);
/// --references and --label-map; returns the first.
CLI::Option* add_references(CLI::App& command, std::string& references, std::string& label_map);
/// --level, by default those of the run.
void add_levels(CLI::App& command, std::vector<std::string>& levels);
/// --calibration, by default the one in the result folder.
void add_calibration(CLI::App& command, std::string& calibration);
/// --threads and --quiet.
void add_threads_and_quiet(CLI::App& command, std::string& threads, bool& quiet);

}  // namespace mcvol

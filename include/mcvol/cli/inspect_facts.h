#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace mcvol {

/// In the order they are printed in.
using Facts = nlohmann::ordered_json;

enum class InspectedKind { kBundle, kScan, kRecord, kCalibration, kResults };
std::string to_string(InspectedKind kind);

/// What a path is, by its name and what lies in it.
/// @throws UsageError for what mcvol does not know, saying what it does.
InspectedKind kind_of(const std::filesystem::path& path);

/// Reads and checks everything there; for a bundle the network is loaded, on the CPU.
/// @throws Error of the kind that using it would give.
Facts facts_of(const std::filesystem::path& path, InspectedKind kind);

/// Facts as indented "name: value" lines.
std::string text_of(const Facts& facts, int indent = 0);

}  // namespace mcvol

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol::testing {

/// Whether this build has a validator of JSON Schema (libvalijson-dev).
bool have_json_schema();

/// What `document` breaks of a schema (draft 7); empty if it is valid.
std::vector<std::string> schema_errors(const std::filesystem::path& schema,
                                       const nlohmann::json& document);

}  // namespace mcvol::testing

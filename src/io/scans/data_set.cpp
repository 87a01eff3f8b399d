#include "mcvol/io/scans/data_set.h"

#include "mcvol/error/error.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/text_file.h"

#include <exception>
#include <system_error>

#include <nlohmann/json.hpp>

namespace mcvol {

bool is_data_set_of_mcvol(const std::filesystem::path& folder) {
  const std::filesystem::path description = folder / "dataset_description.json";
  std::error_code error;
  if (!std::filesystem::is_regular_file(description, error)) return false;
  try {
    const nlohmann::json whole =
        parse_json(read_file(description), description.string(),
                   [](const std::string& message) { throw Error(message); });
    for (const nlohmann::json& tool : whole.value("GeneratedBy", nlohmann::json::array())) {
      if (tool.is_object() && tool.value("Name", "") == "mcvol") return true;
    }
  } catch (const std::exception&) {
    // Whoever wrote it, it was not this program.
  }
  return false;
}

}  // namespace mcvol

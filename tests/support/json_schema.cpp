#include "support/json_schema.h"

#include <fstream>
#include <stdexcept>

#ifdef MCVOL_HAVE_VALIJSON
// valijson 1.0 leaves this to its users.
#include <optional>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#endif

namespace mcvol::testing {

#ifdef MCVOL_HAVE_VALIJSON

bool have_json_schema() { return true; }

std::vector<std::string> schema_errors(const std::filesystem::path& schema,
                                       const nlohmann::json& document) {
  using Adapter = valijson::adapters::NlohmannJsonAdapter;
  std::ifstream stream(schema);
  const nlohmann::json text = nlohmann::json::parse(stream);
  valijson::Schema parsed;
  valijson::SchemaParser().populateSchema(Adapter(text), parsed);
  valijson::ValidationResults results;
  valijson::Validator().validate(parsed, Adapter(document), &results);
  std::vector<std::string> errors;
  for (valijson::ValidationResults::Error error; results.popError(error);) {
    std::string where;
    for (const std::string& step : error.context) where += step;
    errors.push_back(where + ": " + error.description);
  }
  return errors;
}

#else

bool have_json_schema() { return false; }

std::vector<std::string> schema_errors(const std::filesystem::path&, const nlohmann::json&) {
  throw std::logic_error("built without libvalijson-dev");
}

#endif

}  // namespace mcvol::testing

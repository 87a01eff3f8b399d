#include "mcvol/io/tables/volume_row.h"

#include "mcvol/calibration/nominal_coverage.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/text.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

nlohmann::ordered_json number_or_null(const std::optional<double>& number) {
  if (!number || !std::isfinite(*number)) return nullptr;
  return *number;
}

nlohmann::ordered_json text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return text;
}

}  // namespace

std::string volume_csv_header() {
  return "case_id,region,level,volume_ml,lower_ml,upper_ml,raw_volume_ml,raw_lower_ml,raw_upper_ml,"
         "segmented_ml,passes,status,flags,error,model,calibration,foci,largest_focus_share,dice,"
         "dice_lower\n";
}

std::string to_csv(const VolumeRow& row) {
  const std::vector<std::string> fields = {csv_field(row.case_id),
                                           csv_field(row.region),
                                           csv_field(row.level),
                                           decimal_text(row.volume_ml, kMlDecimals),
                                           decimal_text(row.lower_ml, kMlDecimals),
                                           decimal_text(row.upper_ml, kMlDecimals),
                                           decimal_text(row.raw_volume_ml, kMlDecimals),
                                           decimal_text(row.raw_lower_ml, kMlDecimals),
                                           decimal_text(row.raw_upper_ml, kMlDecimals),
                                           decimal_text(row.segmented_ml, kMlDecimals),
                                           row.passes ? std::to_string(*row.passes) : "",
                                           csv_field(row.status),
                                           csv_field(joined(row.flags, ";")),
                                           csv_field(row.error),
                                           csv_field(row.model),
                                           csv_field(row.calibration),
                                           row.foci ? std::to_string(*row.foci) : "",
                                           decimal_text(row.largest_focus_share, kShareDecimals),
                                           decimal_text(row.dice, kShareDecimals),
                                           decimal_text(row.dice_lower, kShareDecimals)};
  return joined(fields, ",") + "\n";
}

std::string to_json_line(const VolumeRow& row) {
  nlohmann::ordered_json json = {{"case_id", row.case_id},
                                 {"region", text_or_null(row.region)},
                                 {"level", nullptr},
                                 {"volume_ml", number_or_null(row.volume_ml)},
                                 {"lower_ml", number_or_null(row.lower_ml)},
                                 {"upper_ml", number_or_null(row.upper_ml)},
                                 {"raw_volume_ml", number_or_null(row.raw_volume_ml)},
                                 {"raw_lower_ml", number_or_null(row.raw_lower_ml)},
                                 {"raw_upper_ml", number_or_null(row.raw_upper_ml)},
                                 {"segmented_ml", number_or_null(row.segmented_ml)},
                                 {"passes", nullptr},
                                 {"status", row.status},
                                 {"flags", row.flags},
                                 {"error", text_or_null(row.error)},
                                 {"model", text_or_null(row.model)},
                                 {"calibration", text_or_null(row.calibration)},
                                 {"foci", nullptr},
                                 {"largest_focus_share", number_or_null(row.largest_focus_share)},
                                 {"dice", number_or_null(row.dice)},
                                 {"dice_lower", number_or_null(row.dice_lower)}};
  if (!row.level.empty()) json["level"] = NominalCoverage::parse(row.level).value;
  if (row.passes) json["passes"] = *row.passes;
  if (row.foci) json["foci"] = *row.foci;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace mcvol

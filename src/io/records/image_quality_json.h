#pragma once

#include "mcvol/files/json_fields.h"
#include "mcvol/image/image_quality.h"

#include <nlohmann/json.hpp>

namespace mcvol {

nlohmann::ordered_json json_of_quality(const ImageQuality& quality);

/// Checks it completely. @param channels of the scan. @throws through `fail`, as `fields` does.
ImageQuality quality_from_json(JsonFields fields, std::size_t channels, const JsonFail& fail);

}  // namespace mcvol

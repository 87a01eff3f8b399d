#pragma once

#include "mcvol/files/json_fields.h"
#include "mcvol/io/records/case_record.h"

#include <nlohmann/json.hpp>

namespace mcvol {

/// Of the records written; older ones are read, newer ones refused.
inline constexpr std::int64_t kCaseRecordFormat = 4;

/// Checks a record completely. @throws through `fail`, which names the file.
CaseRecord case_record_from_json(const nlohmann::json& whole, const JsonFail& fail);

/// Refuses RegionRecord::agreement, the field "agreement", where it does not count every voxel once
/// or is not of these passes.
void require_agreement_of_passes(const JsonFields& fields, const RegionRecord& region);

}  // namespace mcvol

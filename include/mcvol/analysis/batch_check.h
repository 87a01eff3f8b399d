#pragma once

#include "mcvol/io/records/case_record.h"
#include "mcvol/quality/batch_comparison.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol {

struct AppliedCalibration;

/// Whether the scans of a table are, as a whole, of the calibration's kind.
struct BatchCheck {
  std::size_t scans = 0, calibration_scans = 0;
  BatchComparison comparison;

  /// Of batches drawn like the calibration's scans 1 % do.
  bool differs() const { return comparison.p_value < 0.01; }
  /// "the 80 scans differ from the 300 of the calibration (p = 0.0005): noise (flair) larger, …".
  std::string words() const;
};

/// run.json's `batch`, and back. @throws Error for another object.
nlohmann::json json_of(const BatchCheck& check);
BatchCheck batch_check_from(const nlohmann::json& json);

/// Gathers the scans of a table as it grows.
class BatchScans {
 public:
  /// Takes a record in place of that it has of the case; not those that findings_of() has nothing
  /// to say of, nor scans that the calibration was made on.
  void put(const CaseRecord& record, const AppliedCalibration* calibration);
  /// None of fewer than two scans.
  std::optional<BatchCheck> check(const AppliedCalibration* calibration) const;

 private:
  std::map<std::string, ImageQuality> scans_;  ///< by case_id
  std::vector<std::string> channels_;          ///< names
};

}  // namespace mcvol

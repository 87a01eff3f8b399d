#pragma once

#include "mcvol/io/records/case_record.h"
#include "mcvol/quality/batch_comparison.h"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
  /// "the 80 scans differ from the 300 of the calibration (p = 0.0005): noise (flair) larger, …;
  /// the calibration promises its coverage for scans like its own", or that they do not.
  std::string words() const;
};

/// run.json's `batch`.
nlohmann::json json_of(const BatchCheck& check);

/// Gathers the scans of a table as it grows.
class BatchScans {
 public:
  /// @param calibration may be null: then nothing is gathered.
  explicit BatchScans(std::shared_ptr<const AppliedCalibration> calibration)
      : calibration_(std::move(calibration)) {}

  /// Takes a record in place of that it has of the case; not those that findings_of() has nothing
  /// to say of. @throws InputError as findings_of().
  void put(const CaseRecord& record);
  /// None of fewer than two scans.
  std::optional<BatchCheck> check() const;

 private:
  std::shared_ptr<const AppliedCalibration> calibration_;
  std::map<std::string, ImageQuality> scans_;  ///< by case_id
  std::vector<std::string> channels_;          ///< names
};

}  // namespace mcvol

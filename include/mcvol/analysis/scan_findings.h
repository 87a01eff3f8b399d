#pragma once

#include "mcvol/analysis/volume_table.h"

#include <string>
#include <vector>

namespace mcvol {

/// Of scans drawn like the calibration's, the share that carries `unlike_calibration`, at most; and
/// each of the flags of a fault. Fewer scans than these take say nothing of any.
inline constexpr double kMostUnlike = 0.02, kMostFaulty = 0.01;
/// Odds of a fault, as if numbers were normal, below which a scan that is the oddest of its kind is
/// still more likely to be right.
inline constexpr double kLeastFaultOdds = 20;

/// What a scan's image quality metrics say of it, beside those of the calibration's scans.
struct ScanFinding {
  std::string flag;   ///< `unlike_calibration`, `channels_exchanged`, `wrong_orientation`
  std::string words;  ///< for the log: "t1 and flair look exchanged"; none of unlike_calibration
};

/// Whether there is anything to compare: a measured record with image quality metrics, to which a
/// calibration that knows what its scans look like applies, and not of one of these.
/// @param calibration may be null. @throws InputError for a record of other channels.
bool is_comparable(const CaseRecord& record, const AppliedCalibration* calibration);

/// None of what is not comparable. @param calibration may be null. @throws InputError likewise.
std::vector<ScanFinding> findings_of(const CaseRecord& record,
                                     const AppliedCalibration* calibration);

}  // namespace mcvol

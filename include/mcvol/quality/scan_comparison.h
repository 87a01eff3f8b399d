#pragma once

#include "mcvol/image/image_quality.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace mcvol {

/// What may have happened to a scan before it was measured.
struct ScanFault {
  double p_value = 1;  ///< of the calibration scans and this one, how many look as much like it
  /// Log odds that the scan has the likeliest fault of its kind, against none, as if numbers were
  /// normal; its sign says which of the two fits better.
  double log_odds = 0;
  std::size_t first = 0, second = 0;  ///< the channels exchanged, or the axes; equal: reversed
};

/// Compares scans one by one with those of a calibration, by their image quality metrics
/// (docs/method.md, "Scans unlike the calibration's"). All p-values are conformal: the scan in
/// question takes part in everything that is estimated, so that for a scan drawn like the others
/// P(p <= a) <= a for every a, whatever the numbers' distribution.
class ScanComparison {
 public:
  /// @param scans of the calibration, of as many channels each.
  /// @throws Error for none, and for scans of different numbers of channels.
  explicit ScanComparison(std::vector<ImageQuality> scans);
  ~ScanComparison();
  ScanComparison(ScanComparison&&) noexcept;
  ScanComparison& operator=(ScanComparison&&) noexcept;

  const std::vector<ImageQuality>& scans() const { return scans_; }

  // All of these throw Error for a scan of another number of channels.

  /// p-value of how far the scan's numbers lie from the others'.
  double p_value(const ImageQuality& scan) const;
  /// Whether two channels have each other's place; none where there is a single one.
  std::optional<ScanFault> exchanged_channels(const ImageQuality& scan) const;
  /// Whether an axis runs the other way or two are exchanged.
  ScanFault wrong_orientation(const ImageQuality& scan) const;

 private:
  struct Tables;
  void require_channels(const ImageQuality& scan) const;

  std::vector<ImageQuality> scans_;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace mcvol

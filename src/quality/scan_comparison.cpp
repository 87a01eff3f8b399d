#include "mcvol/quality/scan_comparison.h"

#include "mcvol/error/error.h"
#include "mcvol/image/quality_changes.h"

#include <utility>

#include "leverage.h"
#include "scan_faults.h"
#include "scan_numbers.h"

namespace mcvol {

struct ScanComparison::Tables {
  Leverages all;
  ScanFaults channels{channel_numbers}, orientation{orientation_numbers};

  explicit Tables(const std::vector<ImageQuality>& scans) : all(number_rows(scans, all_numbers)) {
    const std::size_t count = scans.front().channels.size();
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = a + 1; b < count; ++b) {
        channels.add(scans, a, b, [a, b](const ImageQuality& scan) {
          return with_channels_exchanged(scan, a, b);
        });
      }
    }
    for (std::size_t a = 0; a < 3; ++a) {
      orientation.add(scans, a, a,
                      [a](const ImageQuality& scan) { return with_axis_reversed(scan, a); });
      for (std::size_t b = a + 1; b < 3; ++b) {
        orientation.add(scans, a, b, [a, b](const ImageQuality& scan) {
          return with_axes_exchanged(scan, a, b);
        });
      }
    }
  }
};

ScanComparison::ScanComparison(std::vector<ImageQuality> scans) : scans_(std::move(scans)) {
  if (scans_.empty()) throw Error("scans to compare with: expected at least one");
  for (const ImageQuality& scan : scans_) require_channels(scan);
  tables_ = std::make_unique<const Tables>(scans_);
}
ScanComparison::~ScanComparison() = default;
ScanComparison::ScanComparison(ScanComparison&&) noexcept = default;
ScanComparison& ScanComparison::operator=(ScanComparison&&) noexcept = default;

void ScanComparison::require_channels(const ImageQuality& scan) const {
  const std::size_t expected = scans_.front().channels.size();
  if (scan.channels.size() == expected) return;
  throw Error("a scan of " + std::to_string(scan.channels.size()) + " channels, expected " +
              std::to_string(expected) + " as of the scans it is compared with");
}

double ScanComparison::p_value(const ImageQuality& scan) const {
  require_channels(scan);
  return share_from_first(tables_->all.with(all_numbers(scan)));
}

std::optional<ScanFault> ScanComparison::exchanged_channels(const ImageQuality& scan) const {
  require_channels(scan);
  if (scan.channels.size() < 2) return std::nullopt;
  return tables_->channels.of(scan);
}

ScanFault ScanComparison::wrong_orientation(const ImageQuality& scan) const {
  require_channels(scan);
  return tables_->orientation.of(scan);
}

}  // namespace mcvol

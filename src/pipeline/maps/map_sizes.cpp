#include "map_sizes.h"

#include "mcvol/io/images/image_header.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <vector>

namespace mcvol {
namespace {

// Bytes a voxel once gzipped, as large as was met with networks that work at 1 mm; half to a
// quarter of these where they work at 2 mm.
constexpr double kSteps_bytes = 0.2;       ///< of a probability, its sd or its entropy
constexpr double kAgreement_bytes = 0.06;  ///< a few values, mostly 0
constexpr double kSet_bytes = 0.005;       ///< of 0 and 1, or a few labels

/// Reading a header takes milliseconds where the disk is near, and scans of a study are alike.
constexpr std::size_t kMostHeaders = 16;

}  // namespace

double map_bytes(double voxels, std::size_t regions, std::size_t levels, const MapChoice& choice) {
  double of_region = 0;
  for (const bool steps : {choice.probability, choice.sd, choice.entropy}) {
    if (steps) of_region += kSteps_bytes;
  }
  if (choice.agreement) of_region += kAgreement_bytes;
  if (choice.segmentation) of_region += kSet_bytes;
  if (choice.bounds) of_region += 2 * kSet_bytes * static_cast<double>(levels);
  const double of_scan = choice.labels ? kSet_bytes : 0.0;
  return voxels * (of_region * static_cast<double>(regions) + of_scan);
}

std::optional<MapSizes> map_sizes(const PredictPlan& plan, std::size_t levels,
                                  const MapChoice& choice) {
  std::vector<const ScanCase*> scans;
  for (const PlannedCase& planned : plan.cases) {
    if (planned.action == CaseAction::kMeasure) scans.push_back(&planned.scan);
  }
  double voxels = 0;
  int read = 0;
  const std::size_t headers = std::min(kMostHeaders, scans.size());
  for (std::size_t n = 0; n < headers; ++n) {
    try {
      const auto& files = scans[n * scans.size() / headers]->channel_files;
      voxels += static_cast<double>(read_image_header(files.at(0)).grid.voxel_count());
      ++read;
    } catch (const std::exception&) {
      // It will be a failed case, which has no images.
    }
  }
  if (read == 0) return std::nullopt;
  MapSizes sizes;
  sizes.cases = static_cast<int>(scans.size());
  sizes.bytes = sizes.cases * map_bytes(voxels / read, plan.bundle.regions.size(), levels, choice);
  return sizes;
}

std::string bytes_in_words(double bytes) {
  constexpr std::array<const char*, 5> kUnits{"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), bytes < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes,
                kUnits[unit]);
  return text.data();
}

}  // namespace mcvol

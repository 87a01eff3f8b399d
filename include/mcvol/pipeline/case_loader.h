#pragma once

#include "mcvol/image/image_quality.h"
#include "mcvol/image/prepared_scan.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/scans/scan_discovery.h"
#include "mcvol/io/scans/scan_loader.h"
#include "mcvol/timing/stage_timings.h"

#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// load_scan(), or what stands in for it.
using ScanLoader = std::function<PreparedScan(const std::vector<ImageSource>&,
                                              const ScanPreparation&, StageTimings&)>;

/// Intensities as the files have them, on the network's grid: [channel, non-zero voxel of
/// PreparedScan::brain by ascending offset].
using BrainIntensities = std::vector<std::vector<float>>;

/// A case ready for the network, or why it is not.
struct LoadedCase {
  PreparedScan scan;
  std::vector<InputFile> inputs;  ///< as far as they could be read
  std::string error;              ///< one line; empty when the scan can be used
  bool out_of_memory = false;     ///< a second try may succeed when other scans are gone
  StageTimings timings;           ///< of `read` and `prepare`
  BrainIntensities shown;         ///< of the channels to show
  std::optional<ImageQuality> image_quality;  ///< none without a brain
};

/// Loads scans ahead, each on a thread of its own, while the network works on another.
class CaseLoader {
 public:
  /// @param shown channels whose intensities are kept for pictures.
  CaseLoader(ScanLoader loader, ScanPreparation preparation, std::vector<std::string> channels,
             std::vector<std::size_t> shown = {});

  /// Starts loading a case; cases must be taken in the order in which they are started.
  void start(const ScanCase& scan);
  std::size_t started() const { return started_.size(); }
  /// The case's scan: the one started first, if any is, else loaded now. Never throws for what is
  /// wrong with it.
  LoadedCase take(const ScanCase& scan);

 private:
  LoadedCase load(const ScanCase& scan) const;
  struct Started {
    ScanCase scan;
    std::future<LoadedCase> loaded;  ///< waits for its thread when destroyed
  };

  ScanLoader loader_;
  ScanPreparation preparation_;
  std::vector<std::string> channels_;
  std::vector<std::size_t> shown_;
  std::deque<Started> started_;
};

/// What went wrong with a case, as one line that names files without their folders: records are
/// passed on, and say nothing about the machine they were made on.
std::string case_error(const std::exception& exception, const ScanCase& scan);

}  // namespace mcvol

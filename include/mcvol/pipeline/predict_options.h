#pragma once

#include "mcvol/analysis/calibration_use.h"
#include "mcvol/calibration/nominal_coverage.h"
#include "mcvol/io/maps/map_choice.h"
#include "mcvol/io/maps/map_layout.h"
#include "mcvol/io/scans/scan_discovery.h"
#include "mcvol/io/tables/volume_row.h"
#include "mcvol/network/bundle/bundle.h"
#include "mcvol/network/segmenter/segmenter.h"
#include "mcvol/pipeline/shard.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol {

/// What `mcvol predict` is asked to do.
struct PredictOptions {
  std::vector<std::filesystem::path> scans;  ///< folders or manifests
  std::filesystem::path model;               ///< the bundle's folder
  std::filesystem::path output;              ///< the result folder; planning needs none

  static constexpr int kMostPasses = 10'000;
  static constexpr int kMostThreads = 1024;
  static constexpr std::int64_t kLeastMemory_bytes = std::int64_t{64} << 20;
  static constexpr std::int64_t kMostMemory_bytes = std::int64_t{1} << 50;

  int passes = 20;  ///< Monte Carlo passes, 1 to kMostPasses
  /// Not none: as many passes, in place of `passes`, as it takes for the Monte Carlo error of an
  /// interval's bounds to be this share of its width, above 0 to 1 (pipeline/sample_passes.h).
  std::optional<double> mc_tolerance;
  static constexpr double kUsualTolerance = 0.1;
  std::uint64_t seed = 0;  ///< of the dropout masks
  std::vector<NominalCoverage> levels = parse_levels({"0.9"});
  std::optional<DropoutScope> scope;   ///< none: the bundle's
  std::optional<Precision> precision;  ///< none: the calibration's, else fp32
  ScanSearch search;
  std::vector<std::string> only_cases;         ///< case_ids to take; empty: all
  std::vector<std::string> only_participants;  ///< BIDS subjects, with or without "sub-"; likewise
  std::optional<Shard> shard;                  ///< none: every case
  bool fresh = false;                          ///< measure every case again
  bool thumbnails = true;  ///< keep a slice of each scan measured, for the page to show
  MapChoice save;          ///< images to keep of each case
  std::optional<MapLayout> save_layout;  ///< of these images; none: chosen_map_layout() decides
  CalibrationChoice calibration;
  std::optional<double> least_dice;  ///< AppliedCalibration::least_dice

  std::string device = "auto";  ///< auto, cpu, cuda or cuda:N
  int threads = 0;              ///< 0: default_thread_count()
  /// For the network's work, kLeastMemory_bytes to kMostMemory_bytes. Decides on the numbers only
  /// where the bundle's window is flexible.
  std::int64_t memory_bytes = std::int64_t{4} << 30;
  /// volumes.csv is brought up to date no more often than this while the run goes on.
  double table_interval_s = 30.0;

  std::string version, commit;                          ///< of mcvol, for run.json
  nlohmann::json libraries = nlohmann::json::object();  ///< name -> version, for run.json

  /// @throws UsageError naming the option, what is allowed and what was found.
  void validate() const;
};

/// A size such as "4G", "512M", "2.5GiB" or a number of bytes: powers of 1024, a fraction of a byte
/// dropped.
/// @throws UsageError unless it is kLeastMemory_bytes to kMostMemory_bytes.
std::int64_t parse_memory(const std::string& text);

/// The options as run.json keeps them: resolved, without paths; the levels have a place of their
/// own there.
nlohmann::json json_of(const PredictOptions& options, DropoutScope scope, Precision precision,
                       int threads);

}  // namespace mcvol

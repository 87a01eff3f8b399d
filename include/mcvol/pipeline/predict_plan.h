#pragma once

#include "mcvol/io/scans/scan_discovery.h"
#include "mcvol/io/scans/scan_loader.h"
#include "mcvol/network/bundle/bundle.h"
#include "mcvol/pipeline/predict_options.h"
#include "mcvol/pipeline/result_folder.h"

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol {

enum class CaseAction {
  kKeep,     ///< has a record that still holds
  kMeasure,  ///< to be measured
  kRefuse,   ///< cannot be measured; gets a failed record
};

struct PlannedCase {
  ScanCase scan;
  CaseAction action = CaseAction::kMeasure;
  std::string reason;  ///< one line; empty for a case that is simply new
};

/// What a run would do, found out by reading names, the bundle and records: no scan and no network
/// is loaded.
struct PredictPlan {
  Bundle bundle;
  DropoutScope scope = DropoutScope::kChannel;
  Precision precision = Precision::kFp32;  ///< of the network, resolved
  nlohmann::json identity;                 ///< run_identity_of()
  std::string identity_sha256;             ///< CaseRecord::run_identity
  std::filesystem::path folder;            ///< the result folder, or the shard's own
  CalibrationPointer calibration;          ///< to be applied; may be null
  std::filesystem::path calibration_file;
  std::vector<PlannedCase> cases;    ///< sorted by case_id (bytes); of the shard only
  std::vector<std::string> notes;    ///< of the calibration chosen, a line each
  std::vector<std::string> ignored;  ///< files and folders passed over, with the reason
  /// Of all cases found, sorted: those of other shards and those not picked too.
  std::vector<std::string> found_ids;
  bool by_number = false;                    ///< ScanDiscovery::by_number
  MapLayout map_layout = MapLayout::kCases;  ///< of the images to save

  int count(CaseAction action) const;
};

/// Reads the bundle, finds the scans and takes the shard's; every case is kMeasure or kRefuse.
/// @throws UsageError, also for passes that the networks of an ensemble cannot share evenly;
///   ModelError; and Error where there is nothing to measure.
PredictPlan plan_scans(const PredictOptions& options);

/// Holds the run identity against the folder's run.json.
/// @throws UsageError naming the field that differs, unless `fresh`.
void check_run_identity(const PredictPlan& plan, bool fresh);

/// Marks as kKeep the cases whose record was made under this run identity of the same bytes, and
/// whose images to be saved are there.
void keep_finished(PredictPlan& plan, const ResultFolder& results, bool fresh,
                   const MapChoice& save = {});

/// The bundle's channels as scans are searched for and loaded.
std::vector<ChannelPattern> channel_patterns(const Bundle& bundle);
std::vector<std::string> channel_names(const Bundle& bundle);
ScanPreparation preparation_of(const Bundle& bundle);
std::vector<std::string> region_names(const Bundle& bundle);
/// "t1=a_t1.nii.gz, flair=a_flair.nii.gz": which file was taken for which channel; empty of a case
/// that has not got all of them.
std::string describe_channel_files(const Bundle& bundle, const ScanCase& scan);

}  // namespace mcvol

#pragma once

#include "mcvol/analysis/run_identity.h"
#include "mcvol/files/sha256.h"
#include "mcvol/files/text.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/records/run_file.h"

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "calibration/synthetic_scans.h"
#include "quality/drawn_scans.h"

// Result folders of synthetic scans whose volumes are known.

namespace mcvol::testing {

inline nlohmann::json synthetic_identity(int seed = 0) {
  return {{"model", {{"channels", {{{"name", "t1"}}}}}},
          {"networks", {"n"}},
          {"scope", "channel"},
          {"passes", 3},
          {"seed", seed}};
}

/// Two regions that look the same, so that one can be told from the other by its references only.
inline CaseRecord record_of(const SyntheticScan& scan, const nlohmann::json& identity) {
  CaseRecord record;
  record.case_id = scan.case_id;
  record.run_identity = sha256_of_identity(identity);
  record.model = std::string(64, 'b');
  record.inputs = {{"t1", scan.case_id + "_t1.nii.gz", sha256_of_bytes(scan.case_id), 1, 1}};
  std::seed_seq seed(scan.case_id.begin(), scan.case_id.end());
  std::mt19937_64 generator(seed);
  record.image_quality = testing_support::drawn_scan(generator);
  record.image_quality->channels.resize(1);
  record.grid.size = {100, 50, 40};
  record.grid.spacing_mm = {2, 2, 2};
  record.passes = static_cast<int>(scan.passes.size());
  for (const char* name : {"whole", "core"}) {
    record.regions.push_back({name,
                              scan.passes,
                              scan.passes.front(),
                              {scan.passes.back()},
                              {},
                              {},
                              nested_agreement(scan.passes)});
  }
  return record;
}

inline void write_synthetic_results(const std::filesystem::path& folder,
                                    const std::vector<SyntheticScan>& scans, int seed = 0) {
  const nlohmann::json identity = synthetic_identity(seed);
  for (const SyntheticScan& scan : scans) {
    write_case_record(record_of(scan, identity), case_record_path(folder, scan.case_id));
  }
  RunFile run;
  run.state = RunFile::State::kComplete;
  run.found = run.done = static_cast<int>(scans.size());
  run.levels = {"0.9"};
  run.identity = identity;
  run.model_sha256 = std::string(64, 'b');
  run.model = {{"output", {{"labels", {0, 1, 2}}}},
               {"regions",
                {{{"name", "whole"}, {"outputs", {1, 2}}}, {{"name", "core"}, {"outputs", {2}}}}}};
  write_run_file(run, folder);
}

inline void write_synthetic_references(const std::filesystem::path& file,
                                       const std::vector<SyntheticScan>& scans) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream stream(file);
  stream.precision(17);
  stream << "case_id,region,volume_ml\n";
  for (const SyntheticScan& scan : scans) {
    stream << scan.case_id << ",whole," << scan.truth_ml << "\n";
    stream << scan.case_id << ",core," << scan.truth_ml / 2 << "\n";
  }
}

}  // namespace mcvol::testing

#include "pipeline/merge/merge_fixture.h"

#include "mcvol/analysis/run_identity.h"
#include "mcvol/analysis/volume_table.h"
#include "mcvol/pipeline/shard.h"

namespace mcvol::testing_support {

namespace fs = std::filesystem;

namespace {

std::string usual_identity() { return sha256_of_identity(identity_with(5)); }

}  // namespace

nlohmann::json identity_with(int passes) {
  return {{"networks", {"n"}}, {"scope", "channel"}, {"passes", passes}};
}

CaseRecord measured(const std::string& case_id) {
  CaseRecord record = measured_record(case_id, usual_identity());
  record.regions[0].mean = sharp_histogram(shard_of(case_id, 5000), kSyntheticVoxels);
  return record;
}

CaseRecord failed(const std::string& case_id) { return failed_record(case_id, usual_identity()); }

RunFile run_file(int found, const nlohmann::json& identity) {
  RunFile run;
  run.state = RunFile::State::kComplete;
  run.found = found;
  run.done = found;
  run.version = "0.1.0";
  run.device = "cpu";
  run.levels = {"0.9"};
  run.identity = identity;
  run.options = {{"passes", 5}};
  run.timings_s = {{"network", 2.0}};
  run.started = "2026-01-02T00:00:00Z";
  run.ended = "2026-01-02T01:00:00Z";
  return run;
}

void write_results(const fs::path& folder, const std::vector<CaseRecord>& records) {
  VolumeTable table(parse_levels({"0.9"}));
  for (const CaseRecord& record : records) {
    write_case_record(record, case_record_path(folder, record.case_id));
    table.put(record);
  }
  write_run_file(run_file(static_cast<int>(records.size()), identity_with(5)), folder);
  table.write(folder);
}

std::vector<CaseRecord> twelve_cases() {
  std::vector<CaseRecord> records;
  for (int n = 0; n < 12; ++n) {
    const std::string case_id = "case_" + std::to_string(n);
    records.push_back(n % 5 == 3 ? failed(case_id) : measured(case_id));
  }
  return records;
}

void write_shards(const fs::path& out, const std::vector<CaseRecord>& records, int count) {
  for (int index = 1; index <= count; ++index) {
    std::vector<CaseRecord> of_shard;
    for (const CaseRecord& record : records) {
      if (shard_of(record.case_id, count) == index) of_shard.push_back(record);
    }
    write_results(shard_folder(out, {index, count}), of_shard);
  }
}

std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder).string();
    if (!entry.is_regular_file() || name == ".lock" || name.rfind("shards", 0) == 0) continue;
    contents[name] = text_of_file(entry.path());
  }
  return contents;
}

MergeReport MergeResults::merge(const std::vector<std::string>& sources,
                                const std::string& out) const {
  MergeOptions options;
  for (const std::string& source : sources) options.sources.push_back(folder(source));
  options.out = folder(out);
  return merge_results(options);
}

}  // namespace mcvol::testing_support

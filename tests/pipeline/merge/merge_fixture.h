#pragma once

#include "mcvol/io/records/case_record.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/pipeline/merge.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol::testing_support {

/// Of a run with so many passes.
nlohmann::json identity_with(int passes);

/// Of five passes; the volume is another for each case, so that a row in the wrong place shows.
CaseRecord measured(const std::string& case_id);
CaseRecord failed(const std::string& case_id);

/// Of a finished run on `found` cases.
RunFile run_file(int found, const nlohmann::json& identity);

/// A result folder as a finished run leaves it.
void write_results(const std::filesystem::path& folder, const std::vector<CaseRecord>& records);

/// Ten measured and two failed.
std::vector<CaseRecord> twelve_cases();

/// The same cases as `count` shards under `out`.
void write_shards(const std::filesystem::path& out, const std::vector<CaseRecord>& records,
                  int count);

/// Every file of a folder and its bytes, but for the lock and the shards.
std::map<std::string, std::string> contents_of(const std::filesystem::path& folder);

/// Merges folders of a temporary one, by their names.
class MergeResults : public ::testing::Test {
 protected:
  std::filesystem::path folder(const std::string& name) const { return temporary_.path() / name; }
  MergeReport merge(const std::vector<std::string>& sources, const std::string& out) const;
  /// What merging them throws as this kind of error; empty where it throws none.
  template <typename Kind = UsageError>
  std::string refusal(const std::vector<std::string>& sources, const std::string& out) const {
    return message_from<Kind>([&] { merge(sources, out); });
  }

  TemporaryFolder temporary_;
};

}  // namespace mcvol::testing_support

// The network and the scans that are shipped: that they are the ones committed, and that they give
// the table committed beside them.
#include "mcvol/files/csv.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/records/calibration_file.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/process.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kModel = fs::path(MCVOL_SOURCE_DIR) / "models" / "glioma-phantom";
const fs::path kScans = fs::path(MCVOL_SOURCE_DIR) / "examples" / "scans";

// Another network is another calibration and another table: nobody changes it unawares.
constexpr const char* kSha256 = "002becda74d9cacf37d36a20c3064b09117574e927d1e4cd236c047cab7f2d42";

using Row = std::map<std::string, std::string>;

/// Rows of one case, as column -> text.
std::vector<Row> rows_of(const fs::path& file, const std::string& case_id) {
  const CsvTable table = read_csv(file);
  std::vector<Row> rows;
  for (const CsvRecord& record : table.records) {
    Row row;
    for (std::size_t n = 0; n < table.header.size(); ++n) {
      row[table.header[n]] = record.fields.at(n);
    }
    if (row["case_id"] == case_id) rows.push_back(row);
  }
  return rows;
}

std::vector<std::string> example_cases() {
  std::vector<std::string> cases;
  for (const auto& entry : fs::directory_iterator(kScans)) {
    if (entry.is_directory()) cases.push_back(entry.path().filename().string());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

TEST(BundledModel, IsTheNetworkCommittedAndSamplesEveryLayer) {
  const ProcessResult result = run_mcvol({"inspect", kModel.string(), "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const auto facts = nlohmann::json::parse(result.out);
  EXPECT_EQ(facts["dropout"].size(), 18u);
  for (const auto& layer : facts["dropout"]) EXPECT_EQ(layer["fate"], "active") << layer;
  const auto model = nlohmann::json::parse(read_file(kModel / "model.json"));
  EXPECT_EQ(model["networks"][0]["sha256"], kSha256);
  EXPECT_LE(fs::file_size(kModel / "network.pt"), 10u << 20);
  EXPECT_NE(model["warning"].get<std::string>().find("not for clinical use"), std::string::npos);
}

TEST(BundledModel, IsCalibratedOnSimulatedScansAndSaysSo) {
  const CalibrationFile calibration = read_calibration_file(kModel / "calibration.json");
  EXPECT_TRUE(calibration.simulated);
  EXPECT_EQ(calibration.method, IntervalMethod::kRegression);
  EXPECT_EQ(calibration.identity["networks"], nlohmann::json::array({kSha256}));
  ASSERT_EQ(calibration.regions.size(), 3u);
  for (const RegionCalibration& region : calibration.regions) {
    ASSERT_EQ(region.strata.size(), 1u);
    EXPECT_GE(region.strata[0].n(), 200) << region.region;
    EXPECT_NE(region.strata[0].fit(ScoreKind::kNoDropout), nullptr);
    ASSERT_TRUE(region.dice) << region.region;
    EXPECT_GE(region.dice->n(), 200) << region.region;
  }
}

TEST(BundledModel, ExamplesHaveReferencesOfEveryRegion) {
  const std::vector<std::string> cases = example_cases();
  ASSERT_GE(cases.size(), 3u);
  for (const std::string& case_id : cases) {
    const std::vector<Row> rows = rows_of(kScans / "references.csv", case_id);
    ASSERT_EQ(rows.size(), 3u) << case_id;
    EXPECT_EQ(rows[0].at("region"), "whole_tumour");
    EXPECT_GT(std::stod(rows[0].at("volume_ml")), 0);
  }
}

// Kernels of other processors round otherwise, pass by pass in the sixth digit.
TEST(BundledModel, GivesTheTableCommittedForAnExample) {
  const std::string case_id = example_cases().front();
  const fs::path out = fresh_folder("bundled_model");
  const ProcessResult result =
      run_mcvol({"predict", (kScans / case_id).string(), "--model", kModel.string(), "--out",
                 out.string(), "--device", "cpu", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::vector<Row> expected = rows_of(kScans.parent_path() / "volumes.csv", case_id);
  const std::vector<Row> found = rows_of(out / "volumes.csv", case_id);
  ASSERT_EQ(expected.size(), 3u);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t n = 0; n < expected.size(); ++n) {
    for (const char* column :
         {"region", "level", "passes", "status", "flags", "model", "calibration"}) {
      EXPECT_EQ(found[n].at(column), expected[n].at(column)) << column;
    }
    for (const char* column : {"volume_ml", "lower_ml", "upper_ml", "raw_volume_ml", "raw_lower_ml",
                               "raw_upper_ml", "segmented_ml"}) {
      const double value_ml = std::stod(expected[n].at(column));
      EXPECT_NEAR(std::stod(found[n].at(column)), value_ml, 0.016 + 0.002 * value_ml) << column;
    }
    for (const char* column : {"dice", "dice_lower"}) {
      EXPECT_NEAR(std::stod(found[n].at(column)), std::stod(expected[n].at(column)), 0.003)
          << column;
    }
  }
}

}  // namespace
}  // namespace mcvol::testing

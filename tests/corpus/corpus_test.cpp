// Inputs of kinds that users meet: what becomes of each is what is expected, and what
// docs/corpus.md says. Everything is made here, from a simulated head and by hand.

#include "mcvol/files/csv.h"
#include "mcvol/files/text_file.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

#include "corpus/kinds.h"
#include "files/temporary_folder.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kPage = MCVOL_CORPUS_PAGE;
const std::string kBegin = "<!-- made by tests/corpus/corpus_test.cpp: begin -->\n";
const std::string kEnd = "<!-- made by tests/corpus/corpus_test.cpp: end -->\n";

struct KindOfInput {
  const char* title;
  void (*check)(Kind& kind);
};

/// In the order of the page.
constexpr std::array kKinds{KindOfInput{"Backgrounds", backgrounds},
                            KindOfInput{"Types of voxels", voxel_types},
                            KindOfInput{"Headers", headers},
                            KindOfInput{"Damaged and other files", damaged_files},
                            KindOfInput{"NRRD and MetaImage", text_images},
                            KindOfInput{"Channels", channels},
                            KindOfInput{"Names and formats", names},
                            KindOfInput{"Layouts", layouts},
                            KindOfInput{"Manifests", manifests},
                            KindOfInput{"Reference tables", references},
                            KindOfInput{"Label maps", label_maps},
                            KindOfInput{"Pairs, groups and calibrations", pairs},
                            KindOfInput{"Places for results", outputs},
                            KindOfInput{"Models", models},
                            KindOfInput{"Options", options},
                            KindOfInput{"Records", records}};

/// The bundle of the threshold network, with names of channels in each layout.
void write_model(const fs::path& folder) {
  fs::copy(MCVOL_CORPUS_BUNDLE, folder);
  json model = json::parse(read_file(folder / "model.json"));
  model["channels"][0]["suffixes"] = {"t1", "t1n", "T1w", "0000"};
  model["channels"][1]["suffixes"] = {"flair", "t2f", "FLAIR", "0001"};
  write_bytes(folder / "model.json", model.dump(2));
}

/// As a cell of a table, where a bar would begin the next one.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return escaped;
}

std::string row_of(const Finding& finding) {
  char volumes[64] = "";
  if (finding.volumes) {
    std::snprintf(volumes, sizeof(volumes), "%.1f, %.1f", finding.volumes->whole_ml,
                  finding.volumes->core_ml);
  }
  const std::string message = finding.message.empty() ? "" : "`" + cell(finding.message) + "`";
  return "| " + cell(finding.name) + " | " + cell(finding.what) + " | " +
         std::to_string(finding.exit_code) + " | " + volumes + " | " + message + " |\n";
}

std::string table_of(const Kind& kind) {
  std::string table = "\n## " + kind.title() + "\n\n| Name | Input | Exit code | ml | Message |\n" +
                      "|---|---|---|---|---|\n";
  for (const Finding& finding : kind.findings()) table += row_of(finding);
  return table;
}

class Corpus : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    made_ = std::make_unique<TemporaryFolder>();
    write_model(made_->path() / "model");
  }
  static void TearDownTestSuite() {
    kinds_.clear();
    made_.reset();
  }
  /// One that has been checked, once.
  static const Kind& checked(std::size_t n) {
    const auto known = kinds_.find(n);
    if (known != kinds_.end()) return known->second;
    const KindOfInput& input = kKinds.at(n);
    Kind kind(input.title, made_->path() / ("kind_" + std::to_string(n)), made_->path() / "model");
    input.check(kind);
    fs::remove_all(kind.folder());
    return kinds_.emplace(n, std::move(kind)).first->second;
  }

  static inline std::unique_ptr<TemporaryFolder> made_;
  static inline std::map<std::size_t, Kind> kinds_;
};

TEST_F(Corpus, HeadHasTheVolumesOfItsEllipsoids) {
  // Of voxels of 4 mm; what rounding of a smooth body's edge leaves.
  const Volumes analytic = analytic_volumes(), voxels = usual_head().volumes();
  EXPECT_NEAR(voxels.whole_ml, analytic.whole_ml, 0.02 * analytic.whole_ml);
  EXPECT_NEAR(voxels.core_ml, analytic.core_ml, 0.02 * analytic.core_ml);
}

// The instrument itself: a network that did not care could not tell a right volume from a wrong
// one.
TEST_F(Corpus, NetworkShowsWhereBackgroundCountsAsBrain) {
  const fs::path folder = made_->path() / "sensitivity", model = folder / "model";
  fs::create_directories(folder);
  write_model(model);
  json description = json::parse(read_file(model / "model.json"));
  for (json& channel : description["channels"]) channel["intensity"]["mask"] = "all";
  write_bytes(model / "model.json", description.dump(2));
  write_usual_case(folder / "scans", "good");
  const Kind kind("Sensitivity", folder / "kind", model);
  ASSERT_EQ(run_mcvol(kind.predict(folder / "scans", "out")).exit_code, 0);
  const CsvTable table = read_csv(folder / "kind" / "out" / "volumes.csv");
  for (const CsvRecord& row : table.records) {
    const double volume_ml = std::stod(row.fields.at(*table.column("raw_volume_ml")));
    EXPECT_GT(volume_ml, 10 * usual_head().volumes().whole_ml);
  }
}

TEST_F(Corpus, EveryInputBecomesWhatIsExpected) {
  for (std::size_t n = 0; n < kKinds.size(); ++n) {
    SCOPED_TRACE(kKinds.at(n).title);
    EXPECT_FALSE(checked(n).findings().empty());
  }
}

// The page says what was found, no more. With MCVOL_UPDATE_DOCS set it is rewritten.
TEST_F(Corpus, PageSaysWhatWasFound) {
  std::string tables;
  std::size_t count = 0;
  for (std::size_t n = 0; n < kKinds.size(); ++n) {
    const Kind& kind = checked(n);
    tables += table_of(kind);
    count += kind.findings().size();
  }
  EXPECT_GE(count, 120U);
  tables = std::to_string(count) + " inputs:\n" + tables;
  const std::string page = read_file(kPage);
  const std::size_t begin = page.find(kBegin), end = page.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos);
  const std::size_t from = begin + kBegin.size();
  if (std::getenv("MCVOL_UPDATE_DOCS") != nullptr) {
    write_file_atomically(kPage, page.substr(0, from) + tables + page.substr(end));
    return;
  }
  EXPECT_EQ(page.substr(from, end - from), tables) << "run corpus_test with MCVOL_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace mcvol::testing

// What the commands that read the records of a whole study keep of them in memory. A record is
// mostly histograms, one per pass and region: a thousand records of 320 passes hold 2 GB of them.

#include "mcvol/analysis/calibrate.h"
#include "mcvol/analysis/change.h"
#include "mcvol/analysis/evaluate.h"
#include "mcvol/analysis/tabulate.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

#include "analysis/synthetic_results.h"
#include "files/temporary_folder.h"
#include <gtest/gtest.h>
#include <malloc.h>

namespace {

std::atomic<std::int64_t> heap_bytes{0}, most_heap_bytes{0};

}  // namespace

// Of the whole test program: all that C++ allocates is counted.
void* operator new(std::size_t size) {
  void* const block = std::malloc(std::max<std::size_t>(size, 1));
  if (block == nullptr) throw std::bad_alloc();
  const std::int64_t now = heap_bytes += static_cast<std::int64_t>(malloc_usable_size(block));
  std::int64_t most = most_heap_bytes;
  while (most < now && !most_heap_bytes.compare_exchange_weak(most, now)) {
  }
  return block;
}
void operator delete(void* block) noexcept {
  if (block != nullptr) heap_bytes -= static_cast<std::int64_t>(malloc_usable_size(block));
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

namespace mcvol {
namespace {

namespace fs = std::filesystem;

/// More memory than before that is in use at one time of the work.
std::int64_t most_bytes_during(const std::function<void()>& work) {
  const std::int64_t before = heap_bytes;
  most_heap_bytes = before;
  work();
  return most_heap_bytes - before;
}

class RecordsMemory : public ::testing::Test {
 protected:
  static constexpr int kFew = 10, kMany = 20, kPasses = 40, kRegions = 2;

  void SetUp() override {
    std::vector<testing::SyntheticScan> scans = testing::synthetic_scans(kFew + kMany, 5);
    for (testing::SyntheticScan& scan : scans) {
      for (std::size_t n = 0; scan.passes.size() < kPasses; ++n) {
        scan.passes.push_back(scan.passes[n]);
      }
    }
    const std::vector<testing::SyntheticScan> few(scans.begin(), scans.begin() + kFew);
    testing::write_synthetic_results(folder("few"), few);
    testing::write_synthetic_results(folder("many"), {scans.begin() + kFew, scans.end()});
    testing::write_synthetic_references(folder("references.csv"), scans);
    calibrate(calibration("few", "of_few.json"));
    testing::write_synthetic_results(folder("others"), {scans.end() - kFew, scans.end()});
  }

  fs::path folder(const std::string& name) const { return temporary_.path() / name; }

  CalibrateOptions calibration(const std::string& results, const std::string& output) const {
    CalibrateOptions options;
    options.results = folder(results);
    options.references = ReferenceSource{folder("references.csv")};
    options.levels = parse_levels({"0.5"});
    options.output = folder(output);
    return options;
  }

  /// Work on twice as many cases takes next to no more memory: of that of the added histograms less
  /// than a tenth.
  void expect_no_more(const std::function<void(const std::string& results)>& work) const {
    work("others");  // Tables that are made once are there from now on.
    const std::int64_t few = most_bytes_during([&] { work("others"); });
    const std::int64_t many = most_bytes_during([&] { work("many"); });
    constexpr std::int64_t kMore = std::int64_t{kMany - kFew} * kRegions * kPasses *
                                   static_cast<std::int64_t>(sizeof(LogitHistogram));
    EXPECT_LT(many - few, kMore / 10);
    // A case at work holds its own: what is counted is what is meant.
    EXPECT_GT(few,
              std::int64_t{kRegions} * kPasses * static_cast<std::int64_t>(sizeof(LogitHistogram)));
  }

  TemporaryFolder temporary_;
};

TEST_F(RecordsMemory, CalibrateHoldsTheHistogramsOfCasesAtWorkOnly) {
  expect_no_more(
      [&](const std::string& results) { calibrate(calibration(results, "again.json")); });
}

TEST_F(RecordsMemory, EvaluateHoldsTheHistogramsOfCasesAtWorkOnly) {
  expect_no_more([&](const std::string& results) {
    EvaluateOptions options;
    options.results = folder(results);
    options.references = ReferenceSource{folder("references.csv")};
    options.calibration = {CalibrationChoice::Kind::kFile, folder("of_few.json")};
    options.levels = parse_levels({"0.5"});
    evaluate(options);
  });
}

TEST_F(RecordsMemory, ChangeHoldsTheHistogramsOfCasesAtWorkOnly) {
  expect_no_more([&](const std::string& results) {
    const std::vector<std::string> ids = recorded_case_ids(folder(results));
    std::ofstream pairs(folder("pairs.csv"));
    pairs << "subject_id,baseline,followup\n";
    for (std::size_t n = 0; n < ids.size(); ++n) {
      for (const std::size_t step : {1, 2}) {
        pairs << "s," << ids[n] << "," << ids[(n + step) % ids.size()] << "\n";
      }
    }
    pairs.close();
    ChangeOptions options;
    options.results = folder(results);
    options.pairs = folder("pairs.csv");
    options.references = ReferenceSource{folder("references.csv")};
    options.calibration = {CalibrationChoice::Kind::kFile, folder("of_few.json")};
    options.levels = parse_levels({"0.5"});
    measure_change(options);
  });
}

TEST_F(RecordsMemory, TabulateHoldsTheHistogramsOfCasesAtWorkOnly) {
  expect_no_more([&](const std::string& results) {
    TabulateOptions options;
    options.results = folder(results);
    options.calibration = {CalibrationChoice::Kind::kFile, folder("of_few.json")};
    options.levels = parse_levels({"0.5"});
    tabulate(options);
  });
}

TEST_F(RecordsMemory, ARecordThatChangesMeanwhileIsNotTakenForWhatItWas) {
  const std::string id = recorded_case_ids(folder("many")).front();
  const fs::path path = case_record_path(folder("many"), id);
  CalibrateOptions options = calibration("many", "again.json");
  // What is said of the references is said between the two readings.
  options.references.said = [&](const ReferencedResults&) {
    CaseRecord record = read_case_record(path);
    record.inputs.front().sha256 = std::string(64, 'c');
    write_case_record(record, path);
  };
  try {
    calibrate(options);
    ADD_FAILURE() << "calibrated";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              path.string() +
                  ": changed; it was another a moment ago: start again once nothing writes to it");
    EXPECT_EQ(error.exit_code(), ExitCode::kCannotGoOn);
  }
  EXPECT_FALSE(fs::exists(folder("again.json")));
}

}  // namespace
}  // namespace mcvol

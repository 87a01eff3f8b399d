#include "corpus/known_results.h"

#include <cmath>
#include <cstdio>

#include "analysis/synthetic_results.h"

namespace mcvol::testing {
namespace {

/// As far off as a fair network is, the same for each case.
double error_of(int n, int what) { return 0.05 * std::sin(12.9898 * n + 78.233 * what); }

/// Three passes on a ball of this radius, in voxels.
std::vector<LogitHistogram> passes_on(double radius, int n, int what) {
  std::vector<LogitHistogram> passes;
  for (int pass = 0; pass < 3; ++pass) {
    passes.push_back(ball_histogram(radius * (1 + 0.3 * error_of(n, what + 10 * pass)), 0.3));
  }
  return passes;
}

double ball_ml(double radius) { return 4.18879 * std::pow(radius, 3) * kSyntheticVoxelMl; }

}  // namespace

std::vector<KnownCase> write_known_results(const std::filesystem::path& folder) {
  write_synthetic_results(folder, {});
  RunFile run = *read_run_file(folder);
  run.model = {{"output", {{"labels", {0, 1, 2}}}},
               {"regions",
                {{{"name", "whole_tumour"}, {"outputs", {1, 2}}},
                 {{"name", "tumour_core"}, {"outputs", {2}}}}}};
  constexpr int kCases = 40;
  run.found = run.done = kCases;
  write_run_file(run, folder);
  std::vector<KnownCase> known;
  for (int n = 1; n <= kCases; ++n) {
    const double whole = 6 + 0.25 * n, core = 0.6 * whole;
    char id[8];
    std::snprintf(id, sizeof(id), "%03d", n);
    const SyntheticScan scan{id, passes_on(whole, n, 1), 0};
    CaseRecord record = record_of(scan, run.identity);
    record.regions.clear();
    for (const auto& [name, radius] : {std::pair{"whole_tumour", whole}, {"tumour_core", core}}) {
      const std::vector<LogitHistogram> passes = passes_on(radius, n, radius == whole ? 1 : 2);
      record.regions.push_back({name, passes, passes.front(), {passes.back()}, {}});
    }
    write_case_record(record, case_record_path(folder, id));
    known.push_back(
        {id, {ball_ml(whole * (1 + error_of(n, 3))), ball_ml(core * (1 + error_of(n, 4)))}});
  }
  return known;
}

}  // namespace mcvol::testing

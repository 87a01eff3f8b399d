#include "mcvol/pipeline/case_loader.h"

#include <atomic>
#include <new>
#include <string>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

ScanCase scan_of(const std::string& case_id) {
  ScanCase scan;
  scan.case_id = case_id;
  return scan;
}

TEST(CaseLoader, ScansComeInTheOrderInWhichTheyWereStarted) {
  std::atomic<int> loads = 0;
  CaseLoader loader(
      [&](const auto&, const auto&, auto&) {
        ++loads;
        return PreparedScan{};
      },
      {}, {});
  for (const char* id : {"a", "b", "c"}) loader.start(scan_of(id));
  EXPECT_EQ(loader.started(), 3u);
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(loader.take(scan_of(id)).error, "");
  EXPECT_EQ(loads, 3);
}

// Each of the scans is too large while others are there: only what is asked for is loaded again.
TEST(CaseLoader, WhereMemoryRunsOutScansAreLoadedOneByOneAndNoneForNothing) {
  std::atomic<int> loads = 0;
  CaseLoader loader(
      [&](const auto&, const auto&, auto&) -> PreparedScan {
        ++loads;
        throw std::bad_alloc();
      },
      {}, {});
  for (const char* id : {"a", "b", "c", "d"}) loader.start(scan_of(id));
  EXPECT_TRUE(loader.take(scan_of("a")).out_of_memory);
  EXPECT_EQ(loads, 5);  // four ahead, then the first again
  EXPECT_TRUE(loader.take(scan_of("b")).out_of_memory);
  EXPECT_EQ(loads, 7);  // when asked for, then again
  EXPECT_EQ(loader.started(), 2u);
}

}  // namespace
}  // namespace mcvol

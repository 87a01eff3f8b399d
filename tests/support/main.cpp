#include <gtest/gtest.h>

// As GoogleTest's own main, but that ctest can tell what it counts as passed: nothing run, or all
// of it skipped. A suite whose set-up fails skips its tests too, and has failed.
int main(int argc, char** argv) {
  constexpr int kAllSkipped = 77, kNothingRun = 1;
  testing::InitGoogleTest(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  if (failed != 0 || GTEST_FLAG_GET(list_tests)) return failed;
  const auto& tests = *testing::UnitTest::GetInstance();
  if (tests.test_to_run_count() == 0) return kNothingRun;
  const bool skipped = tests.successful_test_count() == 0 && tests.skipped_test_count() > 0;
  return skipped ? kAllSkipped : 0;
}

#include "mcvol/files/text_file.h"
#include "mcvol/io/records/thumbnail.h"

#include <algorithm>

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

TEST_F(Predict, KeepsASliceOfEachScanThatFitsItsRecord) {
  run(options());
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    const Thumbnail slice = read_thumbnail(thumbnail_path(root_ / "out", case_id),
                                           record(case_id).grid, record(case_id).regions.size());
    ASSERT_FALSE(slice.slices.empty());
    for (const ThumbnailSlice& one : slice.slices) {
      EXPECT_GT(*std::max_element(one.channels[0].begin(), one.channels[0].end()), 0);
    }
    EXPECT_EQ(slice.channels[0], 1u);  // flair
  }
  EXPECT_EQ(run_file().options["thumbnails"], "flair");
  EXPECT_TRUE(listener_.warnings.empty());
}

TEST_F(Predict, SlicesHaveTheSameBytesForAnyBlocksAndOrderOfPasses) {
  run(options("whole"));
  behaviour_->block_size = 7;
  behaviour_->passes_backwards = true;
  run(options());
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    EXPECT_EQ(read_file(thumbnail_path(root_ / "out", case_id)),
              read_file(thumbnail_path(root_ / "whole", case_id)));
  }
}

TEST_F(Predict, ResumedRunKeepsSlicesAndMissesNoneThatIsGone) {
  run(options());
  const fs::path kept = thumbnail_path(root_ / "out", "case_a");
  const std::string before = read_file(kept);
  fs::remove(thumbnail_path(root_ / "out", "case_b"));
  EXPECT_EQ(run(options()).kept, 3);
  EXPECT_EQ(read_file(kept), before);
  EXPECT_FALSE(fs::exists(thumbnail_path(root_ / "out", "case_b")));
  EXPECT_TRUE(listener_.warnings.empty());
}

TEST_F(Predict, WithoutThumbnailsKeepsNoneOfWhatIsMeasured) {
  run(options());
  PredictOptions without = options();
  without.thumbnails = false;
  fs::remove(root_ / "out" / "cases" / "case_b.json");
  EXPECT_EQ(run(without).measured, 1);
  EXPECT_TRUE(fs::exists(thumbnail_path(root_ / "out", "case_a")));
  EXPECT_FALSE(fs::exists(thumbnail_path(root_ / "out", "case_b")));
  EXPECT_TRUE(run_file().options["thumbnails"].is_null());
  without.output = root_ / "other";
  run(without);
  EXPECT_FALSE(fs::exists(root_ / "other" / "thumbnails"));
  EXPECT_EQ(table("other"), table());
}

TEST_F(Predict, SliceThatCannotBeWrittenIsAWarningAndTheCaseIsMeasured) {
  write_file_atomically(root_ / "out" / "thumbnails", "a file in the way");
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_EQ(outcome.measured, 3);
  ASSERT_EQ(listener_.warnings.size(), 3u);
  EXPECT_EQ(listener_.warnings[0].find("case_a: measured, but without its slice: "), 0u)
      << listener_.warnings[0];
}

TEST_F(Predict, CaseThatFailsNowHasNoSliceOfEarlier) {
  run(options());
  const fs::path file = root_ / "scans" / "case_b" / "case_b_t1.nii.gz";
  write_file_atomically(file, read_file(file).substr(0, 100));
  run(options());
  EXPECT_FALSE(fs::exists(thumbnail_path(root_ / "out", "case_b")));
  EXPECT_TRUE(fs::exists(thumbnail_path(root_ / "out", "case_c")));
}

TEST_F(Predict, SliceSaysWhatMeasurementItIsOf) {
  run(options());
  const auto said = [&] {
    return read_thumbnail(thumbnail_path(root_ / "out", "case_a"), record("case_a").grid, 2)
        .measurement;
  };
  const CaseRecord before = record("case_a");
  EXPECT_EQ(said(), measurement_of(before));
  EXPECT_NE(said(), measurement_of(record("case_b")));
  testing::write_fake_scan(root_ / "scans", "case_a", 9);
  PredictOptions again = options();
  again.fresh = true;
  run(again);
  EXPECT_EQ(said(), measurement_of(record("case_a")));
  EXPECT_NE(said(), measurement_of(before));
}

}  // namespace
}  // namespace mcvol

#include "mcvol/io/tables/pairs.h"

#include "files/temporary_folder.h"
#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing_support::message_from;
using testing_support::write_text;

std::string refusal_of(const std::string& text) {
  const TemporaryFolder scratch;
  write_text(scratch.path() / "pairs.csv", text);
  return message_from<UsageError>([&] { read_pairs(scratch.path() / "pairs.csv"); });
}

TEST(Pairs, AreReadInTheirOrderWhateverTheColumns) {
  const TemporaryFolder scratch;
  write_text(scratch.path() / "pairs.csv",
             "followup,note,subject_id,baseline\nb2,x,bob,b1\na2,,ann,a1\na3,,ann,a2\n");
  const std::vector<ScanPair> pairs = read_pairs(scratch.path() / "pairs.csv");
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].subject_id, "bob");
  EXPECT_EQ(pairs[0].baseline, "b1");
  EXPECT_EQ(pairs[0].followup, "b2");
  EXPECT_EQ(pairs[2].followup, "a3");
}

TEST(Pairs, MistakesAreNamedWithTheirLine) {
  const std::string header = "subject_id,baseline,followup\n";
  EXPECT_NE(refusal_of("subject_id,baseline\n").find("expected one column 'followup'"),
            std::string::npos);
  EXPECT_NE(refusal_of(header).find("no pair"), std::string::npos);
  EXPECT_NE(refusal_of(header + "a,a1,a2\na,a1,a2\n").find(", line 3: the same pair"),
            std::string::npos);
  EXPECT_NE(refusal_of(header + "a,a1,a1\n").find(", line 2: a1 is baseline and followup"),
            std::string::npos);
  EXPECT_NE(refusal_of(header + "a,,a1\n").find(", line 2: expected a subject_id"),
            std::string::npos);
}

}  // namespace
}  // namespace mcvol

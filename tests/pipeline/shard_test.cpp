#include "mcvol/pipeline/shard.h"

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing_support::message_from;

TEST(Shard, IsReadAsIOfN) {
  const Shard shard = Shard::parse("2/8");
  EXPECT_EQ(shard.index, 2);
  EXPECT_EQ(shard.count, 8);
  EXPECT_EQ(Shard::parse("1/1").count, 1);
}

TEST(Shard, RefusesWhatIsNoIOfN) {
  for (const char* text : {"", "2", "/", "2/", "/8", "0/8", "9/8", "-1/8", "2/-8", "2/8/1", "2/8 ",
                           " 2/8", "2 / 8", "a/b", "1.5/2", "1/99999999999", "1/1000001"}) {
    EXPECT_EQ(message_from<UsageError>([&] { Shard::parse(text); }),
              "--shard " + std::string(text) +
                  ": expected I/N with I from 1 to N, such as 2/8 for the second of eight");
  }
}

// Expected values from Python: 1 + int.from_bytes(hashlib.sha256(id).digest()[:8], "big") % count.
TEST(Shard, OfACaseIsThatOfItsSha256) {
  EXPECT_EQ(shard_of("abc", 8), 3);
  EXPECT_EQ(shard_of("abc", 1000), 75);
  EXPECT_EQ(shard_of("brats2021_00006", 8), 7);
  EXPECT_EQ(shard_of("brats2021_00006", 1000), 631);
  EXPECT_EQ(shard_of("case_01", 2), 2);
  EXPECT_EQ(shard_of("case_01", 3), 3);
  EXPECT_EQ(shard_of("case_01", 1), 1);
}

TEST(Shard, EveryCaseBelongsToExactlyOne) {
  for (int n = 0; n < 100; ++n) {
    const std::string case_id = "case_" + std::to_string(n);
    int holders = 0;
    for (int index = 1; index <= 7; ++index) holders += Shard{index, 7}.holds(case_id) ? 1 : 0;
    EXPECT_EQ(holders, 1);
  }
}

TEST(Shard, FolderNameIsReadBack) {
  EXPECT_EQ(shard_folder("out", {2, 8}), std::filesystem::path("out/shards/2-of-8"));
  const auto shard = shard_from_folder_name("2-of-8");
  ASSERT_TRUE(shard);
  EXPECT_EQ(shard->index, 2);
  EXPECT_EQ(shard->count, 8);
  for (const char* name : {"", "2-of", "9-of-8", "02-of-8", "2-of-8x", "2_of_8", "cases"}) {
    EXPECT_FALSE(shard_from_folder_name(name)) << name;
  }
}

}  // namespace
}  // namespace mcvol

#include "mcvol/files/base64.h"

#include "mcvol/error/error.h"

#include <limits>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

// python3 -c "import base64,struct;print(base64.b64encode(struct.pack('<3q',1,-2,2**40)).decode())"
TEST(PackedCounts, MatchPythonsLittleEndianBase64) {
  const std::vector<std::int64_t> counts{1, -2, std::int64_t{1} << 40};
  const std::string text = "AQAAAAAAAAD+/////////wAAAAAAAQAA";
  EXPECT_EQ(base64_from_counts(counts), text);
  EXPECT_EQ(counts_from_base64(text), counts);
}

TEST(PackedCounts, EveryLengthComesBack) {
  std::vector<std::int64_t> counts;
  for (int size = 0; size < 9; ++size) {
    EXPECT_EQ(counts_from_base64(base64_from_counts(counts)), counts) << size << " counts";
    counts.push_back(size % 2 == 0 ? std::numeric_limits<std::int64_t>::min() + size
                                   : std::numeric_limits<std::int64_t>::max() - size);
  }
}

TEST(PackedCounts, AnythingButBase64OfWholeIntegersIsRefused) {
  const std::string whole = base64_from_counts(std::vector<std::int64_t>{7});  // 12 characters
  for (const std::string& text : {whole.substr(0, 11), whole + "AAAA", whole.substr(0, 10) + "*=",
                                  " " + whole.substr(1), whole + "\n\n\n\n", std::string("===="),
                                  std::string("AAAAAAAAAAB="), std::string("AA=AAAAAAAA=")}) {
    EXPECT_THROW(counts_from_base64(text), InputError) << text;
  }
}

}  // namespace
}  // namespace mcvol

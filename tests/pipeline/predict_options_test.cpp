#include "mcvol/pipeline/predict_options.h"

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing_support::message_from;

constexpr std::int64_t kMiB = 1024 * 1024;

PredictOptions valid_options() {
  PredictOptions options;
  options.scans = {"scans"};
  options.model = "model";
  return options;
}

TEST(ParseMemory, TakesUnitsAsPowersOf1024InAnyCase) {
  for (const char* text : {"4G", "4g", "4GB", "4GiB", "4gib", "4.0G", "4096M", "4194304k",
                           "4194304KiB", "4294967296", "0.00390625T"}) {
    EXPECT_EQ(parse_memory(text), 4096 * kMiB) << text;
  }
  EXPECT_EQ(parse_memory("2.5GiB"), 2560 * kMiB);
}

TEST(ParseMemory, DropsAFractionOfAByte) {
  EXPECT_EQ(parse_memory("67108864.9"), 64 * kMiB);
  EXPECT_EQ(parse_memory("0.1G"), 107374182);
}

TEST(ParseMemory, TakesTheEndsOfItsRange) {
  EXPECT_EQ(parse_memory("64M"), 64 * kMiB);
  EXPECT_EQ(parse_memory("1024T"), std::int64_t{1} << 50);
}

TEST(ParseMemory, RefusesWhatIsNoSizeOrOutOfRange) {
  for (const char* text : {"",     "G",     "4X",         "4 G",   " 4G",
                           "4G ",  "4Gi",   "4iB",        "4B",    "1e9",
                           "-4G",  "+4G",   "0x40000000", "inf",   "nan",
                           "infG", "63.9M", "67108863",   "1025T", "99999999999999999999999T",
                           "4,5G"}) {
    EXPECT_EQ(message_from<UsageError>([&] { parse_memory(text); }),
              "--memory: expected a size from 64M to 1024T, such as 4G, 512M, 2.5GiB or a number "
              "of bytes, found \"" +
                  std::string(text) + "\"")
        << text;
  }
}

TEST(PredictOptions, MemoryIsFourGibibytesUnlessGiven) {
  EXPECT_EQ(valid_options().memory_bytes, parse_memory("4G"));
  EXPECT_NO_THROW(valid_options().validate());
}

TEST(PredictOptions, MemoryOutOfRangeIsRefused) {
  PredictOptions options = valid_options();
  options.memory_bytes = 64 * kMiB - 1;
  EXPECT_EQ(message_from<UsageError>([&] { options.validate(); }),
            "--memory: expected a size from 64M to 1024T, such as 4G, 512M, 2.5GiB or a number of "
            "bytes, found 67108863 bytes");
}

TEST(PredictOptions, RunFileHoldsTheMemoryInBytes) {
  PredictOptions options = valid_options();
  options.memory_bytes = parse_memory("512M");
  EXPECT_EQ(json_of(options, DropoutScope::kChannel, Precision::kFp32, 1)["memory_bytes"],
            536870912);
}

}  // namespace
}  // namespace mcvol

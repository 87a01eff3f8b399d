#include "mcvol/calibration/nominal_coverage.h"

#include "mcvol/error/error.h"

#include <gtest/gtest.h>

namespace mcvol {
namespace {

std::string message_for(const std::string& text) {
  try {
    NominalCoverage::parse(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(NominalCoverage, KeepsTheDecimalAsGiven) {
  const NominalCoverage level = NominalCoverage::parse("0.90");
  EXPECT_EQ(level.text, "0.90");
  EXPECT_EQ(level.value, 0.9);
  EXPECT_EQ(level.numerator, 9);
  EXPECT_EQ(level.denominator, 10);
}

TEST(NominalCoverage, RefusesWhatIsNoDecimalBetween0And1) {
  for (const char* text : {"", "0", "1", "1.0", "90", "-0.5", "+0.5", "9e-1", "nan", "inf", "0.9 ",
                           " 0.9", "0,9", "0.9.1", ".", "90%"}) {
    EXPECT_EQ(message_for(text), "level \"" + std::string(text) +
                                     "\": expected a decimal between 0 and 1, such as 0.9");
  }
}

TEST(NominalCoverage, RefusesMoreDecimalsThanRanksCouldTellApart) {
  EXPECT_EQ(message_for("0.999999999"), "");
  EXPECT_EQ(message_for("0.9999999999"), "level \"0.9999999999\": expected at most 9 decimals");
}

TEST(Levels, AreAscendingAndEachNumberOnce) {
  const std::vector<NominalCoverage> levels = parse_levels({"0.95", "0.5", "0.950", "0.90"});
  ASSERT_EQ(levels.size(), 3u);
  EXPECT_EQ(levels[0].text, "0.5");
  EXPECT_EQ(levels[1].text, "0.90");
  EXPECT_EQ(levels[2].text, "0.95");
}

}  // namespace
}  // namespace mcvol

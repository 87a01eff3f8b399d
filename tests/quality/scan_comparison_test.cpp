#include "mcvol/quality/scan_comparison.h"

#include "mcvol/error/error.h"
#include "mcvol/image/quality_changes.h"

#include <cmath>
#include <limits>

#include "quality/drawn_scans.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing_support::drawn_scan;
using testing_support::drawn_scans;
using testing_support::ScanKind;

/// Holds p-values of scans drawn like the others to what is promised: at most a each time, and,
/// where all are different, exactly the multiples of 1 / (n + 1).
void expect_valid(const std::vector<double>& p_values, std::size_t others) {
  const auto draws = static_cast<double>(p_values.size());
  for (const double level : {0.1, 0.25, 0.5, 0.8}) {
    const double promised = std::floor(level * static_cast<double>(others + 1) + 1e-9) /
                            static_cast<double>(others + 1);
    const auto found =
        static_cast<double>(std::count_if(p_values.begin(), p_values.end(),
                                          [&](double p) { return p <= level + 1e-9; })) /
        draws;
    EXPECT_NEAR(found, promised, 3.5 * std::sqrt(promised * (1 - promised) / draws)) << level;
  }
}

class DrawnAlike : public ::testing::TestWithParam<bool> {};

TEST_P(DrawnAlike, ScansAreAsUnlikeAsPromised) {
  constexpr std::size_t kOthers = 24;
  std::mt19937_64 generator(7);
  std::vector<double> unlike, exchanged, orientation;
  for (int draw = 0; draw < 1500; ++draw) {
    const ScanKind kind{.heavy = GetParam()};
    const ScanComparison comparison(drawn_scans(generator, kOthers, kind));
    const ImageQuality scan = drawn_scan(generator, kind);
    unlike.push_back(comparison.p_value(scan));
    exchanged.push_back(comparison.exchanged_channels(scan).value().p_value);
    orientation.push_back(comparison.wrong_orientation(scan).p_value);
  }
  expect_valid(unlike, kOthers);
  expect_valid(exchanged, kOthers);
  expect_valid(orientation, kOthers);
}

INSTANTIATE_TEST_SUITE_P(Numbers, DrawnAlike, ::testing::Values(false, true),
                         [](const auto& of) { return of.param ? "HeavyTailed" : "Normal"; });

class WithAFault : public ::testing::Test {
 protected:
  std::mt19937_64 generator_{11};
  ScanComparison comparison_{drawn_scans(generator_, 120)};
};

TEST_F(WithAFault, ExchangedChannelsAreFoundAndNamed) {
  for (int draw = 0; draw < 20; ++draw) {
    const ImageQuality scan = drawn_scan(generator_);
    const ScanFault none = comparison_.exchanged_channels(scan).value();
    EXPECT_LT(none.log_odds, 0);
    const ScanFault fault =
        comparison_.exchanged_channels(with_channels_exchanged(scan, 1, 2)).value();
    EXPECT_GT(fault.log_odds, 0);
    EXPECT_DOUBLE_EQ(fault.p_value, 1.0 / 121);
    EXPECT_EQ(fault.first, 1u);
    EXPECT_EQ(fault.second, 2u);
  }
}

TEST_F(WithAFault, AReversedAxisAndExchangedOnesAreFoundAndNamed) {
  for (int draw = 0; draw < 20; ++draw) {
    const ImageQuality scan = drawn_scan(generator_);
    // Left and right are alike, so that the odds of that fault are about even.
    EXPECT_LT(comparison_.wrong_orientation(scan).log_odds, 2);
    const ScanFault reversed = comparison_.wrong_orientation(with_axis_reversed(scan, 1));
    EXPECT_DOUBLE_EQ(reversed.p_value, 1.0 / 121);
    EXPECT_EQ(reversed.first, 1u);
    EXPECT_EQ(reversed.second, 1u);
    const ScanFault exchanged = comparison_.wrong_orientation(with_axes_exchanged(scan, 0, 1));
    EXPECT_DOUBLE_EQ(exchanged.p_value, 1.0 / 121);
    EXPECT_EQ(exchanged.first, 0u);
    EXPECT_EQ(exchanged.second, 1u);
  }
}

TEST_F(WithAFault, AScanOfAnotherKindIsUnlike) {
  ImageQuality scan = drawn_scan(generator_);
  scan.brain_ml *= 2;
  EXPECT_DOUBLE_EQ(comparison_.p_value(scan), 1.0 / 121);
}

TEST(ScanComparison, ANumberThatNeverVariesTellsNothingAndOneThatDoesEverything) {
  std::mt19937_64 generator(3);
  std::vector<ImageQuality> others = drawn_scans(generator, 60);
  for (ImageQuality& scan : others) scan.channels[0].noise = 0.25;
  const ScanComparison comparison(others);
  ImageQuality scan = drawn_scan(generator);
  scan.channels[0].noise = 0.25;
  EXPECT_GT(comparison.p_value(scan), 1.0 / 61);
  scan.channels[0].noise = 0.26;
  EXPECT_DOUBLE_EQ(comparison.p_value(scan), 1.0 / 61);
}

TEST(ScanComparison, MissingNumbersCountAsUsual) {
  std::mt19937_64 generator(4);
  std::vector<ImageQuality> others = drawn_scans(generator, 60);
  others[3].channels[1].noise.reset();
  const ScanComparison comparison(others);
  ImageQuality scan = drawn_scan(generator);
  const double before = comparison.p_value(scan);
  scan.channels[2].mutual_information->unshifted.reset();
  scan.brain.coskewness = {};
  const double after = comparison.p_value(scan);
  EXPECT_TRUE(std::isfinite(after));
  EXPECT_GE(after, before);
  EXPECT_TRUE(std::isfinite(comparison.wrong_orientation(scan).log_odds));
}

TEST(ScanComparison, OfASingleChannelNoneIsExchanged) {
  std::mt19937_64 generator(5);
  std::vector<ImageQuality> others = drawn_scans(generator, 30);
  for (ImageQuality& scan : others) scan.channels.resize(1);
  const ImageQuality scan = others.back();
  others.pop_back();
  const ScanComparison comparison(others);
  EXPECT_EQ(comparison.exchanged_channels(scan), std::nullopt);
  EXPECT_LE(comparison.p_value(scan), 1);
}

TEST(ScanComparison, OtherNumbersOfChannelsAreRefused) {
  std::mt19937_64 generator(6);
  std::vector<ImageQuality> others = drawn_scans(generator, 3);
  const ScanComparison comparison(others);
  ImageQuality scan = others.front();
  scan.channels.pop_back();
  EXPECT_THROW(comparison.p_value(scan), Error);
  others.push_back(scan);
  EXPECT_THROW(ScanComparison{others}, Error);
  EXPECT_THROW(ScanComparison{{}}, Error);
}

}  // namespace
}  // namespace mcvol

#include "mcvol/quality/scan_comparison.h"

#include "mcvol/error/error.h"
#include "mcvol/image/quality_changes.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "quality/drawn_scans.h"
#include "quality/scan_numbers.h"
#include <Eigen/LU>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing_support::drawn_scan;
using testing_support::drawn_scans;
using testing_support::ScanKind;

/// Holds p-values of scans drawn like the others to what is promised: at most a each time, and,
/// where all are different, exactly the multiples of 1 / (n + 1).
void expect_valid(const std::vector<double>& p_values, std::size_t others, const char* what) {
  SCOPED_TRACE(what);
  const auto draws = static_cast<double>(p_values.size());
  for (const double level : {0.02, 0.1, 0.25, 0.5, 0.8}) {
    const double promised = std::floor(level * static_cast<double>(others + 1) + 1e-9) /
                            static_cast<double>(others + 1);
    const auto found = static_cast<double>(std::count_if(
        p_values.begin(), p_values.end(), [&](double p) { return p <= level + 1e-9; }));
    EXPECT_NEAR(found / draws, promised, 3.5 * std::sqrt(promised * (1 - promised) / draws))
        << level;
  }
}

struct Kind {
  const char* name;
  ScanKind kind;
};

class DrawnAlike : public ::testing::TestWithParam<Kind> {};

TEST_P(DrawnAlike, ScansAreAsUnlikeAsPromised) {
  constexpr std::size_t kOthers = 49;
  const ScanKind& kind = GetParam().kind;
  std::mt19937_64 generator(7);
  std::vector<double> unlike, exchanged, orientation;
  for (int draw = 0; draw < 1500; ++draw) {
    const ScanComparison comparison(drawn_scans(generator, kOthers, kind));
    const ImageQuality scan = drawn_scan(generator, kind);
    unlike.push_back(comparison.p_value(scan));
    exchanged.push_back(comparison.exchanged_channels(scan).value().p_value);
    orientation.push_back(comparison.wrong_orientation(scan).p_value);
  }
  expect_valid(unlike, kOthers, "unlike");
  expect_valid(exchanged, kOthers, "exchanged");
  expect_valid(orientation, kOthers, "orientation");
}

INSTANTIATE_TEST_SUITE_P(Numbers, DrawnAlike,
                         ::testing::Values(Kind{"Normal", {}}, Kind{"HeavyTailed", {.heavy = true}},
                                           Kind{"SeldomMissing", {.missing = 0.05}},
                                           Kind{"MostlyMissing", {.missing = 0.9}}),
                         [](const auto& of) { return of.param.name; });

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

/// The leverage of every scan by the definition, with numpy's formulas written out.
TEST(ScanComparison, ThePValueIsTheShareOfLeverages) {
  std::mt19937_64 generator(21);
  for (const double missing : {0.0, 0.5}) {
    std::vector<ImageQuality> scans = drawn_scans(generator, 40, {.missing = missing});
    const ScanComparison comparison({scans.begin() + 1, scans.end()});
    Eigen::MatrixXd rows;
    for (std::size_t n = 0; n < scans.size(); ++n) {
      const NumberRow row = all_numbers(scans[n]);
      rows.conservativeResize(static_cast<Eigen::Index>(n) + 1,
                              static_cast<Eigen::Index>(row.size()));
      for (std::size_t c = 0; c < row.size(); ++c) {
        rows(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(c)) = row[c];
      }
    }
    for (auto column : rows.colwise()) {
      double sum = 0, count = 0;
      for (const double number : column) {
        if (!std::isnan(number)) sum += number, ++count;
      }
      for (double& number : column) number = std::isnan(number) ? 0 : number - sum / count;
      column /= std::sqrt(column.squaredNorm() / static_cast<double>(column.size()));
    }
    const auto count = static_cast<double>(rows.rows());
    const Eigen::MatrixXd penalised =
        rows.transpose() * rows + 0.1 * count * Eigen::MatrixXd::Identity(rows.cols(), rows.cols());
    const Eigen::MatrixXd hat = rows * penalised.inverse() * rows.transpose();
    const auto as_far = (hat.diagonal().array() >= hat(0, 0) - 1e-12).count();
    EXPECT_DOUBLE_EQ(comparison.p_value(scans.front()), static_cast<double>(as_far) / count);
  }
}

TEST(ScanComparison, NumbersNobodyMeasuresAreUnlikeAndNothingElse) {
  std::mt19937_64 generator(4);
  const std::vector<ImageQuality> others = drawn_scans(generator, 60);
  const ScanComparison comparison(others);
  const ImageQuality scan = drawn_scan(generator);
  const double usual = comparison.p_value(scan);
  const auto p_after = [&](const std::function<void(ImageQuality&)>& change) {
    ImageQuality changed = scan;
    change(changed);
    EXPECT_GE(comparison.exchanged_channels(changed).value().p_value, 1.0 / 61);
    EXPECT_GE(comparison.wrong_orientation(changed).p_value, 1.0 / 61);
    return comparison.p_value(changed);
  };
  EXPECT_DOUBLE_EQ(p_after([](ImageQuality& s) { s.channels[1].quantiles.back() = 1e308; }),
                   1.0 / 61);
  EXPECT_DOUBLE_EQ(p_after([](ImageQuality& s) { s.brain.coskewness[0][1] = -1e308; }), 1.0 / 61);
  EXPECT_DOUBLE_EQ(p_after([](ImageQuality& s) { s.brain_ml = 0; }), 1.0 / 61);
  // Nor does a damaged calibration scan make others unlike.
  std::vector<ImageQuality> damaged = others;
  damaged[5].brain_ml = 0;
  damaged[6].channels[0].quantiles.front() = -1e308;
  EXPECT_GT(ScanComparison(damaged).p_value(scan), 1.0 / 61);
  EXPECT_GT(usual, 1.0 / 61);
}

TEST(ScanComparison, OfASingleChannelNoneIsExchanged) {
  std::mt19937_64 generator(5);
  std::vector<ImageQuality> others = drawn_scans(generator, 30);
  for (ImageQuality& scan : others) scan.channels.resize(1);
  const ImageQuality scan = others.back();
  others.pop_back();
  const ScanComparison comparison(others);
  EXPECT_FALSE(comparison.exchanged_channels(scan));
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

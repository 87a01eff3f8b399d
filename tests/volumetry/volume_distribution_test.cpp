#include "mcvol/volumetry/volume_distribution.h"

#include "mcvol/error/error.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>

#include "support/infinity.h"
#include "volumetry/test_voxels.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr double kVoxelMl = 0.001;

VolumeDistribution distribution_of(const LogitHistogram& histogram, double rho) {
  return VolumeDistribution({&histogram, 1}, kVoxelMl, {Sampler::kCopula, rho});
}

/// Sum of Phi((probit p + sqrt(rho) z) / sqrt(1 - rho)) over explicit voxels.
double copula_count(const std::vector<double>& voxel_probits, double rho, double z) {
  double sum = 0;
  for (const double a : voxel_probits) {
    sum += std::erfc(-(a + std::sqrt(rho) * z) / std::sqrt(2 * (1 - rho)));
  }
  return sum / 2;
}

class BruteForce : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto logits = scan_logits(3000000, 100000, 1.0);
    histogram_ = histogram_of(logits);
    sorted_ = sorted_probabilities(logits);
  }
  static inline LogitHistogram histogram_;
  static inline std::vector<double> sorted_;
};

TEST_F(BruteForce, CopulaQuantilesAreWithinATenthOfAPercentOfTheVoxelSum) {
  std::vector<double> probits;
  probits.reserve(sorted_.size());
  for (const double p : sorted_) probits.push_back(probit(p));
  for (const double rho : {0.05, 0.5, 0.95, 0.999}) {
    const VolumeDistribution distribution = distribution_of(histogram_, rho);
    for (const double probability : {0.05, 0.5, 0.95}) {
      const double expected = kVoxelMl * copula_count(probits, rho, probit(probability));
      EXPECT_NEAR(distribution.quantile(probability) / expected, 1, 1e-3)
          << "rho " << rho << ", probability " << probability << ", " << expected << " ml";
    }
  }
}

TEST_F(BruteForce, LevelSetQuantilesAreWithinATenthOfAPercentOfCountedVoxels) {
  const VolumeDistribution distribution({&histogram_, 1}, kVoxelMl, {});
  // Not 0.999: there the background ends in a cliff, which no real scan has.
  for (const double probability : {0.001, 0.01, 0.05, 0.123, 0.3, 0.5, 0.77, 0.9, 0.95, 0.99,
                                   0.9985, 0.9995, 0.9999, 0.99999}) {
    const double expected = kVoxelMl * count_above(sorted_, 1 - probability);
    EXPECT_NEAR(distribution.quantile(probability) / expected, 1, 1e-3)
        << "probability " << probability << ", " << expected << " ml";
    EXPECT_NEAR(distribution.cdf(expected), probability,
                1e-3 * std::min(probability, 10 * (1 - probability)));
  }
}

TEST_F(BruteForce, MeanIsTheSummedProbabilityForEveryRho) {
  const double expected = kVoxelMl * std::accumulate(sorted_.begin(), sorted_.end(), 0.0);
  for (const double rho : {0.0, 0.05, 0.3, 0.7, 0.95, 0.999, 1.0}) {
    const VolumeDistribution distribution = distribution_of(histogram_, rho);
    EXPECT_NEAR(distribution.mean_ml() / expected, 1, 1e-6);
    // And so is the integral of the quantile function, over z since its tails matter.
    double integral = 0;
    for (double z = -7; z <= 7; z += 0.125) {
      integral += 0.125 * normal_pdf(z) * distribution.quantile(normal_cdf(z));
    }
    EXPECT_NEAR(integral / expected, 1, 1e-3) << "rho " << rho;
  }
}

TEST_F(BruteForce, StandardDeviationIsThatOfTheQuantiles) {
  for (const double rho : {0.0, 0.05, 0.7, 0.999, 1.0}) {
    const VolumeDistribution distribution = distribution_of(histogram_, rho);
    double square = 0;
    for (double z = -7; z <= 7; z += 0.0625) {
      const double deviation = distribution.quantile(normal_cdf(z)) - distribution.mean_ml();
      square += 0.0625 * normal_pdf(z) * deviation * deviation;
    }
    EXPECT_NEAR(std::sqrt(square) / distribution.sd_ml(), 1, 1e-3) << "rho " << rho;
  }
}

TEST(LevelSetVolumes, MedianOfOnePassIsItsThresholdedVolume) {
  const LogitHistogram histogram = histogram_of(scan_logits(10000, 30000, 1.0));
  const VolumeDistribution distribution({&histogram, 1}, kVoxelMl, {});
  EXPECT_NEAR(distribution.quantile(0.5), kVoxelMl * static_cast<double>(histogram.above_half()),
              1e-9);
}

TEST(CopulaVolumes, MovesFromTheSumToTheThresholdAsRhoGrows) {
  const LogitHistogram histogram = histogram_of(scan_logits(300000, 30000, 1.0));
  double before = kVoxelMl * histogram.probability_sum();
  EXPECT_NEAR(distribution_of(histogram, 0).quantile(0.5), before, 1e-3);
  EXPECT_NEAR(distribution_of(histogram, 1e-6).quantile(0.5), before, 1e-3);
  for (const double rho : {0.05, 0.3, 0.6, 0.9, 0.985, 0.995, 1.0}) {
    const double median = distribution_of(histogram, rho).quantile(0.5);
    EXPECT_LT(median, before) << "rho " << rho;
    before = median;
  }
  EXPECT_NEAR(before, kVoxelMl * static_cast<double>(histogram.above_half()), 1e-9);
}

LogitHistogram histogram_of_counts(const std::vector<std::pair<float, int>>& counts) {
  LogitHistogram histogram;
  for (const auto& [logit, count] : counts) histogram.add(std::vector<float>(count, logit));
  return histogram;
}

// import numpy as np; from scipy.stats import norm; from scipy.optimize import brentq
// from scipy.special import expit
// c = np.array([4e6, 3e6, 2e6, 6e6]); a = norm.ppf(expit(np.array([-3, -0.5, 1.25, 4])))
// m = lambda z: (c * norm.cdf((a + np.sqrt(rho) * z) / np.sqrt(1 - rho))).sum()
// norm.cdf(brentq(lambda z: m(z) - v * 1000, -60, 60, xtol=1e-14))
TEST(CopulaVolumes, CdfMatchesScipyForManyVoxels) {
  struct Row {
    double rho, volume_ml, cdf;
  };
  const LogitHistogram histogram =
      histogram_of_counts({{-3.0f, 4000000}, {-0.5f, 3000000}, {1.25f, 2000000}, {4.0f, 6000000}});
  for (const Row& row : std::initializer_list<Row>{{0.1, 5000, 1.4786350639930457e-06},
                                                   {0.1, 8000, 0.15379780046280755},
                                                   {0.1, 9000, 0.6210816107929917},
                                                   {0.1, 12000, 0.9999879966240152},
                                                   {0.5, 5000, 0.014822058051118267},
                                                   {0.5, 8000, 0.32538791555395324},
                                                   {0.5, 9000, 0.5629516449576939},
                                                   {0.5, 12000, 0.9687924821365845},
                                                   {0.9, 5000, 0.029481796177008322},
                                                   {0.9, 8000, 0.39365528414404605},
                                                   {0.9, 9000, 0.573835601233659},
                                                   {0.9, 12000, 0.937728382398308}}) {
    const double cdf = distribution_of(histogram, row.rho).cdf(row.volume_ml);
    EXPECT_NEAR(cdf, row.cdf, 1e-4 * std::max(row.cdf, 0.01))
        << "rho " << row.rho << ", " << row.volume_ml << " ml";
  }
}

// The same with c = [40, 30, 20, 60] and what the voxels scatter given z:
// s = lambda z: np.sqrt((c * q(z) * (1 - q(z))).sum())
// quad(lambda z: norm.pdf(z) * norm.cdf((v - m(z)) / s(z)), -9, 9, epsabs=1e-12, limit=400)
TEST(CopulaVolumes, ScatterOfFewVoxelsIsFoldedIn) {
  struct Row {
    double rho, voxels, cdf;
  };
  const LogitHistogram histogram =
      histogram_of_counts({{-3.0f, 40}, {-0.5f, 30}, {1.25f, 20}, {4.0f, 60}});
  for (const Row& row : std::initializer_list<Row>{{0.001, 75, 0.00033793546598239972},
                                                   {0.001, 85, 0.2356816053838042},
                                                   {0.001, 95, 0.9748279841294235},
                                                   {0.05, 75, 0.024653931897602156},
                                                   {0.05, 85, 0.3387188445706269},
                                                   {0.05, 95, 0.8711536741681738},
                                                   {0.3, 75, 0.16974722077779472},
                                                   {0.3, 85, 0.4231890389882892},
                                                   {0.3, 95, 0.7098499000047687}}) {
    EXPECT_NEAR(distribution_of(histogram, row.rho).cdf(row.voxels * kVoxelMl), row.cdf, 0.01)
        << "rho " << row.rho << ", " << row.voxels << " voxels";
  }
}

// from scipy.stats import binom; binom.cdf([90, 100, 115], 400, expit(-1.125))
TEST(IndependentVoxels, MatchTheBinomialOfEqualProbabilities) {
  const LogitHistogram histogram = histogram_of_counts({{-1.125f, 400}});
  const VolumeDistribution distribution({&histogram, 1}, kVoxelMl, {Sampler::kBernoulli, 1.0});
  EXPECT_NEAR(distribution.cdf(90.5 * kVoxelMl), 0.19119822236944278, 5e-3);
  EXPECT_NEAR(distribution.cdf(100.5 * kVoxelMl), 0.6162534676831461, 5e-3);
  EXPECT_NEAR(distribution.cdf(115.5 * kVoxelMl), 0.9773756798084099, 5e-3);
  const double p = 1 / (1 + std::exp(1.125));
  EXPECT_NEAR(distribution.sd_ml(), kVoxelMl * std::sqrt(400 * p * (1 - p)), 1e-9);
}

TEST(VolumeDistribution, QuantileAndCdfInvertEachOtherForEverySampler) {
  const std::vector<LogitHistogram> passes{histogram_of(scan_logits(200000, 30000, 0.9)),
                                           histogram_of(scan_logits(200000, 30000, 1.0)),
                                           histogram_of(scan_logits(200000, 30000, 1.2))};
  for (const double rho : {0.0, 0.01, 0.4, 0.95, 0.998, 1.0}) {
    const VolumeDistribution distribution(passes, kVoxelMl, {Sampler::kCopula, rho});
    double before = 0;
    for (const double probability : {0.001, 0.01, 0.2, 0.5, 0.8, 0.99, 0.9999}) {
      const double volume = distribution.quantile(probability);
      EXPECT_GT(volume, before);
      EXPECT_NEAR(distribution.cdf(volume), probability, 1e-6 * probability);
      EXPECT_NEAR(distribution.probit_cdf(volume), probit(probability), 1e-4);
      before = volume;
    }
  }
}

TEST(VolumeDistribution, MixtureQuantilesMatchTheMergedSampleOfAllPasses) {
  std::vector<LogitHistogram> passes;
  std::vector<double> sample;
  constexpr int kDraws = 20000;
  for (const double inside : {0.8, 1.0, 1.15}) {
    const auto logits = scan_logits(100000, 100000, inside);
    passes.push_back(histogram_of(logits));
    const auto p = sorted_probabilities(logits);
    for (int draw = 0; draw < kDraws; ++draw) {
      sample.push_back(kVoxelMl * count_above(p, (draw + 0.5) / kDraws));
    }
  }
  std::sort(sample.begin(), sample.end());
  const VolumeDistribution distribution(passes, kVoxelMl, {});
  for (const double probability : {0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98}) {
    const auto rank = static_cast<std::size_t>(probability * static_cast<double>(sample.size()));
    EXPECT_NEAR(distribution.quantile(probability) / sample[rank], 1, 1.5e-3) << probability;
  }
}

TEST(VolumeDistribution, FarTailsOfProbitCdfDoNotTie) {
  const std::vector<LogitHistogram> passes{histogram_of(scan_logits(300000, 30000, 0.9)),
                                           histogram_of(scan_logits(300000, 30000, 1.0))};
  for (const double rho : {0.0, 0.05, 0.5, 0.95, 1.0}) {
    // At rho = 0 the passes lie so far apart that nothing is left between them.
    const std::span<const LogitHistogram> some(passes.data(), rho > 0 ? 2 : 1);
    const VolumeDistribution distribution(some, kVoxelMl, {Sampler::kCopula, rho});
    double before = -kInfinity;
    for (double volume = 0.5; volume < 329; volume *= 1.1) {
      const double z = distribution.probit_cdf(volume);
      EXPECT_GT(z, before) << "rho " << rho << ", " << volume << " ml";
      EXPECT_TRUE(std::isfinite(z));
      before = z;
    }
    EXPECT_EQ(distribution.probit_cdf(-0.001), -kInfinity);
  }
}

TEST(VolumeDistribution, DoesNotDependOnTheOrderOfVoxelsOrPasses) {
  auto logits = scan_logits(50000, 20000, 1.0);
  const LogitHistogram first = histogram_of(logits);
  std::shuffle(logits.begin(), logits.end(), std::mt19937(31));
  const LogitHistogram second = histogram_of(scan_logits(50000, 20000, 1.1));
  const std::vector<LogitHistogram> passes{first, second};
  const std::vector<LogitHistogram> swapped{second, histogram_of(logits)};
  for (const double rho : {0.0, 0.3, 1.0}) {
    const VolumeDistribution one(passes, kVoxelMl, {Sampler::kCopula, rho});
    const VolumeDistribution other(swapped, kVoxelMl, {Sampler::kCopula, rho});
    EXPECT_EQ(one.quantile(0.1), other.quantile(0.1));
    EXPECT_EQ(one.cdf(10), other.cdf(10));
  }
}

TEST(VolumeDistribution, SoftAndThresholdHaveOneValueAPass) {
  const std::vector<LogitHistogram> passes{histogram_of_counts({{1.0f, 30}, {-1.0f, 100}}),
                                           histogram_of_counts({{1.0f, 10}, {-1.0f, 100}}),
                                           histogram_of_counts({{1.0f, 20}, {-1.0f, 100}}),
                                           histogram_of_counts({{1.0f, 40}, {-1.0f, 100}})};
  const VolumeDistribution threshold(passes, 0.5, {Sampler::kThreshold, 1.0});
  EXPECT_EQ(threshold.quantile(0.25), 5);
  EXPECT_EQ(threshold.quantile(0.26), 10);
  EXPECT_EQ(threshold.quantile(0.75), 15);
  EXPECT_EQ(threshold.quantile(0.99), 20);
  EXPECT_EQ(threshold.cdf(15), 0.75);
  EXPECT_EQ(threshold.cdf(14.9), 0.5);
  EXPECT_EQ(threshold.probit_cdf(20), kInfinity);
  EXPECT_EQ(threshold.mean_ml(), 12.5);
  EXPECT_NEAR(threshold.sd_ml(), std::sqrt(31.25), 1e-12);
  const VolumeDistribution soft(passes, 0.5, {Sampler::kSoft, 1.0});
  const double p = 1 / (1 + std::exp(-1.0));
  EXPECT_NEAR(soft.quantile(0.5), 0.5 * (20 * p + 100 * (1 - p)), 1e-9);
}

TEST(VolumeDistribution, NothingToMeasureIsAVolumeOfZero) {
  const LogitHistogram none;
  const LogitHistogram background =
      histogram_of(std::vector<float>(1000000, -std::numeric_limits<float>::infinity()));
  for (const Sampler sampler :
       {Sampler::kThreshold, Sampler::kBernoulli, Sampler::kLevelSet, Sampler::kCopula}) {
    for (const LogitHistogram& histogram : {none, background}) {
      const VolumeDistribution distribution({&histogram, 1}, kVoxelMl, {sampler, 0.4});
      for (const double probability : {0.05, 0.5, 0.95}) {
        // A million voxels of the least probability, drawn one by one, may give one voxel.
        const double most = sampler == Sampler::kBernoulli ? kVoxelMl : 0;
        EXPECT_LE(distribution.quantile(probability), most);
      }
      EXPECT_GT(distribution.cdf(0), 0.6);
      EXPECT_EQ(distribution.cdf(-1), 0);
      EXPECT_GE(distribution.sd_ml(), 0);
      EXPECT_LT(distribution.mean_ml(), kVoxelMl);
    }
  }
}

TEST(VolumeDistribution, CertainVoxelsMakeACertainVolume) {
  const float sure = std::numeric_limits<float>::infinity();
  const LogitHistogram histogram = histogram_of_counts({{sure, 5000}, {-sure, 20000}});
  for (const double rho : {0.0, 0.5, 1.0}) {
    const VolumeDistribution distribution = distribution_of(histogram, rho);
    EXPECT_NEAR(distribution.quantile(0.01), 5, 0.002);
    EXPECT_NEAR(distribution.quantile(0.99), 5, 0.002);
  }
}

TEST(VolumeDistribution, ArgumentsOutOfRangeAreRefused) {
  const LogitHistogram histogram;
  const std::span<const LogitHistogram> one(&histogram, 1);
  EXPECT_THROW(VolumeDistribution({}, 1, {}), Error);
  EXPECT_THROW(VolumeDistribution(one, 0, {}), Error);
  EXPECT_THROW(VolumeDistribution(one, std::nan(""), {}), Error);
  EXPECT_THROW(VolumeDistribution(one, 1, {Sampler::kCopula, 1.01}), Error);
  EXPECT_THROW(VolumeDistribution(one, 1, {Sampler::kCopula, std::nan("")}), Error);
  const VolumeDistribution distribution(one, 1, {});
  EXPECT_THROW(distribution.quantile(0), Error);
  EXPECT_THROW(distribution.quantile(1), Error);
}

}  // namespace
}  // namespace mcvol

#include "mcvol/pipeline/histogram_sink.h"

#include "mcvol/error/error.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr int kRegions = 2;

/// [pass, region, voxel]
struct Logits {
  int passes;
  std::int64_t voxels;
  std::vector<float> values;

  float& at(int pass, int region, std::int64_t voxel) {
    return values[static_cast<std::size_t>((pass * kRegions + region) * voxels + voxel)];
  }
};

Logits random_logits(int passes, std::int64_t voxels) {
  Logits logits{passes, voxels, std::vector<float>(passes * kRegions * voxels)};
  std::mt19937 generator(7);
  std::uniform_real_distribution<float> uniform(-18.0f, 18.0f);
  for (float& value : logits.values) value = uniform(generator);
  return logits;
}

/// Hands over some voxels of consecutive passes.
void give(Logits& logits, const std::vector<std::int64_t>& voxels, int first_pass, int pass_count,
          HistogramSink& sink) {
  std::vector<float> values;
  for (int pass = first_pass; pass < first_pass + pass_count; ++pass) {
    for (int region = 0; region < kRegions; ++region) {
      for (const std::int64_t voxel : voxels) values.push_back(logits.at(pass, region, voxel));
    }
  }
  sink.accept({voxels, first_pass, pass_count, kRegions, values});
}

std::vector<std::int64_t> range(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> voxels(static_cast<std::size_t>(end - begin));
  std::iota(voxels.begin(), voxels.end(), begin);
  return voxels;
}

std::vector<RegionRecord> whole(Logits& logits) {
  HistogramSink sink({"a", "b"}, logits.voxels, logits.passes, 0);
  give(logits, range(0, logits.voxels), 0, logits.passes, sink);
  return sink.finish();
}

void expect_equal(const std::vector<RegionRecord>& a, const std::vector<RegionRecord>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t region = 0; region < a.size(); ++region) {
    EXPECT_EQ(a[region].region, b[region].region);
    EXPECT_TRUE(a[region].passes == b[region].passes);
    EXPECT_TRUE(a[region].mean == b[region].mean);
    EXPECT_EQ(a[region].agreement, b[region].agreement);
  }
}

int passes_above_half(Logits& logits, int region, std::int64_t voxel, int passes) {
  int count = 0;
  for (int pass = 0; pass < passes; ++pass) count += logits.at(pass, region, voxel) > 0 ? 1 : 0;
  return count;
}

/// Voxels by that number.
std::vector<std::int64_t> counted_agreement(Logits& logits, int region, int passes) {
  std::vector<std::int64_t> voxels(static_cast<std::size_t>(passes) + 1);
  for (std::int64_t voxel = 0; voxel < logits.voxels; ++voxel) {
    ++voxels[static_cast<std::size_t>(passes_above_half(logits, region, voxel, passes))];
  }
  return voxels;
}

TEST(HistogramSink, AgreementCountsVoxelsByTheirPassesAboveHalf) {
  Logits logits = random_logits(9, 3000);
  logits.at(4, 0, 11) = 0.0f;  // p = 0.5 is not above it
  logits.at(5, 1, 12) = -0.0f;
  const auto records = whole(logits);
  for (int region = 0; region < kRegions; ++region) {
    EXPECT_EQ(records[static_cast<std::size_t>(region)].agreement,
              counted_agreement(logits, region, 9));
  }
}

TEST(HistogramSink, PassHistogramsAreThoseOfTheirLogits) {
  Logits logits = random_logits(3, 1500);
  const auto records = whole(logits);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].region, "b");
  for (int pass = 0; pass < 3; ++pass) {
    LogitHistogram expected;
    for (std::int64_t voxel = 0; voxel < 1500; ++voxel) expected.add(logits.at(pass, 1, voxel));
    EXPECT_TRUE(records[1].passes[pass] == expected);
  }
}

TEST(HistogramSink, MeanProbabilityKeepsBothTails) {
  // Symmetric pairs: 1 - mean(p) of one voxel is mean(p) of the other, in long double.
  for (const float base : {0.25f, 2.0f, 9.0f, 15.0f}) {
    for (const float sign : {-1.0f, 1.0f}) {
      Logits logits{4, 1, std::vector<float>(4 * kRegions)};
      long double sum = 0, complement = 0;
      for (int pass = 0; pass < 4; ++pass) {
        const float logit = sign * (base + 0.2f * static_cast<float>(pass));
        for (int region = 0; region < kRegions; ++region) logits.at(pass, region, 0) = logit;
        sum += 1.0L / (1.0L + std::exp(-static_cast<long double>(logit)));
        complement += 1.0L / (1.0L + std::exp(static_cast<long double>(logit)));
      }
      const double expected = static_cast<double>(std::log(sum) - std::log(complement));
      const LogitHistogram mean = whole(logits)[0].mean;
      // A voxel lies between two nodes, linearly in the smaller of p and 1 - p.
      const HistogramNodes& nodes = histogram_nodes();
      double tail = 0;
      for (int node = 0; node < kHistogramNodes; ++node) {
        const double value = sign < 0 ? nodes.probabilities[node] : nodes.complements[node];
        tail += value * static_cast<double>(mean.weights()[node]) / kVoxelWeight;
      }
      const double expected_tail = 1.0 / (1.0 + std::exp(std::abs(expected)));
      EXPECT_NEAR(tail / expected_tail, 1.0, 1e-5) << "logit about " << expected;
      EXPECT_EQ(mean.above_half(), sign > 0 ? 1 : 0);
    }
  }
}

TEST(HistogramSink, MeanProbabilityOfOnePassIsThatOfItsLogitToTheLastBit) {
  Logits logits{1, 4001, {}};
  for (int n = 0; n < 4001; ++n) logits.values.push_back(static_cast<float>(n - 2000) / 50.0f);
  logits.values.resize(static_cast<std::size_t>(4001) * kRegions, 0.0f);
  HistogramSink sink({"a", "b"}, logits.voxels, 1, 0);
  give(logits, range(0, logits.voxels), 0, 1, sink);
  for (int n = 0; n < 4001; ++n) {
    const long double exact =
        1.0L /
        (1.0L + std::exp(-static_cast<long double>(logits.values[static_cast<std::size_t>(n)])));
    ASSERT_NEAR(sink.mean_probability(0, static_cast<std::size_t>(n)), static_cast<double>(exact),
                0x1.1p-49)
        << n;  // half a unit of 2^-48, and what a double rounds
  }
}

TEST(HistogramSink, InfinitiesGoToTheEnds) {
  const float infinity = std::numeric_limits<float>::infinity();
  Logits logits{2, 2, {}};
  logits.values = {infinity, -infinity, 0, 0, infinity, -infinity, 0, 0};
  const auto records = whole(logits);
  EXPECT_EQ(records[0].mean.weights().front(), kVoxelWeight);
  EXPECT_EQ(records[0].mean.weights().back(), kVoxelWeight);
}

TEST(HistogramSink, BlocksAndGroupsOfPassesDoNotChangeABit) {
  Logits logits = random_logits(7, 2000);
  const auto expected = whole(logits);
  HistogramSink sink({"a", "b"}, logits.voxels, logits.passes, 0);
  std::vector<std::int64_t> order = range(0, logits.voxels);
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  for (int first = 0; first < 7; first += 3) {
    for (std::size_t begin = 0; begin < order.size(); begin += 333) {
      const std::size_t end = std::min(begin + 333, order.size());
      give(logits, {order.begin() + begin, order.begin() + end}, first, std::min(3, 7 - first),
           sink);
    }
  }
  expect_equal(sink.finish(), expected);
}

TEST(HistogramSink, OrderOfPassesDoesNotChangeABit) {
  Logits logits = random_logits(13, 1000);
  const auto expected = whole(logits);
  std::vector<int> passes(13);
  std::iota(passes.begin(), passes.end(), 0);
  std::mt19937 generator(11);
  for (int trial = 0; trial < 5; ++trial) {
    std::shuffle(passes.begin(), passes.end(), generator);
    HistogramSink sink({"a", "b"}, logits.voxels, logits.passes, 0);
    for (const int pass : passes) give(logits, range(0, logits.voxels), pass, 1, sink);
    expect_equal(sink.finish(), expected);
  }
}

/// Mean over passes of the probabilities' tail: of p where it is small, else of 1 - p.
long double tail_of(const std::vector<float>& logits, bool upper) {
  long double sum = 0;
  for (const float logit : logits) {
    sum += 1.0L / (1.0L + std::exp(static_cast<long double>(upper ? logit : -logit)));
  }
  return sum / static_cast<long double>(logits.size());
}

/// The same of a histogram of one voxel, which lies between two nodes linearly in its tail.
double tail_of(const LogitHistogram& histogram, bool upper) {
  const HistogramNodes& nodes = histogram_nodes();
  double tail = 0;
  for (int node = 0; node < kHistogramNodes; ++node) {
    const double value = upper ? nodes.complements[node] : nodes.probabilities[node];
    tail += value * static_cast<double>(histogram.weights()[node]) / kVoxelWeight;
  }
  return tail;
}

TEST(HistogramSink, MeansNearTheEndsAreThoseOfLongDouble) {
  constexpr int kPasses = 10'000;
  const float end = std::log(1e7f);  // p = 1e-7 below, 1 - 1e-7 above: near the last node at 16
  std::mt19937 generator(5);
  std::uniform_real_distribution<float> above(end - 1.0f, end);
  for (const bool upper : {false, true}) {
    std::vector<float> each(kPasses);
    for (float& logit : each) logit = upper ? above(generator) : -above(generator);
    for (const std::vector<float>& passes : {each, std::vector<float>(3, upper ? 15.9f : -15.9f)}) {
      Logits logits{static_cast<int>(passes.size()), 1, {}};
      for (const float logit : passes) logits.values.insert(logits.values.end(), kRegions, logit);
      const double expected = static_cast<double>(tail_of(passes, upper));
      // A weight of the histogram is rounded to 2^-16, an interval is 12 % of its inner node wide.
      EXPECT_NEAR(tail_of(whole(logits)[0].mean, upper) / expected, 1.0, 0.13 * 0x1p-16);
    }
  }
}

TEST(HistogramSink, MostPassesOfCertaintyFit) {
  constexpr int kPasses = 10'000;
  Logits logits{kPasses, 1, std::vector<float>(kPasses * kRegions, 40.0f)};
  const LogitHistogram mean = whole(logits)[0].mean;
  EXPECT_EQ(mean.weights().back(), kVoxelWeight);
  EXPECT_EQ(mean.above_half(), 1);
}

TEST(HistogramSink, ThreadsDoNotChangeABit) {
  Logits logits = random_logits(5, 4000);
  const auto expected = whole(logits);
  HistogramSink sink({"a", "b"}, logits.voxels, logits.passes, 0);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int block = 0; block < 10; ++block) {
        const std::int64_t begin = (thread * 10 + block) * 100;
        give(logits, range(begin, begin + 100), 0, 5, sink);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect_equal(sink.finish(), expected);
}

TEST(HistogramSink, PassesWithoutDropoutAreNoPartOfTheMean) {
  Logits logits = random_logits(5, 700);
  HistogramSink sink({"a", "b"}, 700, 3, 2);
  give(logits, range(0, 700), 0, 5, sink);
  HistogramSink of_three({"a", "b"}, 700, 3, 0);
  give(logits, range(0, 700), 0, 3, of_three);
  const auto records = sink.finish();
  expect_equal(records, of_three.finish());
  const auto all = whole(logits);
  for (std::size_t region = 0; region < 2; ++region) {
    ASSERT_EQ(records[region].without_dropout.size(), 2u);
    EXPECT_EQ(records[region].without_dropout[0], all[region].passes[3]);
    EXPECT_EQ(records[region].without_dropout[1], all[region].passes[4]);
    EXPECT_EQ(records[region].agreement, counted_agreement(logits, static_cast<int>(region), 3));
  }
}

TEST(HistogramSink, PassesAddedLaterGiveWhatAllTogetherGive) {
  Logits logits = random_logits(7, 700);
  HistogramSink sink({"a", "b"}, 700, 3, 1);
  give(logits, range(0, 700), 0, 4, sink);
  EXPECT_EQ(sink.passes(1).size(), 3u);
  const LogitHistogram without_dropout = whole(logits)[0].passes[3];
  sink.extend(7);
  EXPECT_THROW(give(logits, range(0, 700), 2, 1, sink), Error);
  give(logits, range(0, 400), 3, 4, sink);
  EXPECT_THROW(sink.passes(0), ModelError);
  give(logits, range(400, 700), 3, 4, sink);
  EXPECT_EQ(sink.passes(0).size(), 7u);
  const auto records = sink.finish();
  expect_equal(records, whole(logits));
  ASSERT_EQ(records[0].without_dropout.size(), 1u);
  EXPECT_EQ(records[0].without_dropout[0], without_dropout);
}

TEST(HistogramSink, SumsMadeElsewhereReplaceThoseOfTheRequestBefore) {
  Logits logits = random_logits(5, 40);
  const auto all = whole(logits);
  HistogramSink sink({"a", "b"}, 40, 3, 0);
  EXPECT_EQ(sink.earlier_sums().probabilities, nullptr);
  EXPECT_EQ(sink.earlier_sums().above_half, nullptr);
  const auto sums = std::make_shared<std::vector<std::int64_t>>(80, 1);
  const auto counts = std::make_shared<std::vector<std::int32_t>>(80, 3);
  const VoxelSums of_three{{sums, sums->data()}, {counts, counts->data()}};
  std::vector<LogitHistogram> histograms, means{all[0].mean, all[1].mean};
  for (const RegionRecord& region : all) {
    histograms.insert(histograms.end(), region.passes.begin(), region.passes.begin() + 3);
  }
  sink.accept(LogitSums{histograms, {means.data(), 2}, of_three, 40});
  EXPECT_EQ(sink.earlier_sums().probabilities, of_three.probabilities);
  EXPECT_EQ(sink.earlier_sums().above_half, of_three.above_half);
  EXPECT_EQ(sink.agreement(1, 7), 1.0);
  sink.extend(5);
  EXPECT_THROW(sink.accept(LogitSums{histograms, means, of_three, 40}), Error);
  histograms.clear();
  for (const RegionRecord& region : all) {
    histograms.insert(histograms.end(), region.passes.begin() + 3, region.passes.end());
  }
  const auto all_counts = std::make_shared<std::vector<std::int32_t>>();
  for (int region = 0; region < kRegions; ++region) {
    for (std::int64_t voxel = 0; voxel < 40; ++voxel) {
      all_counts->push_back(passes_above_half(logits, region, voxel, 5));
    }
  }
  const VoxelSums of_all{of_three.probabilities, {all_counts, all_counts->data()}};
  sink.accept(LogitSums{histograms, means, of_all, 40});
  expect_equal(sink.finish(), all);
}

TEST(HistogramSink, MissingVoxelsAreAnErrorOfTheModel) {
  Logits logits = random_logits(2, 100);
  HistogramSink sink({"a", "b"}, 100, 2, 0);
  give(logits, range(0, 99), 0, 2, sink);
  EXPECT_THROW(sink.finish(), ModelError);
}

TEST(HistogramSink, RefusesNanAndBlocksOutsideTheScan) {
  Logits logits = random_logits(2, 10);
  HistogramSink sink({"a", "b"}, 9, 2, 0);
  EXPECT_THROW(give(logits, range(0, 10), 0, 2, sink), Error);
  const std::vector<std::int64_t> one{0};
  const std::vector<float> values(4, 0.0f);
  EXPECT_THROW(sink.accept({one, 1, 2, 2, values}), Error);
  EXPECT_THROW(sink.accept({one, 0, 1, 2, values}), Error);
  logits.at(1, 1, 3) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(give(logits, range(0, 9), 0, 2, sink), InputError);
}

}  // namespace
}  // namespace mcvol

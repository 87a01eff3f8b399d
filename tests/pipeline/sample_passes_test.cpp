#include "mcvol/pipeline/sample_passes.h"

#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "pipeline/fake_segmenter.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

std::vector<int> numbers_for(int networks) {
  PredictOptions options;
  options.mc_tolerance = 0.05;
  return pass_schedule(options, networks).passes;
}

TEST(PassSchedule, DoublesInWholeRoundsOfAnEnsemble) {
  EXPECT_EQ(numbers_for(1), (std::vector<int>{20, 40, 80, 160, 320}));
  EXPECT_EQ(numbers_for(3), (std::vector<int>{60, 120, 240, 480}));
  EXPECT_EQ(numbers_for(5), (std::vector<int>{100, 200, 400}));
  EXPECT_EQ(numbers_for(16), std::vector<int>{320});
  EXPECT_EQ(numbers_for(50), std::vector<int>{1000});
}

TEST(PassSchedule, HasWholeRoundsOfWhichTheFirstAreEnoughToTell) {
  for (int networks = 1; networks <= 100; ++networks) {
    const std::vector<int> numbers = numbers_for(networks);
    EXPECT_EQ(numbers.front() / networks, kFirstRounds);
    EXPECT_GE(numbers.back(), 320);
    for (const int passes : numbers) EXPECT_EQ(passes % networks, 0);
  }
}

TEST(PassSchedule, OfFixedPassesIsTheirNumber) {
  PredictOptions options;
  options.passes = 7;
  EXPECT_EQ(pass_schedule(options, 1).passes, std::vector<int>{7});
  EXPECT_EQ(pass_schedule(options, 1).tolerance, std::nullopt);
}

TEST(IsSettled, WhenBothBoundsAreKnownToAShareOfTheWidth) {
  EXPECT_TRUE(is_settled(MonteCarloError{0.5, 0.5}, 10, 0.05));
  EXPECT_FALSE(is_settled(MonteCarloError{0.51, 0.1}, 10, 0.05));
  EXPECT_FALSE(is_settled(MonteCarloError{0.1, 0.51}, 10, 0.05));
}

TEST(IsSettled, WhenTheErrorIsTinyHoweverNarrowTheInterval) {
  EXPECT_TRUE(is_settled(MonteCarloError{0.01, 0.01}, 0, 0.05));
  EXPECT_FALSE(is_settled(MonteCarloError{0.01, 0.011}, 0, 0.05));
}

TEST(IsSettled, OnlyWhereThereIsAnError) { EXPECT_FALSE(is_settled(std::nullopt, 10, 0.05)); }

class SamplePasses : public ::testing::Test {
 protected:
  /// 4096 voxels of 8 mm3 whose logits fall from 6 to -6.
  SamplePasses() {
    scan_.grid.size = {16, 16, 16};
    scan_.grid.spacing_mm = {2, 2, 2};
    scan_.measured = Image<std::uint8_t>(scan_.grid);
    scan_.channels.emplace_back(scan_.grid);
    const auto count = static_cast<float>(scan_.measured.values.size());
    for (std::size_t n = 0; n < scan_.measured.values.size(); ++n) {
      scan_.measured.values[n] = 1;
      scan_.channels[0].values[n] = 3.0f - 6.0f * static_cast<float>(n) / count;
    }
  }
  /// Passes are shifted by normal draws.
  void spread(double sd) {
    std::mt19937 generator(4);
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> draws(400);
    for (float& draw : draws) draw = normal(generator);
    behaviour_->shift = [draws, sd](int pass) {
      return static_cast<float>(sd) * draws[static_cast<std::size_t>(pass)];
    };
  }
  std::optional<SampledPasses> sample(
      const PassSchedule& schedule, const WindowProgress& progress = [](double) { return true; }) {
    testing::FakeSegmenter segmenter(behaviour_);
    StageTimings timings;
    HistogramSink sink({"whole", "core"}, std::ssize(scan_.measured.values),
                       schedule.passes.front(), behaviour_->networks);
    auto sampled = sample_passes(segmenter, scan_, schedule, 5, sink, progress, timings);
    if (sampled) regions_ = sink.finish();
    return sampled;
  }
  PassSchedule schedule(double tolerance) const {
    PredictOptions options;
    options.mc_tolerance = tolerance;
    return pass_schedule(options, behaviour_->networks);
  }
  /// The largest error of a bound as a share of the interval's width, when so many passes are run.
  double largest_share(int passes) {
    const auto sampled = sample({{passes}, std::nullopt});
    double largest = 0;
    for (std::size_t n = 0; n < regions_.size(); ++n) {
      const VolumeDistribution volumes(regions_[n].passes, scan_.grid.voxel_volume_ml(), {});
      const double width_ml = volumes.quantile(0.95) - volumes.quantile(0.05);
      const MonteCarloError& error = sampled->errors[n].value();
      largest = std::max({largest, error.lower_ml / width_ml, error.upper_ml / width_ml});
    }
    return largest;
  }

  std::shared_ptr<testing::FakeSegmenter::Behaviour> behaviour_ =
      std::make_shared<testing::FakeSegmenter::Behaviour>();
  PreparedScan scan_;
  std::vector<RegionRecord> regions_;
};

TEST_F(SamplePasses, StopAtTwentyWhereTheyHardlyDiffer) {
  spread(0.1);
  const auto sampled = sample(schedule(0.05));
  ASSERT_TRUE(sampled);
  EXPECT_EQ(sampled->passes, 20);
  EXPECT_TRUE(sampled->settled);
  EXPECT_EQ(sampled->errors.size(), 2u);
}

TEST_F(SamplePasses, GoOnUntilTheToleranceIsReached) {
  spread(1.5);
  for (const auto& [passes, before] : {std::pair{40, 20}, {80, 40}, {160, 80}, {320, 160}}) {
    const double reached = largest_share(passes), not_reached = largest_share(before);
    ASSERT_LT(reached, not_reached);
    const auto sampled = sample(schedule((reached + not_reached) / 2));
    ASSERT_TRUE(sampled);
    EXPECT_EQ(sampled->passes, passes);
    EXPECT_TRUE(sampled->settled);
  }
}

TEST_F(SamplePasses, EndAtTheMostWhereItIsNotReached) {
  spread(1.5);
  const auto sampled = sample(schedule(1e-5));
  ASSERT_TRUE(sampled);
  EXPECT_EQ(sampled->passes, 320);
  EXPECT_FALSE(sampled->settled);
}

TEST_F(SamplePasses, RunEachPassOnceAndThoseWithoutDropoutFirst) {
  spread(1.5);
  sample(schedule(1e-5));
  ASSERT_EQ(behaviour_->requests.size(), 5u);
  int end = 0;
  for (const PassRequest& request : behaviour_->requests) {
    EXPECT_EQ(request.first_pass, end);
    EXPECT_EQ(request.without_dropout, end == 0);
    EXPECT_EQ(request.seed, 5u);
    end = request.end();
  }
  EXPECT_EQ(end, 320);
}

TEST_F(SamplePasses, GiveWhatTheSameNumberGivesAtOnce) {
  spread(1.5);
  const auto sampled = sample(schedule(1e-5));
  const std::vector<RegionRecord> in_parts = std::move(regions_);
  const auto at_once = sample({{320}, std::nullopt});
  EXPECT_EQ(sampled->errors, at_once->errors);
  for (std::size_t n = 0; n < in_parts.size(); ++n) {
    EXPECT_EQ(in_parts[n].passes, regions_[n].passes);
    EXPECT_EQ(in_parts[n].mean, regions_[n].mean);
    EXPECT_EQ(in_parts[n].without_dropout, regions_[n].without_dropout);
  }
}

// Networks that differ widely and passes that do not: every round is the same.
TEST_F(SamplePasses, OfAnEnsembleAreRoundsOfItsNetworks) {
  behaviour_->networks = 3;
  behaviour_->shift = [](int pass) { return static_cast<float>(pass % 3); };
  const auto sampled = sample(schedule(0.01));
  ASSERT_TRUE(sampled);
  EXPECT_EQ(sampled->passes, 60);
  EXPECT_NEAR(sampled->errors[0]->upper_ml, 0, 1e-9);
  behaviour_->networks = 10;
  behaviour_->shift = [](int pass) { return static_cast<float>(pass % 10); };
  EXPECT_EQ(sample(schedule(0.01))->passes, 200);
  behaviour_->networks = 17;
  behaviour_->shift = [](int pass) { return static_cast<float>(pass % 17); };
  EXPECT_EQ(sample(schedule(0.01))->passes, 340);
}

TEST_F(SamplePasses, ShowHowMuchIsDoneOfTheMostThatMayBeNeededAndStopWhenAsked) {
  spread(1.5);
  std::vector<double> shown;
  EXPECT_FALSE(sample(schedule(1e-5), [&](double share) {
    shown.push_back(share);
    return behaviour_->runs < 3;
  }));
  EXPECT_EQ(behaviour_->requests.back().first_pass, 40);
  EXPECT_TRUE(std::is_sorted(shown.begin(), shown.end()));
  EXPECT_GT(shown.back(), 40.0 / 320);  // and a block of voxels
  EXPECT_LT(shown.back(), 80.0 / 320);
}

}  // namespace
}  // namespace mcvol

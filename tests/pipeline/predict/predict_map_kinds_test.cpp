#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/pipeline/case_maps.h"

#include <algorithm>
#include <cmath>

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

PredictOptions with_kinds(PredictOptions options, const std::string& kinds) {
  options.save = MapChoice::parse({kinds});
  return options;
}

constexpr const char* kEveryKind = "segmentation,bounds,sd,agreement,labels,entropy";

TEST_F(Predict, SdAndAgreementAreThoseOfTheLogitsOfThePasses) {
  // Passes shift every logit by -1, 0 and 1; region core lies 0.7 lower.
  behaviour_->shift = [](int pass) { return static_cast<float>(pass - 1); };
  run(with_kinds(options(), "sd,agreement,probability"));
  const fs::path maps = maps_folder(root_ / "out", "case_a");
  const Image<float> mean = read_image(maps / "whole_probability.nii.gz");
  const Image<float> sd = read_image(maps / "whole_sd.nii.gz");
  const Image<float> agreement = read_image(maps / "whole_agreement.nii.gz");
  int tried = 0;
  for (std::size_t n = 0; n < mean.values.size(); ++n) {
    if (mean.values[n] < 0.05F || mean.values[n] > 0.95F) continue;
    // The logit whose three probabilities have this mean, by bisection.
    const auto p = [](double x) { return 1 / (1 + std::exp(-x)); };
    double low = -20, high = 20;
    for (int step = 0; step < 60; ++step) {
      const double x = (low + high) / 2;
      ((p(x - 1) + p(x) + p(x + 1)) / 3 < mean.values[n] ? low : high) = x;
    }
    double squares = 0;
    for (const double shift : {-1.0, 0.0, 1.0})
      squares += std::pow(p(low + shift) - mean.values[n], 2);
    ASSERT_NEAR(sd.values[n], std::sqrt(squares / 2), 5e-5);
    const int above =
        static_cast<int>(low > 1) + static_cast<int>(low > 0) + static_cast<int>(low > -1);
    ASSERT_NEAR(agreement.values[n], above / 3.0, 1.6e-5);
    ++tried;
  }
  EXPECT_GT(tried, 50);
}

TEST_F(Predict, EveryKindLeavesTheTableAsItIsAndIsFoundAgain) {
  run(options("plain"));
  run(with_kinds(options(), kEveryKind));
  EXPECT_EQ(table(), table("plain"));
  const fs::path maps = maps_folder(root_ / "out", "case_a");
  for (const std::string name :
       {"core_sd", "core_agreement", "core_entropy", "whole_sd", "labels", "core"}) {
    EXPECT_TRUE(fs::exists(maps / (name + ".nii.gz"))) << name;
  }
  EXPECT_EQ(run(with_kinds(options(), kEveryKind)).kept, 3);
  fs::remove(maps / "core_agreement.nii.gz");
  EXPECT_EQ(run(with_kinds(options(), "segmentation")).kept, 3);
  EXPECT_EQ(run(with_kinds(options(), kEveryKind)).measured, 1);
  EXPECT_TRUE(fs::exists(maps / "core_agreement.nii.gz"));
}

TEST_F(Predict, SavedKindsAreTheSameBytesForOtherBlocksAndOrdersOfPasses) {
  run(with_kinds(options("one"), kEveryKind));
  behaviour_->block_size = 7;
  behaviour_->passes_backwards = true;
  run(with_kinds(options(), kEveryKind));
  for (const fs::directory_entry& file :
       fs::directory_iterator(maps_folder(root_ / "one", "case_b"))) {
    const fs::path other = maps_folder(root_ / "out", "case_b") / file.path().filename();
    EXPECT_EQ(read_file(file.path()), read_file(other)) << other;
  }
}

TEST_F(Predict, LabelsLieInTheRegionsTheyAreOf) {
  run(with_kinds(options(), kEveryKind));
  const fs::path maps = maps_folder(root_ / "out", "case_a");
  const Image<std::int32_t> labels = read_label_map(maps / "labels.nii.gz");
  const Image<float> whole = read_image(maps / "whole_probability.nii.gz");
  const Image<float> core = read_image(maps / "core_probability.nii.gz");
  for (std::size_t n = 0; n < labels.values.size(); ++n) {
    const float p[3] = {1 - whole.values[n], whole.values[n] - core.values[n], core.values[n]};
    EXPECT_EQ(labels.values[n], std::max_element(p, p + 3) - p);
  }
  EXPECT_GT(std::count(labels.values.begin(), labels.values.end(), 2), 0);
}

TEST_F(Predict, SdOfOnePassIsAUsageError) {
  PredictOptions one = with_kinds(options(), "sd");
  one.passes = 1;
  EXPECT_THROW(run(one), UsageError);
  one.save = MapChoice::parse({"agreement"});
  EXPECT_EQ(run(one).measured, 3);
}

TEST_F(Predict, LabelsThatTheRegionsDoNotTellApartAreAUsageErrorBeforeAnyWork) {
  testing::write_fake_bundle(root_ / "model", [](nlohmann::json& model) {
    model["regions"] = {{{"name", "whole"}, {"outputs", {1, 2}}},
                        {{"name", "core"}, {"outputs", {1, 2}}}};
  });
  EXPECT_THROW(run(with_kinds(options(), "labels")), UsageError);
  EXPECT_EQ(behaviour_->loads, 0);
  EXPECT_EQ(run(with_kinds(options(), "entropy")).measured, 3);
}

TEST_F(Predict, WhatTheImagesWillTakeIsSaidOnceBeforeAnyIsMeasured) {
  behaviour_->on_run = [&](int) { EXPECT_EQ(listener_.notes.size(), 1U); };
  run(with_kinds(options(), "probability,sd,agreement,labels,bounds,segmentation"));
  // 12^3 voxels, of each region 0.2 + 0.2 + 0.06 + 3 * 0.005 bytes, and 0.005 of the labels.
  ASSERT_EQ(listener_.notes.size(), 1U);
  EXPECT_EQ(listener_.notes[0], "images to save: about 1.7 kB a case, 5.0 kB for 3 cases");
  EXPECT_TRUE(listener_.warnings.empty());
}

TEST_F(Predict, NothingIsSaidOfImagesThatAreNotToBeMade) {
  run(options());
  EXPECT_TRUE(listener_.notes.empty());
  run(with_kinds(options(), "sd"));
  run(with_kinds(options(), "sd"));
  EXPECT_EQ(listener_.to_measure, 0);
  EXPECT_TRUE(listener_.notes.empty());
}

TEST_F(Predict, ADiskThatIsTooSmallForTheImagesIsWarnedOfBeforeAnyIsMeasured) {
  services_.free_bytes = [&](const fs::path& folder) {
    EXPECT_EQ(folder, root_ / "out");
    return std::optional(2000.0);
  };
  behaviour_->on_run = [&](int) { EXPECT_EQ(listener_.warnings.size(), 1U); };
  EXPECT_EQ(run(with_kinds(options(), "sd,entropy")).measured, 3);
  ASSERT_EQ(listener_.warnings.size(), 1U);
  EXPECT_EQ(listener_.warnings[0],
            "images to save: about 1.4 kB a case, 4.1 kB for 3 cases, but the disk of " +
                (root_ / "out").string() + " has 2.0 kB left");
  EXPECT_TRUE(listener_.notes.empty());
  behaviour_->on_run = {};
  services_.free_bytes = [](const fs::path&) { return std::optional<double>(); };
  run(with_kinds(options("unknown"), "sd"));
  EXPECT_TRUE(listener_.warnings.empty());
}

}  // namespace
}  // namespace mcvol

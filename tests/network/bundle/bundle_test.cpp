#include "mcvol/network/bundle/bundle.h"

#include "mcvol/error/error.h"

#include "network/bundle/bundle_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing;
using nlohmann::json;

TEST(Bundle, EveryFieldArrivesWhereItBelongs) {
  const Bundle bundle = read(valid_model());
  EXPECT_EQ(bundle.name, "tiny");
  ASSERT_EQ(bundle.networks.size(), 1U);
  EXPECT_EQ(bundle.networks[0].file, "network.pt");
  EXPECT_EQ(bundle.networks[0].sha256, kNetworkSha256);
  EXPECT_EQ(bundle.required, std::vector<std::string>{"skull_stripped"});
  EXPECT_EQ(bundle.grid.orientation, "RAS");
  EXPECT_EQ(bundle.grid.spacing_mm, (std::array<double, 3>{1, 1.5, 2}));
  EXPECT_EQ(bundle.grid.interpolation, GridSpec::Interpolation::kBspline);
  EXPECT_EQ(bundle.axes, (std::array<int, 3>{2, 1, 0}));
  EXPECT_EQ(bundle.measure, Bundle::Measure::kAll);
  EXPECT_EQ(bundle.window.input, (std::array<std::int64_t, 3>{30, 32, 34}));
  EXPECT_EQ(bundle.window.output, (std::array<std::int64_t, 3>{10, 12, 34}));
  EXPECT_EQ(bundle.window.padding, Bundle::Window::Padding::kReplicate);
  EXPECT_EQ(bundle.window.anchor, Bundle::Window::Anchor::kImageCorner);
  EXPECT_EQ(bundle.output.channels, 5);
  EXPECT_EQ(bundle.output.activation, Bundle::Output::Activation::kSoftmax);
  EXPECT_EQ(bundle.output.labels, (std::vector<std::optional<int>>{0, 1, 2, std::nullopt, 4}));
  ASSERT_EQ(bundle.regions.size(), 2U);
  EXPECT_EQ(bundle.regions[0].name, "whole_tumour");
  EXPECT_EQ(bundle.regions[0].outputs, (std::vector<int>{1, 2, 4}));
  EXPECT_EQ(bundle.scope, DropoutScope::kNative);
  EXPECT_EQ(bundle.licence, "MIT");
  EXPECT_EQ(bundle.provenance, "made up");
  EXPECT_EQ(bundle.warning, "not for patients");
  EXPECT_FALSE(bundle.has_calibration);
}

TEST(Bundle, ChannelsKeepTheirOrderAndTheirNormalisation) {
  const Bundle bundle = read(valid_model());
  ASSERT_EQ(bundle.channels.size(), 2U);
  EXPECT_EQ(bundle.channels[0].name, "t1");
  EXPECT_EQ(bundle.channels[0].suffixes, (std::vector<std::string>{"t1", "T1w"}));
  EXPECT_EQ(bundle.channels[0].intensity.method, IntensitySpec::Method::kZscore);
  EXPECT_EQ(bundle.channels[0].intensity.clip_sd, 3.0);
  EXPECT_EQ(bundle.channels[1].intensity.method, IntensitySpec::Method::kFixed);
  EXPECT_EQ(bundle.channels[1].intensity.mean, 100.0);
  EXPECT_EQ(bundle.channels[1].intensity.sd, 25.5);
  EXPECT_EQ(bundle.channels[1].intensity.clip_values, (std::array<double, 2>{0, 1000}));
}

TEST(Bundle, SaysWhichImageOfA4dFileIsWhichChannelFromFormat2On) {
  json model = valid_model();
  const json identity = read(model).identity();
  model["channels"][0]["index_4d"] = 3;
  model["channels"][1]["index_4d"] = 0;
  EXPECT_PRED_FORMAT2(::testing::IsSubstring,
                      "format: expected 2, with which index_4d came, found 1",
                      complaint_about(model));
  model["format"] = 2;
  const Bundle bundle = read(model);
  EXPECT_EQ(bundle.channels[0].index_4d, 3);
  EXPECT_EQ(bundle.channels[1].index_4d, 0);
  // Where its images lie makes no other measurement of it.
  EXPECT_EQ(bundle.identity(), identity);
  model["channels"][1]["index_4d"] = 3;
  EXPECT_PRED_FORMAT2(::testing::IsSubstring,
                      "channels[1].index_4d: is that of channel \"t1\" as well",
                      complaint_about(model));
}

TEST(Bundle, MirrorsImageAxesFromFormat2On) {
  json model = valid_model();
  EXPECT_TRUE(read(model).mirror.empty());
  const json identity = read(model).identity();
  model["mirror"] = "xz";
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "format: expected 2, with which mirror came, found 1",
                      complaint_about(model));
  model["format"] = 2;
  EXPECT_EQ(read(model).mirror, (std::vector<int>{0, 2}));
  EXPECT_NE(read(model).identity(), identity);
}

TEST(Bundle, HasAtMost255Channels) {
  json model = valid_model();
  model["channels"] = json::array();
  for (int n = 0; n < 256; ++n) {
    const std::string name = "c" + std::to_string(n);
    model["channels"].push_back(
        {{"name", name}, {"suffixes", {name}}, {"intensity", {{"method", "none"}}}});
  }
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "channels: expected at most 255, found 256",
                      complaint_about(model));
  model["channels"].erase(255);
  EXPECT_EQ(read(model).channels.size(), 255U);
}

TEST(Bundle, OptionalFieldsMayBeLeftOut) {
  json model = valid_model();
  for (const char* key : {"requires", "measure", "dropout", "licence", "provenance", "warning"}) {
    model.erase(key);
  }
  for (const char* key : {"overlap", "blend", "padding", "anchor", "flexible"}) {
    model["window"].erase(key);
  }
  model["grid"].erase("axes");
  model["grid"].erase("interpolation");
  model["grid"]["spacing_mm"] = nullptr;
  model["channels"][0]["intensity"] = {{"method", "rescale"}};
  const Bundle bundle = read(model);
  EXPECT_EQ(bundle.measure, Bundle::Measure::kMask);
  EXPECT_EQ(bundle.scope, DropoutScope::kChannel);
  EXPECT_EQ(bundle.axes, (std::array<int, 3>{0, 1, 2}));
  EXPECT_EQ(bundle.grid.spacing_mm, std::nullopt);
  EXPECT_EQ(bundle.grid.interpolation, GridSpec::Interpolation::kLinear);
  EXPECT_EQ(bundle.window.padding, Bundle::Window::Padding::kZero);
  EXPECT_EQ(bundle.window.anchor, Bundle::Window::Anchor::kMaskCorner);
  EXPECT_EQ(bundle.channels[0].intensity.mask, IntensitySpec::Mask::kNonzero);
  EXPECT_EQ(bundle.channels[0].intensity.range, (std::array<double, 2>{0, 1}));
}

TEST(Bundle, ExactlyFortyEightOrientationsAreAccepted) {
  json model = valid_model();
  const std::string letters = "LRAPSI";
  int accepted = 0;
  for (const char i : letters) {
    for (const char j : letters) {
      for (const char k : letters) {
        model["grid"]["orientation"] = std::string{i, j, k};
        accepted += refusal_of([&] { read(model); }).empty() ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(accepted, 48);
}

TEST(Bundle, SigmoidRegionsOfOneOutputEachAreAccepted) {
  json model = valid_model();
  model["output"] = {{"channels", 1},
                     {"values", "logits"},
                     {"activation", "sigmoid"},
                     {"labels", json::array({1})}};
  model["regions"] = json::array({{{"name", "lesion"}, {"outputs", json::array({0})}}});
  EXPECT_EQ(read(model).output.activation, Bundle::Output::Activation::kSigmoid);
}

TEST(Bundle, IdentityLeavesOutTheTextsAndNothingElse) {
  json expected = valid_model();
  const Bundle bundle = read(expected);
  EXPECT_EQ(bundle.json, expected);
  for (const char* key : {"name", "licence", "provenance", "warning"}) expected.erase(key);
  EXPECT_EQ(bundle.identity(), expected);
}

TEST(Bundle, ChangingATextChangesTheDigestButNotTheIdentity) {
  json model = valid_model();
  const Bundle before = read(model);
  model["warning"] = "another";
  const Bundle after = read(model);
  EXPECT_NE(before.sha256, after.sha256);
  EXPECT_EQ(before.identity(), after.identity());
}

TEST(Bundle, CalibrationInTheFolderIsNoticed) {
  const BundleFolder folder(valid_model().dump());
  write(folder.path() / "calibration.json", "{}");
  EXPECT_TRUE(read_bundle(folder.path()).has_calibration);
}

TEST(Bundle, NetworksOfAnEnsembleKeepTheirOrder) {
  json model = valid_model();
  model["networks"].push_back(
      {{"file", "second.pt"},
       {"sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}});
  const BundleFolder folder(model.dump());
  write(folder.path() / "second.pt", "");  // SHA-256 of nothing
  const Bundle bundle = read_bundle(folder.path());
  ASSERT_EQ(bundle.networks.size(), 2U);
  EXPECT_EQ(bundle.networks[0].file, "network.pt");
  EXPECT_EQ(bundle.networks[1].file, "second.pt");
}

TEST(Bundle, BlendFlexibleAndProbabilitiesArriveWhereTheyBelong) {
  json model = valid_model();
  model["output"]["values"] = "probabilities";
  model["window"]["flexible"] = true;
  model["window"]["overlap"] = 0.5;
  model["window"]["blend"] = "gaussian";
  const Bundle bundle = read(model);
  EXPECT_EQ(bundle.output.values, Bundle::Output::Values::kProbabilities);
  EXPECT_EQ(bundle.output.activation, Bundle::Output::Activation::kSoftmax);
  EXPECT_TRUE(bundle.window.flexible);
  EXPECT_EQ(bundle.window.overlap, 0.5);
  EXPECT_EQ(bundle.window.blend, Bundle::Window::Blend::kGaussian);
  model["window"]["overlap"] = 0;
  model["window"]["blend"] = "constant";
  EXPECT_EQ(read(model).window.blend, Bundle::Window::Blend::kConstant);
}

TEST(DropoutScope, WordsAndScopesCorrespond) {
  for (const DropoutScope scope :
       {DropoutScope::kNative, DropoutScope::kChannel, DropoutScope::kElement}) {
    EXPECT_EQ(dropout_scope_from(to_string(scope)), scope);
  }
  EXPECT_EQ(to_string(DropoutScope::kChannel), "channel");
  EXPECT_THROW(dropout_scope_from("Channel"), UsageError);
}

}  // namespace
}  // namespace mcvol

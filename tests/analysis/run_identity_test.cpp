#include "mcvol/analysis/run_identity.h"

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using nlohmann::json;
using testing_support::message_from;

Bundle example_bundle() {
  Bundle bundle;
  bundle.name = "tiny";
  bundle.networks = {{"network.pt", std::string(64, '1')}};
  bundle.window.input = {125, 125, 125};
  bundle.window.output = {45, 45, 45};
  bundle.json = {{"format", 1},
                 {"name", "tiny"},
                 {"licence", "CC0"},
                 {"provenance", "made up"},
                 {"warning", "none"},
                 {"channels", {{{"name", "t1"}, {"clip_sd", 3}}}},
                 {"grid", {{"spacing_mm", {1, 1, 1.5}}}}};
  return bundle;
}

IdentityOptions twenty_passes() { return {.passes = 20}; }

json example_identity() { return run_identity_of(example_bundle(), twenty_passes()); }

void expect_difference(const json& second, const std::string& field, const std::string& was,
                       const std::string& is) {
  const auto found = difference(example_identity(), second);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->field, field);
  EXPECT_EQ(found->first, was);
  EXPECT_EQ(found->second, is);
  EXPECT_NE(sha256_of_identity(example_identity()), sha256_of_identity(second));
}

TEST(RunIdentity, HoldsWhatDecidesOnTheNumbers) {
  const json identity = example_identity();
  EXPECT_EQ(identity["networks"], json({std::string(64, '1')}));
  EXPECT_EQ(identity["scope"], "channel");
  EXPECT_EQ(identity["seed"], 0);
  EXPECT_EQ(identity["passes"], 20);
  EXPECT_EQ(identity["precision"], "fp32");
  EXPECT_EQ(identity["window"]["input"], json({125, 125, 125}));
  EXPECT_EQ(identity["model"]["channels"][0]["name"], "t1");
}

TEST(RunIdentity, DoesNotChangeWithTheModelsTexts) {
  Bundle bundle = example_bundle();
  for (const char* text : {"name", "licence", "provenance", "warning"}) bundle.json[text] = "other";
  const json other = run_identity_of(bundle, twenty_passes());
  EXPECT_FALSE(difference(example_identity(), other));
  EXPECT_EQ(sha256_of_identity(example_identity()), sha256_of_identity(other));
}

TEST(RunIdentity, DoesNotChangeWithTheWayANumberIsWritten) {
  Bundle bundle = example_bundle();
  bundle.json["channels"][0]["clip_sd"] = 3.0;
  bundle.json["grid"]["spacing_mm"] = {1.0, 1, 1.5};
  const json other = run_identity_of(bundle, twenty_passes());
  EXPECT_EQ(sha256_of_identity(example_identity()), sha256_of_identity(other));
}

TEST(RunIdentity, SurvivesBeingWrittenAndRead) {
  IdentityOptions options = twenty_passes();
  options.seed = 18446744073709551615u;
  const json identity = run_identity_of(example_bundle(), options);
  const json back = json::parse(identity.dump(2));
  EXPECT_FALSE(difference(identity, back));
  EXPECT_EQ(sha256_of_identity(identity), sha256_of_identity(back));
}

TEST(RunIdentity, NamesTheFieldThatDiffers) {
  IdentityOptions options = twenty_passes();
  options.passes = 10;
  expect_difference(run_identity_of(example_bundle(), options), "passes", "20", "10");
  options = twenty_passes();
  options.seed = 7;
  expect_difference(run_identity_of(example_bundle(), options), "seed", "0", "7");
  options = twenty_passes();
  options.scope = DropoutScope::kElement;
  expect_difference(run_identity_of(example_bundle(), options), "scope", "\"channel\"",
                    "\"element\"");
  options = twenty_passes();
  options.precision = "bf16";
  expect_difference(run_identity_of(example_bundle(), options), "precision", "\"fp32\"",
                    "\"bf16\"");
}

TEST(RunIdentity, OfAToleranceIsAnotherThanOfAnyNumberOfPasses) {
  IdentityOptions settled = twenty_passes();
  settled.mc_tolerance = 0.05;
  const json identity = run_identity_of(example_bundle(), settled);
  expect_difference(identity, "passes", "20", "\"auto\"");
  IdentityOptions other = settled;
  other.passes = 40;  // Takes no part.
  EXPECT_FALSE(difference(identity, run_identity_of(example_bundle(), other)));
  other.mc_tolerance = 0.1;
  const auto found = difference(identity, run_identity_of(example_bundle(), other));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->field, "mc_tolerance");
  EXPECT_EQ(found->first, "0.05");
  EXPECT_EQ(found->second, "0.1");
}

TEST(RunIdentity, NamesTheFieldInsideTheBundle) {
  Bundle bundle = example_bundle();
  bundle.window.output[1] = 15;
  expect_difference(run_identity_of(bundle, twenty_passes()), "window.output[1]", "45", "15");
  bundle = example_bundle();
  bundle.json["channels"][0]["clip_sd"] = 2.5;
  expect_difference(run_identity_of(bundle, twenty_passes()), "model.channels[0].clip_sd", "3",
                    "2.5");
  bundle = example_bundle();
  bundle.json["channels"][0].erase("clip_sd");
  expect_difference(run_identity_of(bundle, twenty_passes()), "model.channels[0].clip_sd", "3",
                    "nothing");
  bundle = example_bundle();
  bundle.json["channels"] = json::array();
  expect_difference(run_identity_of(bundle, twenty_passes()), "model.channels",
                    R"([{"clip_sd":3,"name":"t1"}])", "[]");
}

TEST(RunIdentity, LongFieldsAreToldApart) {
  json first = {{"names", json::array()}, {"text", std::string(200, 'x')}};
  for (int n = 0; n < 40; ++n) first["names"].push_back("a long name " + std::to_string(n));
  json second = first;
  second["names"].push_back("another");
  EXPECT_EQ(difference(first, second)->first, "40 items");
  EXPECT_EQ(difference(first, second)->second, "41 items");
  second = first;
  second["text"] = std::string(200, 'x') + "y";
  EXPECT_EQ(difference(first, second)->field, "text");
  EXPECT_NE(difference(first, second)->first, difference(first, second)->second);
}

TEST(RunIdentity, HoldsTheMemoryWhereItDecidesOnTheWindowAndOnlyThere) {
  Bundle bundle = example_bundle();
  IdentityOptions more = twenty_passes();
  more.memory_bytes = std::int64_t{8} << 30;
  EXPECT_EQ(run_identity_of(bundle, more), example_identity());
  EXPECT_FALSE(example_identity()["window"].contains("memory_bytes"));
  bundle.window.flexible = true;
  const auto found =
      difference(run_identity_of(bundle, twenty_passes()), run_identity_of(bundle, more));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->field, "window.memory_bytes");
  EXPECT_EQ(found->first, "4294967296");
  EXPECT_EQ(found->second, "8589934592");
}

TEST(RunIdentity, NamesTheNetworkBeforeTheModel) {
  Bundle bundle = example_bundle();
  bundle.networks[0].sha256 = std::string(64, '2');
  bundle.json["networks"] = "changed as well";
  expect_difference(run_identity_of(bundle, twenty_passes()), "networks[0]",
                    "\"" + std::string(64, '1') + "\"", "\"" + std::string(64, '2') + "\"");
}

TEST(RunIdentity, AnotherOneIsRefusedSayingWhatToDo) {
  IdentityOptions options = twenty_passes();
  options.passes = 10;
  const json now = run_identity_of(example_bundle(), options);
  EXPECT_EQ(
      message_from<UsageError>([&] { require_same_identity("out", example_identity(), now); }),
      "out: its results were made with passes 20, this run has 10; use another --out, or "
      "--fresh to start again");
  EXPECT_NO_THROW(require_same_identity("out", example_identity(), example_identity()));
}

TEST(RunIdentity, OtherNumericsAreRefusedByNameAndThoseOfBeforeAreTheFirst) {
  IdentityOptions second = twenty_passes();
  second.numerics = 2;
  const json now = run_identity_of(example_bundle(), second);
  expect_difference(now, "numerics", "1", "2");
  IdentityOptions first = twenty_passes();
  first.numerics = 1;
  const json before = run_identity_of(example_bundle(), first);
  EXPECT_FALSE(before.contains("numerics"));
  EXPECT_EQ(sha256_of_identity(before), sha256_of_identity(example_identity()));
}

TEST(RunIdentity, ThatIsMissingDiffers) {
  EXPECT_TRUE(difference(json::object(), example_identity()));
  EXPECT_TRUE(difference(json(), example_identity()));
}

}  // namespace
}  // namespace mcvol

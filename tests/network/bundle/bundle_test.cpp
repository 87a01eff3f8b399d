#include "mcvol/network/bundle/bundle.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// read_bundle() does not load the network, only weighs its bytes. SHA-256 of "abc" is the first
// test vector of FIPS 180-2.
constexpr const char* kNetworkBytes = "abc";
constexpr const char* kNetworkSha256 =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

json valid_model() {
  json model = json::parse(R"({
    "format": 1, "name": "tiny",
    "networks": [{"file": "network.pt", "sha256": "?"}],
    "channels": [
      {"name": "t1", "suffixes": ["t1", "T1w"],
       "intensity": {"method": "zscore", "mask": "nonzero", "clip_sd": 3}},
      {"name": "flair", "suffixes": ["flair", "FLAIR"],
       "intensity": {"method": "fixed", "mean": 100, "sd": 25.5, "clip_values": [0, 1000]}}],
    "requires": ["skull_stripped"],
    "grid": {"orientation": "RAS", "axes": "zyx", "spacing_mm": [1, 1.5, 2],
             "interpolation": "bspline"},
    "measure": "all",
    "window": {"input": [30, 32, 34], "output": [10, 12, 34], "overlap": 0, "blend": "none",
               "padding": "replicate", "anchor": "image_corner", "flexible": false},
    "output": {"channels": 5, "values": "logits", "activation": "softmax",
               "labels": [0, 1, 2, null, 4]},
    "regions": [{"name": "whole_tumour", "outputs": [1, 2, 4]},
                {"name": "core", "outputs": [1]}],
    "dropout": {"scope": "native"},
    "licence": "MIT", "provenance": "made up", "warning": "not for patients"
  })");
  model["networks"][0]["sha256"] = kNetworkSha256;
  return model;
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// A fresh folder with the network and `model_text` as model.json.
class BundleFolder {
 public:
  explicit BundleFolder(const std::string& model_text) {
    static int count = 0;
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = fs::path(testing::TempDir()) /
            ("mcvol_bundle_" + std::string(test->name()) + "_" + std::to_string(++count));
    fs::remove_all(path_);
    fs::create_directories(path_);
    write(path_ / "network.pt", kNetworkBytes);
    write(path_ / "model.json", model_text);
  }
  ~BundleFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  BundleFolder(const BundleFolder&) = delete;
  BundleFolder& operator=(const BundleFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Bundle read(const json& model) { return read_bundle(BundleFolder(model.dump()).path()); }

/// The message of the ModelError reading throws; empty where it throws none.
std::string refusal_of(const std::function<void()>& reading) {
  try {
    reading();
  } catch (const ModelError& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kUsage);
    return error.what();
  }
  return "";
}

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

/// One change to a valid model.json and what the refusal must say.
struct Mutation {
  const char* name;
  const char* pointer;      ///< JSON pointer of the field
  const char* replacement;  ///< its new value as JSON; "remove" takes the field out
  const char* message;      ///< part of the refusal
};

const Mutation kMutations[] = {
    {"NewerFormat", "/format", "2", "format: this bundle has format 2, newer"},
    {"NewerFormatWithNewFields", "/format", "7", "update mcvol"},
    {"OldFormat", "/format", "0", "format: expected 1, found 0"},
    {"NoFormat", "/format", "remove", "format: missing"},
    {"UnknownField", "/licens", "\"MIT\"", "licens: unknown field; known here: format, name"},
    {"UnknownNetworkField", "/networks/0/sha", "\"\"", "networks[0].sha: unknown field"},
    {"UnknownChannelField", "/channels/1/sufix", "[]", "channels[1].sufix: unknown field"},
    {"UnknownIntensityField", "/channels/0/intensity/std", "1",
     "channels[0].intensity.std: unknown field"},
    {"UnknownGridField", "/grid/spacing", "1", "grid.spacing: unknown field"},
    {"UnknownWindowField", "/window/size", "1",
     "window.size: unknown field; known here: input, output, overlap, blend"},
    {"UnknownOutputField", "/output/classes", "1", "output.classes: unknown field"},
    {"UnknownRegionField", "/regions/0/label", "1", "regions[0].label: unknown field"},
    {"UnknownDropoutField", "/dropout/rate", "0.5", "dropout.rate: unknown field"},
    {"NoName", "/name", "remove", "name: missing"},
    {"NameWithALineBreak", "/name", "\"a\\nb\"", "name: expected letters"},
    {"NoNetwork", "/networks", "[]", "networks: expected at least one"},
    {"AbsoluteNetworkFile", "/networks/0/file", "\"/tmp/network.pt\"",
     "networks[0].file: expected the name of a file inside the bundle"},
    {"NetworkFileOutside", "/networks/0/file", "\"x/../../network.pt\"", "inside the bundle"},
    {"NetworkFileMissing", "/networks/0/file", "\"other.pt\"", "other.pt is not there"},
    {"NetworkFileIsAFolder", "/networks/0/file", "\"network.pt/\"", "inside the bundle"},
    {"ShortSha256", "/networks/0/sha256", "\"abc\"", "networks[0].sha256: expected 64"},
    {"UpperCaseSha256", "/networks/0/sha256",
     "\"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD\"", "lower-case"},
    {"OtherSha256", "/networks/0/sha256",
     "\"00007816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015\"",
     "has sha256 ba7816bf..., expected 00007816..."},
    {"NoChannel", "/channels", "[]", "channels: expected at least one"},
    {"ChannelIsAText", "/channels/0", "\"t1\"", "channels[0]: expected an object"},
    {"ChannelNameTwice", "/channels/1/name", "\"t1\"", "channels[1].name: \"t1\" is the name"},
    {"ChannelNamedCaseId", "/channels/0/name", "\"case_id\"", "channels[0].name: expected a word"},
    {"NoSuffix", "/channels/0/suffixes", "[]", "channels[0].suffixes: expected at least one"},
    {"EmptySuffix", "/channels/0/suffixes/1", "\"\"", "channels[0].suffixes[1]: expected a text"},
    {"SuffixWithASlash", "/channels/0/suffixes/0", "\"a/b\"", "suffixes[0]: expected letters"},
    {"SegmentationSuffix", "/channels/0/suffixes/0", "\"seg\"", "names label maps"},
    {"SharedSuffix", "/channels/1/suffixes/0", "\"T1W\"",
     "channels[1].suffixes[0]: \"T1W\" is also a suffix of channel \"t1\""},
    {"UnknownMethod", "/channels/0/intensity/method", "\"z\"",
     "channels[0].intensity.method: expected \"zscore\", \"fixed\", \"rescale\", \"none\""},
    {"UnknownMask", "/channels/0/intensity/mask", "\"brain\"", "expected \"nonzero\", \"all\""},
    {"FixedWithoutMean", "/channels/1/intensity/mean", "remove",
     "channels[1].intensity.mean: missing"},
    {"FixedSdOfZero", "/channels/1/intensity/sd", "0", "intensity.sd: expected a number > 0"},
    {"MeanOfZscore", "/channels/0/intensity/mean", "3", "belongs to method \"fixed\" only"},
    {"RangeOfZscore", "/channels/0/intensity/range", "[0, 1]",
     "belongs to method \"rescale\" only"},
    {"NegativeClipSd", "/channels/0/intensity/clip_sd", "-1", "clip_sd: expected a number > 0"},
    {"TwoClips", "/channels/0/intensity/clip_values", "[0, 1]", "at most one of clip_sd"},
    {"ClipValuesReversed", "/channels/1/intensity/clip_values", "[2, 1]", "low < high"},
    {"ClipValuesOfThree", "/channels/1/intensity/clip_values", "[1, 2, 3]", "expected 2 values"},
    {"PercentilesBeyondHundred", "/channels/1/intensity",
     R"({"method": "none", "clip_percentiles": [0.5, 101]})", "percentiles from 0 to 100"},
    {"RequiresANumber", "/requires/0", "1", "requires[0]: expected a text"},
    {"OrientationTwiceTheSameAxis", "/grid/orientation", "\"LRS\"",
     "grid.orientation: expected one letter each"},
    {"LowerCaseOrientation", "/grid/orientation", "\"ras\"", "grid.orientation"},
    {"AxesNotAPermutation", "/grid/axes", "\"xyy\"", "grid.axes: expected the letters"},
    {"NoSpacing", "/grid/spacing_mm", "remove", "grid.spacing_mm: missing"},
    {"SpacingOfZero", "/grid/spacing_mm/1", "0", "grid.spacing_mm: expected millimetres > 0"},
    {"SpacingOfTwo", "/grid/spacing_mm", "[1, 1]", "grid.spacing_mm: expected 3 values"},
    {"SpacingAText", "/grid/spacing_mm/2", "\"1\"", "grid.spacing_mm[2]: expected a number"},
    {"UnknownInterpolation", "/grid/interpolation", "\"cubic\"", "expected \"linear\""},
    {"UnknownMeasure", "/measure", "\"brain\"", "measure: expected \"mask\", \"all\""},
    {"InputOfZero", "/window/input/2", "0", "window.input[2]: expected a whole number from 1"},
    {"InputNotWhole", "/window/input/0", "30.5", "window.input[0]: expected a whole number"},
    {"InputBeyondAllIntegers", "/window/input/0", "18446744073709551615", "window.input[0]"},
    {"OutputBeyondInput", "/window/output/1", "34",
     "window.output[1]: expected at most the input's size, found 34 of an input of 32"},
    {"OddMargin", "/window/output/0", "11", "window.output[0]: expected the same margin"},
    {"OverlapOfOne", "/window/overlap", "1", "window.overlap: expected a fraction"},
    {"NegativeOverlap", "/window/overlap", "-0.1", "window.overlap: expected a fraction"},
    {"UnknownPadding", "/window/padding", "\"mirror\"", "window.padding: expected \"zero\""},
    {"UnknownAnchor", "/window/anchor", "\"centre\"", "window.anchor: expected \"mask_corner\""},
    {"FlexibleAText", "/window/flexible", "\"no\"", "window.flexible: expected true or false"},
    {"NoOutputChannels", "/output/channels", "0", "output.channels: expected a whole number"},
    {"TooFewLabels", "/output/labels", "[0, 1]", "output.labels: expected 5 values"},
    {"NegativeLabel", "/output/labels/1", "-1", "output.labels[1]: expected null or a whole"},
    {"LabelTwice", "/output/labels/3", "2", "output.labels[3]: label 2 is given twice"},
    {"UnknownActivation", "/output/activation", "\"none\"", "output.activation: expected"},
    {"NoRegion", "/regions", "[]", "regions: expected at least one"},
    {"UpperCaseRegion", "/regions/0/name", "\"Tumour\"", "regions[0].name: expected lower-case"},
    {"RegionNameTwice", "/regions/1/name", "\"whole_tumour\"", "of an earlier region"},
    {"RegionWithoutOutputs", "/regions/0/outputs", "[]", "regions[0].outputs: expected at least"},
    {"RegionOutOfRange", "/regions/0/outputs/2", "5",
     "regions[0].outputs[2]: expected a whole number from 0 to 4, found 5"},
    {"RegionOfUnusedOutput", "/regions/0/outputs/2", "3", "output 3 is unused"},
    {"RegionOutputsDescending", "/regions/0/outputs", "[2, 1]", "expected ascending"},
    {"RegionOutputTwice", "/regions/0/outputs", "[1, 1]", "expected ascending"},
    {"SigmoidUnion", "/output/activation", "\"sigmoid\"", "exactly one output channel"},
    {"UnknownScope", "/dropout/scope", "\"voxel\"",
     "dropout.scope: expected \"native\", \"channel\", \"element\"; found \"voxel\""},
    {"OverlapWithoutBlend", "/window/overlap", "0.5",
     "window.blend: \"none\" cannot average windows that overlap (overlap 0.5); use \"constant\" "
     "or "
     "\"gaussian\" or overlap 0"},
    {"UnknownBlend", "/window/blend", "\"mean\"",
     "window.blend: expected \"none\", \"constant\", \"gaussian\"; found \"mean\""},
    {"UnknownValues", "/output/values", "\"odds\"",
     "output.values: expected \"logits\", \"probabilities\"; found \"odds\""},
    {"ProbabilitiesWithoutActivation", "/output",
     R"({"channels": 5, "values": "probabilities", "labels": [0, 1, 2, null, 4]})",
     "output.activation: missing"},
};

json mutated(json model, const Mutation& mutation) {
  const json::json_pointer pointer(mutation.pointer);
  if (std::string(mutation.replacement) == "remove") {
    model.at(pointer.parent_pointer()).erase(pointer.back());
  } else {
    model[pointer] = json::parse(mutation.replacement);
  }
  return model;
}

// One test and not one a mutation: each test is a process that loads LibTorch.
TEST(Bundle, EverySingleMutationIsRefusedNamingItsFieldAndWhatWasExpected) {
  for (const Mutation& mutation : kMutations) {
    SCOPED_TRACE(mutation.name);
    const std::string message = refusal_of([&] { read(mutated(valid_model(), mutation)); });
    EXPECT_NE(message.find("model.json: "), std::string::npos) << message;
    EXPECT_NE(message.find(mutation.message), std::string::npos) << message;
  }
}

/// What the refusal of `model` says after the file's name.
std::string complaint_about(const json& model) {
  const BundleFolder folder(model.dump());
  const std::string message = refusal_of([&] { read_bundle(folder.path()); });
  const std::string file = (folder.path() / "model.json").string() + ": ";
  return message.rfind(file, 0) == 0 ? message.substr(file.size()) : message;
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

TEST(Bundle, MoreNetworksThanAnEnsembleMayHaveAreRefusedBeforeAnyIsRead) {
  json model = valid_model();
  for (int n = 0; n < 64; ++n) model["networks"].push_back({{"file", "none.pt"}, {"sha256", "?"}});
  EXPECT_EQ(complaint_about(model), "networks: expected at most 64 (an ensemble), found 65");
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

TEST(Bundle, OverlapWithoutABlendIsRefusedWhicheverOfThemIsLeftOut) {
  const std::string expected =
      "window.blend: \"none\" cannot average windows that overlap (overlap 0.25); use \"constant\" "
      "or "
      "\"gaussian\" or overlap 0";
  json model = valid_model();
  model["window"]["overlap"] = 0.25;
  EXPECT_EQ(complaint_about(model), expected);
  model["window"].erase("blend");
  EXPECT_EQ(complaint_about(model), expected);
}

TEST(Bundle, MoreWindowsOverAVoxelThanSumsHoldAreRefused) {
  json model = valid_model();
  model["window"]["input"] = model["window"]["output"] = {96, 96, 96};
  model["window"]["blend"] = "constant";
  model["window"]["overlap"] = 0.75;  // Steps of 24 voxels: 1 + 95 / 24, rounded up, is 5.
  EXPECT_EQ(complaint_about(model), "");
  model["window"]["overlap"] = 0.875;
  EXPECT_EQ(
      complaint_about(model),
      "window.overlap: expected at most 512 windows over one voxel, found up to 729 with 0.875; "
      "use a smaller overlap");
}

TEST(Bundle, OverlapThatLeavesNoVoxelOfAStepStepsByOne) {
  json model = valid_model();
  model["window"]["input"] = model["window"]["output"] = {3, 1, 96};
  model["window"]["blend"] = "gaussian";
  model["window"]["overlap"] = 0.7;
  const Bundle::Window window = read(model).window;
  EXPECT_EQ(window.step(), (std::array<std::int64_t, 3>{1, 1, 28}));
  EXPECT_EQ(window.most_over_a_voxel(), 3 * 1 * 5);
}

TEST(Window, StepsWithoutABlendAreItsOutputs) {
  Bundle::Window window;
  window.output = {9, 7, 5};
  EXPECT_EQ(window.step(), window.output);
  EXPECT_EQ(window.most_over_a_voxel(), 1);
}

/// Most outputs over a voxel along one dimension, counted on boxes of every size up to three
/// outputs: outputs begin every `step` voxels, the last one moved back to end with the box.
int counted_over_a_voxel(int output, int step) {
  int most = 1;
  for (int size = output; size <= 3 * output; ++size) {
    std::vector<int> over(static_cast<std::size_t>(size));
    for (int begin = 0, end = 0; end < size; begin += step) {
      end = std::min(begin + output, size);
      for (int voxel = end - output; voxel < end; ++voxel) {
        most = std::max(most, ++over[static_cast<std::size_t>(voxel)]);
      }
    }
  }
  return most;
}

TEST(Window, MostOutputsOverAVoxelAreThoseThatCountingFinds) {
  Bundle::Window window;
  window.blend = Bundle::Window::Blend::kConstant;
  for (const double overlap : {0.0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9}) {
    window.overlap = overlap;
    for (int size = 1; size <= 24; ++size) {
      window.output = {size, 1, 1};
      const int step = static_cast<int>(window.step()[0]);
      EXPECT_EQ(window.most_over_a_voxel(), counted_over_a_voxel(size, step))
          << overlap << " of " << size;
    }
  }
}

TEST(Bundle, TheSameNetworkTwiceIsNoEnsemble) {
  json model = valid_model();
  model["networks"].push_back(model["networks"][0]);
  const std::string message = refusal_of([&] { read(model); });
  EXPECT_NE(message.find("networks[1].sha256: is the same network"), std::string::npos) << message;
}

TEST(Bundle, RegionOfEveryOutputIsRefused) {
  json model = valid_model();
  model["output"]["labels"] = {0, 1, 2, 3, 4};
  model["regions"][0]["outputs"] = {0, 1, 2, 3, 4};
  const std::string message = refusal_of([&] { read(model); });
  EXPECT_NE(message.find("nothing is left outside"), std::string::npos) << message;
}

TEST(Bundle, BrokenJsonIsPlaced) {
  const BundleFolder folder("{\n  \"format\": 1,,\n}");
  const std::string message = refusal_of([&] { read_bundle(folder.path()); });
  EXPECT_NE(message.find("model.json: line 2"), std::string::npos) << message;
}

TEST(Bundle, WhatIsNoFolderWithAModelIsRefused) {
  const BundleFolder folder(valid_model().dump());
  const auto refusal = [&](const fs::path& path) { return refusal_of([&] { read_bundle(path); }); };
  EXPECT_NE(refusal(folder.path() / "none").find("no such folder"), std::string::npos);
  EXPECT_NE(refusal(folder.path() / "network.pt").find("not a folder"), std::string::npos);
  fs::remove(folder.path() / "model.json");
  EXPECT_NE(refusal(folder.path()).find("no model.json"), std::string::npos);
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

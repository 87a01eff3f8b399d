#include "network/bundle/bundle_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing;
namespace fs = std::filesystem;
using nlohmann::json;

/// One change to a valid model.json and what the refusal must say.
struct Mutation {
  const char* name;
  const char* pointer;      ///< JSON pointer of the field
  const char* replacement;  ///< its new value as JSON; "remove" takes the field out
  const char* message;      ///< part of the refusal
};

const Mutation kMutations[] = {
    {"NewerFormat", "/format", "3", "format: this model has format 3, newer"},
    {"NewerFormatWithNewFields", "/format", "7", "update mcvol"},
    {"OldFormat", "/format", "0", "format: expected 1 or 2, found 0"},
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
    {"IndexOfSomeChannels", "/channels/0/index_4d", "1",
     "channels: expected index_4d in all of them or in none"},
    {"MirrorOfAnotherAxis", "/mirror", "\"xa\"",
     "mirror: expected letters of x, y and z in this order, such as \"xy\", found \"xa\""},
    {"MirrorTwice", "/mirror", "\"xx\"", "found \"xx\""},
    {"MirrorInAnotherOrder", "/mirror", "\"zx\"", "found \"zx\""},
    {"MirrorThatIsNoText", "/mirror", "[0]", "mirror: expected a text"},
    {"NegativeIndex", "/channels/0/index_4d", "-1",
     "channels[0].index_4d: expected a whole number from 0, found -1"},
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
    {"SpacingWithoutVolume", "/grid/spacing_mm", "[1e-200, 1e-200, 1]",
     "grid.spacing_mm: expected millimetres > 0 (1e-6 to 1e6)"},
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
     "window.blend: expected \"none\", \"constant\", \"gaussian\", \"gaussian_nnunet\"; found "
     "\"mean\""},
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

TEST(Bundle, MoreNetworksThanAnEnsembleMayHaveAreRefusedBeforeAnyIsRead) {
  json model = valid_model();
  for (int n = 0; n < 64; ++n) model["networks"].push_back({{"file", "none.pt"}, {"sha256", "?"}});
  EXPECT_EQ(complaint_about(model), "networks: expected at most 64 (an ensemble), found 65");
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
  EXPECT_NE(message.find("model.json, line 2"), std::string::npos) << message;
}

TEST(Bundle, WhatIsNoFolderWithAModelIsRefused) {
  const BundleFolder folder(valid_model().dump());
  const auto refusal = [&](const fs::path& path) { return refusal_of([&] { read_bundle(path); }); };
  EXPECT_NE(refusal(folder.path() / "none").find("no such folder"), std::string::npos);
  EXPECT_NE(refusal(folder.path() / "network.pt").find("not a folder"), std::string::npos);
  fs::remove(folder.path() / "model.json");
  EXPECT_NE(refusal(folder.path()).find("no model.json"), std::string::npos);
}

}  // namespace
}  // namespace mcvol

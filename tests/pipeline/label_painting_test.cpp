#include "mcvol/pipeline/label_painting.h"

#include "mcvol/error/error.h"
#include "mcvol/io/images/image_file.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/case_maps_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using nlohmann::json;
using testing::CaseMapFiles;

json model_of(const std::string& activation, const json& labels,
              const std::vector<std::pair<std::string, std::vector<int>>>& regions) {
  json model{{"output", {{"activation", activation}, {"labels", labels}}},
             {"regions", json::array()}};
  for (const auto& [name, outputs] : regions) {
    model["regions"].push_back({{"name", name}, {"outputs", outputs}});
  }
  return model;
}

/// As the bundled model's: edema is 2, the core without what enhances 1, what enhances 4.
const json kGlioma =
    model_of("softmax", {0, 1, 2, 4}, {{"whole", {1, 2, 3}}, {"core", {1, 3}}, {"enhancing", {3}}});

void expect_class(const LabelPainting::Class& one, int label, int whole,
                  const std::vector<int>& of_regions) {
  EXPECT_EQ(one.label, label);
  EXPECT_EQ(one.whole, whole);
  EXPECT_EQ(one.of_regions, of_regions);
}

TEST(LabelPainting, RegionsOfOutputsThatTheModelDoesNotHaveAreRefused) {
  EXPECT_THROW(label_painting(model_of("softmax", {0, 1}, {{"whole", {7}}})), UsageError);
  EXPECT_THROW(label_painting(model_of("sigmoid", {0, 1}, {{"whole", {7}}})), UsageError);
}

TEST(LabelPainting, ClassesOfNestedRegionsAreDifferencesOfTheirProbabilities) {
  const LabelPainting painting = label_painting(kGlioma);
  ASSERT_EQ(painting.classes.size(), 4U);
  expect_class(painting.classes[0], 0, 1, {-1, 0, 0});
  expect_class(painting.classes[1], 1, 0, {0, 1, -1});
  expect_class(painting.classes[2], 2, 0, {1, -1, 0});
  expect_class(painting.classes[3], 4, 0, {0, 0, 1});
  EXPECT_TRUE(painting.region_labels.empty());
  EXPECT_EQ(painting.largest_label(), 4);
  EXPECT_EQ(painting.names, (LabelNames{{0, "background"},
                                        {1, "core less enhancing"},
                                        {2, "whole less core"},
                                        {4, "enhancing"}}));
}

TEST(LabelPainting, RegionsApartAndGivenTwiceAreNoMatter) {
  const LabelPainting painting = label_painting(model_of(
      "softmax", {0, 7, 300}, {{"a", {1}}, {"b", {2}}, {"both", {1, 2}}, {"a_again", {1}}}));
  ASSERT_EQ(painting.classes.size(), 3U);
  expect_class(painting.classes[0], 0, 1, {0, 0, -1, 0});
  expect_class(painting.classes[1], 7, 0, {1, 0, 0, 0});
  expect_class(painting.classes[2], 300, 0, {0, 1, 0, 0});
}

TEST(LabelPainting, WhatHasNoLabelIsOutsideOfAllRegions) {
  const LabelPainting painting =
      label_painting(model_of("softmax", {nullptr, 1, 2}, {{"whole", {1, 2}}, {"core", {2}}}));
  ASSERT_EQ(painting.classes.size(), 3U);
  expect_class(painting.classes[0], 0, 1, {-1, 0});
  expect_class(painting.classes[1], 1, 0, {1, -1});
}

TEST(LabelPainting, OfSigmoidRegionsAreNamedByWhatIsLeftOfThem) {
  const LabelPainting painting = label_painting(
      model_of("sigmoid", {1, 2, 4}, {{"whole", {0}}, {"core", {1}}, {"enhancing", {2}}}));
  EXPECT_EQ(painting.region_labels, (std::vector<int>{1, 2, 4}));
  EXPECT_EQ(painting.names, (LabelNames{{0, "background"},
                                        {1, "whole less core and enhancing"},
                                        {2, "core less enhancing"},
                                        {4, "enhancing"}}));
}

void expect_refused(const json& model, const std::string& part) {
  try {
    label_painting(model);
    FAIL() << part;
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(LabelPainting, ClassesThatTheRegionsLeaveOpenAreRefusedByName) {
  expect_refused(model_of("softmax", {0, 5, 6}, {{"whole", {1, 2}}}), "labels 5 and 6 apart");
  expect_refused(model_of("softmax", {0, 5, 6}, {{"a", {1}}}), "labels 0 and 6 apart");
  expect_refused(model_of("softmax", {0, 1, 2, 3}, {{"a", {1, 2}}, {"b", {2, 3}}}),
                 "regions a and b overlap in part");
  expect_refused(json::object(), "no labels");
}

/// Two voxels of 0.01 ml, of these probabilities; the second region lies in the first.
std::vector<RegionMap> two_voxels(const std::vector<std::vector<float>>& probabilities) {
  const std::vector<std::string> names{"whole", "core", "enhancing"};
  std::vector<RegionMap> maps;
  for (std::size_t n = 0; n < probabilities.size(); ++n) {
    Image<float> image = testing::ramp();
    std::fill(image.values.begin(), image.values.end(), 0.0F);
    std::copy(probabilities[n].begin(), probabilities[n].end(), image.values.begin());
    maps.push_back({names[n], image, {}, {}});
  }
  return maps;
}

TEST_F(CaseMapFiles, LabelsAreTheLargestClassOfTheMeanProbability) {
  // First voxel: 0.3 outside, edema 0.35, core 0.15, enhancing 0.2, each less than a half.
  // Second: outside 0.25, edema 0.25, core 0.25, enhancing 0.25; the first of equal ones.
  write_case_maps(
      folder_, record_, two_voxels({{0.7F, 0.75F, 0.9F}, {0.35F, 0.5F, 0.8F}, {0.2F, 0.25F, 0.7F}}),
      {row("0.9", 1, 6)}, MapChoice::parse({"labels"}), source_, label_painting(kGlioma));
  const Image<std::int32_t> labels = read_label_map(maps_ / "labels.nii.gz");
  EXPECT_EQ(labels.values[0], 2);
  EXPECT_EQ(labels.values[1], 0);
  EXPECT_EQ(labels.values[2], 4);
  EXPECT_EQ(labels.values[3], 0);
  const nlohmann::json images = list()["images"];
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0], (nlohmann::json{{"file", "labels.nii.gz"}, {"kind", "labels"}}));
  EXPECT_TRUE(has(MapChoice::parse({"labels"})));
}

TEST_F(CaseMapFiles, LabelsOfSigmoidsArePaintedInTheModelsOrderAsSegmented) {
  VolumeRow whole = row("0.9", 1, 6), core = whole;
  core.region = "core";
  whole.segmented_ml = 0.02;
  core.segmented_ml = 0.01;
  const json model = model_of("sigmoid", {700, 3}, {{"whole", {0}}, {"core", {1}}});
  write_case_maps(folder_, record_, two_voxels({{0.9F, 0.8F, 0.4F}, {0.3F, 0.7F, 0.1F}}),
                  {whole, core}, MapChoice::parse({"labels"}), source_, label_painting(model));
  const Image<std::int32_t> labels = read_label_map(maps_ / "labels.nii.gz");
  EXPECT_EQ(labels.values[0], 700);
  EXPECT_EQ(labels.values[1], 3);
  EXPECT_EQ(labels.values[2], 0);
}

TEST_F(CaseMapFiles, LabelsOfOtherRegionsThanTheModelsAreRefused) {
  EXPECT_THROW(write_case_maps(folder_, record_, two_voxels({{0.9F}}), {row("0.9", 1, 6)},
                               MapChoice::parse({"labels"}), source_, label_painting(kGlioma)),
               InputError);
}

TEST_F(CaseMapFiles, EntropyIsThatOfTheMeanProbabilityInBits) {
  write({row("0.9", 1, 6)}, MapChoice::parse({"entropy", "probability"}));
  const Image<float> entropy = read_image(maps_ / "whole_entropy.nii.gz");
  const Image<float> probability = read_image(maps_ / "whole_probability.nii.gz");
  for (std::size_t n = 0; n < 1000; ++n) {
    const double p = probability.values[n];
    const double bits = p == 0 ? 0 : -p * std::log2(p) - (1 - p) * std::log2(1 - p);
    ASSERT_NEAR(entropy.values[n], bits, 1.6e-5) << p;  // half a step
  }
  const auto half = std::find(probability.values.begin(), probability.values.end(), 0.5F);
  EXPECT_EQ(entropy.values[static_cast<std::size_t>(half - probability.values.begin())], 1.0F);
}

TEST_F(CaseMapFiles, TwoImagesOfOneNameAreRefused) {
  const auto refused = [](const std::vector<std::string>& regions, const std::string& kinds,
                          MapLayout layout) {
    try {
      require_map_names_differ(regions, MapChoice::parse({kinds}), layout);
      return false;
    } catch (const UsageError&) {
      return true;
    }
  };
  EXPECT_FALSE(refused({"a", "b", "a_b"}, "sd,labels", MapLayout::kCases));
  EXPECT_FALSE(refused({"a", "b"}, "sd,segmentation", MapLayout::kCases));
  EXPECT_TRUE(refused({"a", "a_sd"}, "sd,segmentation", MapLayout::kCases));
  EXPECT_TRUE(refused({"labels"}, "labels,segmentation", MapLayout::kCases));
  EXPECT_FALSE(refused({"a", "a_sd", "labels"}, "sd,segmentation,labels", MapLayout::kBids));
  EXPECT_TRUE(refused({"a_b", "ab"}, "labels,segmentation", MapLayout::kBids));
}

}  // namespace
}  // namespace mcvol

#include "mcvol/image/image_quality.h"

#include <functional>

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

using namespace testing_support;
using nlohmann::json;

/// A measured case of two channels, with numbers that decimals do not hold.
CaseRecord record_with_quality() {
  CaseRecord record = measured_record("case_01");
  record.inputs.push_back(record.inputs.front());
  record.inputs.back().channel = "t2";
  ImageQuality quality;
  quality.brain_ml = 1234.1 / 7;
  quality.brain.spread_mm = {30.1 / 7, 40, 0};
  quality.brain.coordinate_correlation = {-1.0 / 3, 0.2, std::nullopt};
  quality.brain.coskewness = {{{-0.1 / 3, 0.2, std::nullopt}, {1.5, -2.5, 0.1 / 7}, {}}};
  quality.brain.mirror_overlap = {1.0 / 3, 0.5, 1};
  quality.brain.mirror_correlation = {-1.0, 0.7, std::nullopt};
  quality.shifts_voxels = {{{2, 2, 1}, {4, 3, 2}}};
  ChannelQuality channel;
  channel.quantiles = {-2.5, -1.0 / 3, 0, 0, 1e-9, 0.1, 3};
  channel.noise = 0.1 / 3;
  channel.sharpness = {0.1, 1.0 / 7, std::nullopt};
  channel.axis_correlation = {0.1, -0.2, std::nullopt};
  quality.channels.push_back(channel);
  channel.noise.reset();
  channel.correlations = {-2.0 / 3};
  channel.difference_asymmetry = {1.0 / 3};
  channel.mutual_information.emplace();
  channel.mutual_information->unshifted = 2.0 / 3;
  channel.mutual_information->shifted[0][1] = {0.1, 1.0 / 9};
  quality.channels.push_back(channel);
  record.image_quality = quality;
  return record;
}

class ImageQualityOfARecord : public ::testing::Test {
 protected:
  std::string message_after(const std::function<void(json& quality)>& change) {
    const std::filesystem::path path = scratch_.path() / "case_01.json";
    write_case_record(record_with_quality(), path);
    json whole = json::parse(text_of_file(path));
    change(whole["image_quality"]);
    write_text(path, whole.dump());
    return message_from<InputError>([&] { read_case_record(path); });
  }

  TemporaryFolder scratch_;
};

TEST_F(ImageQualityOfARecord, ComesBackToTheLastBitAndMakesItFormat4) {
  const CaseRecord record = record_with_quality();
  write_case_record(record, scratch_.path() / "a.json");
  EXPECT_EQ(json::parse(text_of_file(scratch_.path() / "a.json"))["format"], 4);
  const CaseRecord back = read_case_record(scratch_.path() / "a.json");
  EXPECT_EQ(back.image_quality, record.image_quality);
  write_case_record(back, scratch_.path() / "b.json");
  EXPECT_EQ(text_of_file(scratch_.path() / "a.json"), text_of_file(scratch_.path() / "b.json"));
}

TEST_F(ImageQualityOfARecord, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(message_after([](json&) {}), "");
  const auto expect_refusal = [&](const std::function<void(json & quality)>& change,
                                  const std::string& part) {
    expect_part(message_after(change), "case_01.json: image_quality." + part);
  };
  expect_refusal([](json& quality) { quality["brain_ml"] = -1; },
                 "brain_ml: expected numbers from 0, found -1");
  expect_refusal([](json& quality) { quality["surprise"] = 1; }, "surprise: unknown field");
  expect_refusal([](json& quality) { quality.erase("shifts_voxels"); }, "shifts_voxels: missing");
  expect_refusal([](json& quality) { quality["shifts_voxels"][1][2] = 0; },
                 "shifts_voxels: expected integers from 1, found 0");
  expect_refusal([](json& quality) { quality["brain"]["mirror_overlap"][0] = 1.5; },
                 "brain.mirror_overlap: expected numbers from 0 to 1, found 1.5");
  expect_refusal(
      [](json& quality) {
        quality["brain"]["coskewness"][1] = {1, 2};
      },
      "brain.coskewness: expected lists of 3 here, found 2");
  expect_refusal([](json& quality) { quality["brain"]["coordinate_correlation"][0] = 2; },
                 "brain.coordinate_correlation: expected numbers from -1 to 1, found 2");
  expect_refusal([](json& quality) { quality["brain"]["spread_mm"][0] = nullptr; },
                 "brain.spread_mm: expected numbers from 0, found null");
  expect_refusal([](json& quality) { quality["channels"].erase(1); },
                 "channels: expected lists of 2 here, found 1");
  expect_refusal([](json& quality) { quality["channels"][0]["quantiles"][1] = 5; },
                 "channels[0].quantiles: expected them in ascending order");
  expect_refusal([](json& quality) { quality["channels"][0]["noise"] = "low"; },
                 "channels[0].noise: expected numbers from 0, found \"low\"");
  expect_refusal([](json& quality) { quality["channels"][1]["correlations"] = json::array(); },
                 "channels[1].correlations: expected lists of 1 here, found 0");
  expect_refusal([](json& quality) { quality["channels"][1].erase("difference_asymmetry"); },
                 "channels[1].difference_asymmetry: missing");
  expect_refusal([](json& quality) { quality["channels"][1]["correlations"][0] = -1.1; },
                 "channels[1].correlations: expected numbers from -1 to 1, found -1.1");
  expect_refusal([](json& quality) { quality["channels"][1].erase("mutual_information"); },
                 "channels[1].mutual_information: missing");
  expect_refusal(
      [](json& quality) { quality["channels"][1]["mutual_information"]["shifted"][1][0] = {1}; },
      "channels[1].mutual_information.shifted: expected lists of 2 here, found 1");
}

}  // namespace
}  // namespace mcvol

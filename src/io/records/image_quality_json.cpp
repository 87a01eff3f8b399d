#include "image_quality_json.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mcvol {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Numbers that a field may have, its ends included.
struct Range {
  double least, most;
  const char* words;
};
constexpr Range kAnyNumber{-kInfinity, kInfinity, ""}, kFromZero{0, kInfinity, " from 0"},
    kShare{0, 1, " from 0 to 1"}, kCorrelation{-1, 1, " from -1 to 1"};

ordered_json json_of_number(const std::optional<double>& number) {
  return number ? ordered_json(*number) : ordered_json(nullptr);
}

template <typename Numbers>
ordered_json json_of_numbers(const Numbers& numbers) {
  ordered_json list = ordered_json::array();
  for (const auto& number : numbers) list.push_back(json_of_number(number));
  return list;
}

template <typename Lists>
ordered_json json_of_lists(const Lists& lists) {
  ordered_json whole = ordered_json::array();
  for (const auto& numbers : lists) whole.push_back(json_of_numbers(numbers));
  return whole;
}

ordered_json json_of_brain(const BrainShape& brain) {
  return {{"spread_mm", brain.spread_mm},
          {"coordinate_correlation", json_of_numbers(brain.coordinate_correlation)},
          {"coskewness", json_of_lists(brain.coskewness)},
          {"mirror_overlap", brain.mirror_overlap},
          {"mirror_correlation", json_of_numbers(brain.mirror_correlation)}};
}

ordered_json json_of_information(const MutualInformation& information) {
  ordered_json shifted = ordered_json::array();
  for (const auto& of_shift : information.shifted) shifted.push_back(json_of_lists(of_shift));
  return {{"unshifted", json_of_number(information.unshifted)}, {"shifted", std::move(shifted)}};
}

ordered_json json_of_channel(const ChannelQuality& channel) {
  ordered_json whole = {{"quantiles", channel.quantiles},
                        {"noise", json_of_number(channel.noise)},
                        {"sharpness", json_of_numbers(channel.sharpness)},
                        {"axis_correlation", json_of_numbers(channel.axis_correlation)},
                        {"correlations", json_of_numbers(channel.correlations)},
                        {"difference_asymmetry", json_of_numbers(channel.difference_asymmetry)}};
  if (channel.mutual_information) {
    whole["mutual_information"] = json_of_information(*channel.mutual_information);
  }
  return whole;
}

/// The readers of a list in a field: of any length that is asked for, nested or not.
class NumberReader {
 public:
  NumberReader(const JsonFields& fields, std::string key) : fields_(fields), key_(std::move(key)) {}

  std::optional<double> number_or_null(const json& value, const Range& range) const {
    if (value.is_null()) return std::nullopt;
    return number(value, range);
  }

  double number(const json& value, const Range& range) const {
    const auto found = value.is_number() ? value.get<double>() : kInfinity;
    if (std::isfinite(found) && found >= range.least && found <= range.most) return found;
    fields_.fail(key_, std::string("expected numbers") + range.words + ", found " + value.dump());
  }

  const json& list(const json& value, std::size_t size) const {
    if (!value.is_array() || value.size() != size) {
      fields_.fail(key_, "expected lists of " + std::to_string(size) + " here, found " +
                             (value.is_array() ? std::to_string(value.size()) : value.dump()));
    }
    return value;
  }

  template <std::size_t Count>
  std::array<std::optional<double>, Count> numbers_or_null(const json& value,
                                                           const Range& range) const {
    list(value, Count);
    std::array<std::optional<double>, Count> numbers;
    for (std::size_t n = 0; n < Count; ++n) numbers[n] = number_or_null(value[n], range);
    return numbers;
  }

  template <std::size_t Count>
  std::array<double, Count> numbers(const json& value, const Range& range) const {
    list(value, Count);
    std::array<double, Count> numbers{};
    for (std::size_t n = 0; n < Count; ++n) numbers[n] = number(value[n], range);
    return numbers;
  }

 private:
  const JsonFields& fields_;
  std::string key_;
};

AxisNumbers axis_numbers(JsonFields& fields, const std::string& key, const Range& range) {
  return NumberReader(fields, key).numbers_or_null<3>(fields.array(key), range);
}

template <std::size_t Count>
std::array<double, Count> numbers_in(JsonFields& fields, const std::string& key,
                                     const Range& range) {
  return NumberReader(fields, key).numbers<Count>(fields.array(key), range);
}

BrainShape brain_from(JsonFields fields) {
  BrainShape brain;
  brain.spread_mm = numbers_in<3>(fields, "spread_mm", kFromZero);
  brain.coordinate_correlation = axis_numbers(fields, "coordinate_correlation", kCorrelation);
  const NumberReader reader(fields, "coskewness");
  const json& rows = reader.list(fields.array("coskewness"), 3);
  for (std::size_t a = 0; a < 3; ++a) {
    brain.coskewness[a] = reader.numbers_or_null<3>(rows[a], kAnyNumber);
  }
  brain.mirror_overlap = numbers_in<3>(fields, "mirror_overlap", kShare);
  brain.mirror_correlation = axis_numbers(fields, "mirror_correlation", kCorrelation);
  fields.finish();
  return brain;
}

MutualInformation information_from(JsonFields fields) {
  MutualInformation information;
  information.unshifted =
      NumberReader(fields, "unshifted").number_or_null(fields.at("unshifted"), kFromZero);
  const NumberReader reader(fields, "shifted");
  const json& shifts = reader.list(fields.array("shifted"), information.shifted.size());
  for (std::size_t shift = 0; shift < information.shifted.size(); ++shift) {
    auto& axes = information.shifted[shift];
    reader.list(shifts[shift], axes.size());
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      axes[axis] = reader.numbers_or_null<2>(shifts[shift][axis], kFromZero);
    }
  }
  fields.finish();
  return information;
}

/// A number from -1 to 1 or null for each of `count` channels.
std::vector<std::optional<double>> correlations_from(JsonFields& fields, const std::string& key,
                                                     std::size_t count) {
  const NumberReader reader(fields, key);
  std::vector<std::optional<double>> numbers;
  for (const json& value : reader.list(fields.array(key), count)) {
    numbers.push_back(reader.number_or_null(value, kCorrelation));
  }
  return numbers;
}

ChannelQuality channel_from(JsonFields fields, std::size_t position) {
  ChannelQuality channel;
  channel.quantiles = numbers_in<kQualityQuantiles.size()>(fields, "quantiles", kAnyNumber);
  if (!std::is_sorted(channel.quantiles.begin(), channel.quantiles.end())) {
    fields.fail("quantiles", "expected them in ascending order");
  }
  channel.noise = NumberReader(fields, "noise").number_or_null(fields.at("noise"), kFromZero);
  channel.sharpness = axis_numbers(fields, "sharpness", kFromZero);
  channel.axis_correlation = axis_numbers(fields, "axis_correlation", kCorrelation);
  channel.correlations = correlations_from(fields, "correlations", position);
  channel.difference_asymmetry = correlations_from(fields, "difference_asymmetry", position);
  if (position > 0) {
    channel.mutual_information = information_from(fields.object("mutual_information"));
  }
  fields.finish();
  return channel;
}

std::int64_t shift_from(const JsonFields& fields, const json& value) {
  if (!value.is_number_integer() || value.get<std::int64_t>() < 1) {
    fields.fail("shifts_voxels", "expected integers from 1, found " + value.dump());
  }
  return value.get<std::int64_t>();
}

}  // namespace

ordered_json json_of_quality(const ImageQuality& quality) {
  ordered_json channels = ordered_json::array();
  for (const ChannelQuality& channel : quality.channels) {
    channels.push_back(json_of_channel(channel));
  }
  return {{"brain_ml", quality.brain_ml},
          {"brain", json_of_brain(quality.brain)},
          {"shifts_voxels", quality.shifts_voxels},
          {"channels", std::move(channels)}};
}

ImageQuality quality_from_json(JsonFields fields, std::size_t channels, const JsonFail& fail) {
  ImageQuality quality;
  quality.brain_ml = NumberReader(fields, "brain_ml").number(fields.at("brain_ml"), kFromZero);
  quality.brain = brain_from(fields.object("brain"));
  const NumberReader reader(fields, "shifts_voxels");
  const json& shifts = reader.list(fields.array("shifts_voxels"), quality.shifts_voxels.size());
  for (std::size_t shift = 0; shift < quality.shifts_voxels.size(); ++shift) {
    reader.list(shifts[shift], 3);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      quality.shifts_voxels[shift][axis] = shift_from(fields, shifts[shift][axis]);
    }
  }
  const json& array = NumberReader(fields, "channels").list(fields.array("channels"), channels);
  for (std::size_t n = 0; n < channels; ++n) {
    const std::string path = fields.path_of("channels") + "[" + std::to_string(n) + "]";
    quality.channels.push_back(channel_from(JsonFields(array[n], path, fail), n));
  }
  fields.finish();
  return quality;
}

}  // namespace mcvol

#include <algorithm>
#include <cctype>
#include <map>

#include "bundle_fields.h"
#include "bundle_sections.h"

namespace mcvol {
namespace {

using nlohmann::json;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

void read_clip(JsonFields& fields, IntensitySpec& spec) {
  if (fields.has("clip_sd")) {
    spec.clip_sd = fields.number("clip_sd");
    if (!(*spec.clip_sd > 0)) {
      fields.fail("clip_sd", "expected a number > 0, found " + shown_json(fields.at("clip_sd")));
    }
  }
  if (fields.has("clip_values")) spec.clip_values = ordered_pair(fields, "clip_values");
  if (fields.has("clip_percentiles")) {
    spec.clip_percentiles = ordered_pair(fields, "clip_percentiles");
    if ((*spec.clip_percentiles)[0] < 0 || (*spec.clip_percentiles)[1] > 100) {
      fields.fail("clip_percentiles", "expected percentiles from 0 to 100, found " +
                                          shown_json(fields.at("clip_percentiles")));
    }
  }
  if (spec.clip_sd.has_value() + spec.clip_values.has_value() + spec.clip_percentiles.has_value() >
      1) {
    fields.fail("method", "at most one of clip_sd, clip_values and clip_percentiles may be given");
  }
}

/// A field that belongs to one method only.
bool has_for(const JsonFields& fields, const std::string& key, bool right_method,
             const std::string& method) {
  if (fields.has(key) && !right_method) {
    fields.fail(key, "belongs to method \"" + method + "\" only; remove it");
  }
  return fields.has(key);
}

IntensitySpec read_intensity(JsonFields fields, const json& object) {
  using Method = IntensitySpec::Method;
  allow_only(
      fields, object,
      {"method", "mask", "clip_sd", "clip_values", "clip_percentiles", "mean", "sd", "range"});
  IntensitySpec spec;
  spec.method = word<Method>(fields, "method",
                             {{"zscore", Method::kZscore},
                              {"fixed", Method::kFixed},
                              {"rescale", Method::kRescale},
                              {"none", Method::kNone}});
  spec.mask = word_or<IntensitySpec::Mask>(
      fields, "mask",
      {{"nonzero", IntensitySpec::Mask::kNonzero}, {"all", IntensitySpec::Mask::kAll}}, spec.mask);
  read_clip(fields, spec);
  const bool fixed = spec.method == Method::kFixed;
  if (has_for(fields, "mean", fixed, "fixed") || fixed) spec.mean = fields.number("mean");
  if (has_for(fields, "sd", fixed, "fixed") || fixed) {
    spec.sd = fields.number("sd");
    if (!(spec.sd > 0)) {
      fields.fail("sd", "expected a number > 0, found " + shown_json(fields.at("sd")));
    }
  }
  if (has_for(fields, "range", spec.method == Method::kRescale, "rescale")) {
    spec.range = ordered_pair(fields, "range");
  }
  return spec;
}

/// `owners`: which channel each suffix, in lower case, belongs to.
void check_suffixes(JsonFields& fields, const Bundle::Channel& channel,
                    std::map<std::string, std::string>& owners) {
  if (channel.suffixes.empty()) fields.fail("suffixes", "expected at least one, found []");
  for (std::size_t i = 0; i < channel.suffixes.size(); ++i) {
    const std::string& suffix = channel.suffixes[i];
    const std::string key = item_key("suffixes", i);
    if (!is_made_of(suffix, kAlphanumeric, kFileWord)) {
      fields.fail(key,
                  "expected letters, digits, '.', '_' and '-', the first a letter or digit, "
                  "found \"" +
                      suffix + '"');
    }
    if (lower(suffix) == "seg") {
      fields.fail(key, "\"seg\" names label maps and is never a channel; use another suffix");
    }
    // File names are told apart without regard to case, so that scans move between file systems.
    const auto [owner, is_new] = owners.emplace(lower(suffix), channel.name);
    if (!is_new && owner->second != channel.name) {
      fields.fail(key, '"' + suffix + "\" is also a suffix of channel \"" + owner->second +
                           "\"; a file name must mean one channel");
    }
  }
}

Bundle::Channel read_channel(JsonFields& fields, const json& object,
                             std::map<std::string, std::string>& owners) {
  allow_only(fields, object, {"name", "suffixes", "index_4d", "intensity"});
  Bundle::Channel channel;
  channel.name = fields.text("name");
  if (!is_made_of(channel.name, kAlphanumeric, kFileWord) || channel.name == "case_id") {
    fields.fail("name",
                "expected a word of letters, digits, '.', '_' and '-' that can head a "
                "manifest column (not case_id), found \"" +
                    channel.name + '"');
  }
  channel.suffixes = texts(fields, "suffixes");
  check_suffixes(fields, channel, owners);
  if (fields.has("index_4d")) {
    channel.index_4d = fields.integer("index_4d");
    if (*channel.index_4d < 0) {
      fields.fail("index_4d",
                  "expected a whole number from 0, found " + shown_json(fields.at("index_4d")));
    }
  }
  channel.intensity = read_intensity(fields.object("intensity"), fields.at("intensity"));
  return channel;
}

}  // namespace

void read_channels(JsonFields& fields, const JsonFail& fail, Bundle& bundle) {
  const json& array = fields.array("channels");
  if (array.empty()) fields.fail("channels", "expected at least one, found []");
  if (array.size() > Bundle::kMostChannels) {
    fields.fail("channels", "expected at most " + std::to_string(Bundle::kMostChannels) +
                                ", found " + std::to_string(array.size()));
  }
  std::map<std::string, std::string> owners;
  for (std::size_t i = 0; i < array.size(); ++i) {
    JsonFields one(array[i], fields.path_of(item_key("channels", i)), fail);
    Bundle::Channel channel = read_channel(one, array[i], owners);
    for (const Bundle::Channel& other : bundle.channels) {
      if (other.name == channel.name) {
        one.fail("name", '"' + channel.name + "\" is the name of an earlier channel as well");
      }
      if (channel.index_4d && other.index_4d == channel.index_4d) {
        one.fail("index_4d", "is that of channel \"" + other.name + "\" as well");
      }
    }
    bundle.channels.push_back(std::move(channel));
  }
  const auto has_index = [](const Bundle::Channel& channel) {
    return channel.index_4d.has_value();
  };
  if (std::any_of(bundle.channels.begin(), bundle.channels.end(), has_index) &&
      !std::all_of(bundle.channels.begin(), bundle.channels.end(), has_index)) {
    fields.fail("channels", "expected index_4d in all of them or in none");
  }
}

}  // namespace mcvol

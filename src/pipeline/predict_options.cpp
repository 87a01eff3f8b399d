#include "mcvol/pipeline/predict_options.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"
#include "mcvol/network/segmenter/device_name.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>

namespace mcvol {

namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw UsageError(message);
}

[[noreturn]] void refuse_memory(const std::string& found) {
  throw UsageError(
      "--memory: expected a size from 64M to 1024T, such as 4G, 512M, 2.5GiB or a number of bytes, "
      "found " +
      found);
}

/// Bytes of a unit: none, or K, M, G or T with or without B or iB, in any case. 0 for another word.
double bytes_of_unit(std::string_view unit) {
  constexpr std::string_view kPrefixes = "KMGT";
  if (unit.empty()) return 1.0;
  const std::size_t prefix = kPrefixes.find(static_cast<char>(std::toupper(unit[0])));
  std::string rest(unit.substr(1));
  for (char& c : rest) c = static_cast<char>(std::tolower(c));
  if (prefix == kPrefixes.npos || !(rest.empty() || rest == "b" || rest == "ib")) return 0.0;
  return std::ldexp(1.0, 10 * (static_cast<int>(prefix) + 1));
}

bool is_memory_allowed(double bytes) {
  return bytes >= static_cast<double>(PredictOptions::kLeastMemory_bytes) &&
         bytes <= static_cast<double>(PredictOptions::kMostMemory_bytes);
}

}  // namespace

std::int64_t parse_memory(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const std::string_view unit(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  const double bytes = number * bytes_of_unit(unit);
  if (parsed.ec != std::errc() || !is_memory_allowed(bytes)) refuse_memory('"' + text + '"');
  return static_cast<std::int64_t>(bytes);
}

void PredictOptions::validate() const {
  require(!scans.empty(), "no scans given; name a folder or a manifest (SCANS)");
  require(!model.empty(), "no model given; name a model bundle with --model");
  require(passes >= 1 && passes <= kMostPasses,
          "--passes: expected 1 to 10000, found " + std::to_string(passes));
  if (mc_tolerance && !(*mc_tolerance > 0 && *mc_tolerance <= 1)) {
    throw UsageError("--mc-tolerance: expected a number above 0, up to 1, found " +
                     shortest_text(*mc_tolerance));
  }
  require(threads >= 0 && threads <= kMostThreads,
          "--threads: expected 1 to 1024, found " + std::to_string(threads));
  if (!is_memory_allowed(static_cast<double>(memory_bytes))) {
    refuse_memory(std::to_string(memory_bytes) + " bytes");
  }
  require(!save.sd || passes >= 2 || mc_tolerance,
          "--save sd: a standard deviation over passes needs 2 or more, found --passes 1");
  gpu_named(device);
  if (device == "cpu" && precision) require_on_cpu(*precision);
  require(!levels.empty(), "--level: at least one is needed");
}

nlohmann::json json_of(const PredictOptions& options, DropoutScope scope, Precision precision,
                       int threads) {
  nlohmann::json json;
  json["passes"] = options.passes;
  if (options.mc_tolerance) {
    json["passes"] = "auto";
    json["mc_tolerance"] = *options.mc_tolerance;
  }
  json["seed"] = options.seed;
  json["scope"] = to_string(scope);
  json["precision"] = to_string(precision);
  json["layout"] = to_string(options.search.layout);
  if (!options.search.space.empty()) json["space"] = options.search.space;
  json["device"] = options.device;
  json["threads"] = threads;
  json["memory_bytes"] = options.memory_bytes;
  if (options.least_dice) json["quality"] = *options.least_dice;
  json["fresh"] = options.fresh;
  json["shard"] = nullptr;
  if (options.shard) json["shard"] = options.shard->folder_name();
  return json;
}

}  // namespace mcvol

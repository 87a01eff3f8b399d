#include "mcvol/pipeline/predict_options.h"

#include "mcvol/error/error.h"

namespace mcvol {

namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw UsageError(message);
}

}  // namespace

void PredictOptions::validate() const {
  require(!scans.empty(), "no scans given; name a folder or a manifest (SCANS)");
  require(!model.empty(), "no model given; name a bundle's folder with --model");
  require(passes >= 1 && passes <= kMostPasses,
          "--passes: expected 1 to 10000, found " + std::to_string(passes));
  require(threads >= 0 && threads <= kMostThreads,
          "--threads: expected 1 to 1024, found " + std::to_string(threads));
  require(!levels.empty(), "--level: at least one is needed");
}

nlohmann::json json_of(const PredictOptions& options, DropoutScope scope, int threads) {
  nlohmann::json json;
  json["passes"] = options.passes;
  json["seed"] = options.seed;
  json["scope"] = to_string(scope);
  json["precision"] = "fp32";
  json["calibration"] = nullptr;
  json["layout"] = to_string(options.layout);
  json["device"] = options.device;
  json["threads"] = threads;
  json["fresh"] = options.fresh;
  json["shard"] = nullptr;
  if (options.shard) json["shard"] = options.shard->folder_name();
  return json;
}

}  // namespace mcvol

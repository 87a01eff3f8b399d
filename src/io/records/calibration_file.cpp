#include "mcvol/io/records/calibration_file.h"

#include "mcvol/error/error.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/sha256.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/records/case_record.h"

#include <algorithm>
#include <array>
#include <utility>

#include "calibration_scans_json.h"
#include "image_quality_json.h"

namespace mcvol {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::int64_t kCalibrationFormat = 2;

/// Names that fits had in format 1.
constexpr std::array<std::pair<ScoreKind, const char*>, 2> kEarlierNames{
    std::pair{ScoreKind::kConformal, "monte_carlo"}, std::pair{ScoreKind::kScaled, "studentised"}};

std::string name_of(ScoreKind kind, std::int64_t format) {
  for (const auto& [of_kind, name] : kEarlierNames) {
    if (format == 1 && of_kind == kind) return name;
  }
  return to_string(kind);
}

ordered_json json_of(const ConformalFit& fit) {
  ordered_json candidates = ordered_json::array();
  for (const ConformalFit::Candidate& candidate : fit.candidates()) {
    candidates.push_back(
        {{"rho", candidate.rho}, {"loss_sum", candidate.loss_sum}, {"scores", candidate.scores}});
  }
  return candidates;
}

ordered_json json_of(const RegionCalibration& region) {
  ordered_json strata = ordered_json::array();
  for (const RegionCalibration::Stratum& stratum : region.strata) {
    ordered_json fits;
    for (const auto& [kind, fit] : stratum.fits) fits[to_string(kind)] = json_of(fit);
    ordered_json made = {{"from_ml", stratum.from_ml}, {"fits", std::move(fits)}};
    if (stratum.regression) made["regression"] = json_of(*stratum.regression);
    strata.push_back(std::move(made));
  }
  ordered_json made = {
      {"region", region.region},
      {"predicted_ml", {region.least_predicted_ml, region.most_predicted_ml}},
      {"usual_width", {{"level", region.width_level.text}, {"most", region.most_usual_width}}},
      {"strata", std::move(strata)}};
  if (region.dice) {
    made["dice"] = json_of(*region.dice);
    made["dice"]["usual_least"] = region.usual_least_dice;
  }
  return made;
}

ordered_json json_of(const CalibrationFile& calibration) {
  ordered_json regions = ordered_json::array();
  for (const RegionCalibration& region : calibration.regions) regions.push_back(json_of(region));
  ordered_json whole = {{"format", kCalibrationFormat},
                        {"method", to_string(calibration.method)},
                        {"simulated", calibration.simulated},
                        {"version", calibration.version},
                        {"model_sha256", calibration.model_sha256},
                        {"identity", ordered_json(calibration.identity)},
                        {"scans", calibration.scans},
                        {"regions", std::move(regions)}};
  if (calibration.image_quality.empty()) return whole;
  ordered_json& quality = whole["image_quality"] = ordered_json::array();
  for (const ImageQuality& scan : calibration.image_quality) {
    quality.push_back(json_of_quality(scan));
  }
  return whole;
}

/// Reads the parts of a calibration; every finding goes out through `fail`, which names the file.
class CalibrationReader {
 public:
  explicit CalibrationReader(JsonFail fail) : fail_(std::move(fail)) {}

  CalibrationFile read(const json& whole) {
    JsonFields fields(whole, "", fail_);
    format_ = format_in(fields);
    CalibrationFile calibration;
    calibration.method = method_in(fields);
    calibration.simulated = fields.boolean("simulated");
    calibration.version = fields.text("version");
    calibration.model_sha256 = fields.text("model_sha256");
    calibration.identity = fields.at("identity");
    JsonFields identity = fields.object("identity");
    if (identity.has("precision")) identity.text("precision");
    for (const json& scan : fields.array("scans")) {
      if (!scan.is_string()) fields.fail("scans", "expected texts, found " + scan.dump());
      calibration.scans.insert(scan.get<std::string>());
    }
    const json& regions = fields.array("regions");
    if (regions.empty()) fields.fail("regions", "expected at least one");
    for (std::size_t n = 0; n < regions.size(); ++n) {
      const std::string path = "regions[" + std::to_string(n) + "]";
      calibration.regions.push_back(region_from(JsonFields(regions[n], path, fail_), path));
      for (const RegionCalibration::Stratum& stratum : calibration.regions.back().strata) {
        if (stratum.has(calibration.method)) continue;
        fields.fail("regions", "expected what the method " + to_string(calibration.method) +
                                   " takes, in all strata of " + calibration.regions.back().region);
      }
    }
    if (format_ > 1 && fields.has("image_quality")) {
      calibration.image_quality = quality_in(fields);
    }
    fields.finish();
    return calibration;
  }

 private:
  /// Of scans of as many channels each as the first.
  std::vector<ImageQuality> quality_in(JsonFields& fields) const {
    std::vector<ImageQuality> scans;
    const json& array = fields.array("image_quality");
    if (array.empty()) fields.fail("image_quality", "expected that of some scans");
    for (std::size_t n = 0; n < array.size(); ++n) {
      JsonFields scan(array[n], "image_quality[" + std::to_string(n) + "]", fail_);
      const std::size_t channels =
          scans.empty() ? scan.array("channels").size() : scans.front().channels.size();
      scans.push_back(quality_from_json(std::move(scan), channels, fail_));
    }
    return scans;
  }

  static std::int64_t format_in(JsonFields& fields) {
    const std::int64_t format = fields.integer("format");
    if (format < 1) fields.fail("format", "expected a whole number from 1");
    if (format > kCalibrationFormat) {
      fields.fail("format", std::to_string(format) + " is newer than this mcvol reads (" +
                                std::to_string(kCalibrationFormat) + "); update mcvol");
    }
    return format;
  }

  static IntervalMethod method_in(JsonFields& fields) {
    const std::string word = fields.text("method");
    for (const IntervalMethod method : kCalibrationMethods) {
      if (word == to_string(method)) return method;
    }
    fields.fail("method",
                "expected \"regression\", \"scaled\", \"conformal\" or \"quantile\", found \"" +
                    word + "\"");
  }

  static NominalCoverage level_in(JsonFields& fields) {
    try {
      return NominalCoverage::parse(fields.text("level"));
    } catch (const UsageError& error) {
      fields.fail("level", error.what());
    }
  }

  std::vector<double> numbers_in(JsonFields& fields, const std::string& key) const {
    std::vector<double> numbers;
    for (const json& number : fields.array(key)) {
      if (!number.is_number()) fields.fail(key, "expected numbers, found " + number.dump());
      numbers.push_back(number.get<double>());
    }
    return numbers;
  }

  RegionCalibration region_from(JsonFields fields, const std::string& path) const {
    RegionCalibration region;
    region.region = fields.text("region");
    const std::vector<double> predicted = numbers_in(fields, "predicted_ml");
    if (predicted.size() != 2 || predicted[0] > predicted[1]) {
      fields.fail("predicted_ml", "expected the least and the most predicted volume");
    }
    region.least_predicted_ml = predicted[0];
    region.most_predicted_ml = predicted[1];
    JsonFields width = fields.object("usual_width");
    region.width_level = level_in(width);
    region.most_usual_width = width.number("most");
    width.finish();
    const json& strata = fields.array("strata");
    if (strata.empty()) fields.fail("strata", "expected at least one");
    for (std::size_t n = 0; n < strata.size(); ++n) {
      const std::string at = path + ".strata[" + std::to_string(n) + "]";
      region.strata.push_back(stratum_from(JsonFields(strata[n], at, fail_), at));
      const double before = n == 0 ? 0 : region.strata[n - 1].from_ml;
      const double from_ml = region.strata[n].from_ml;
      if (n == 0 ? from_ml != 0 : from_ml <= before) {
        fields.fail("strata", "expected \"from_ml\" to ascend from 0");
      }
    }
    if (format_ > 1 && fields.has("dice")) {
      JsonFields dice = fields.object("dice");
      region.usual_least_dice = dice.number("usual_least");
      if (region.usual_least_dice < 0 || region.usual_least_dice > 1) {
        dice.fail("usual_least", "expected a Dice, from 0 to 1");
      }
      region.dice = dice_from(std::move(dice), fail_);
    }
    fields.finish();
    return region;
  }

  RegionCalibration::Stratum stratum_from(JsonFields fields, const std::string& path) const {
    RegionCalibration::Stratum stratum;
    stratum.from_ml = fields.number("from_ml");
    JsonFields fits = fields.object("fits");
    for (const ScoreKind kind : kScoreKinds) {
      const std::string key = name_of(kind, format_);
      if (kind == ScoreKind::kNoDropout && !fits.has(key)) continue;
      stratum.fits.emplace_back(kind, fit_from(fits, key, kind, path + ".fits." + key));
    }
    fits.finish();
    if (format_ > 1 && fields.has("regression")) {
      stratum.regression = regression_from(fields.object("regression"), stratum.n(), fail_);
    }
    fields.finish();
    return stratum;
  }

  ConformalFit fit_from(JsonFields& fits, const std::string& key, ScoreKind kind,
                        const std::string& path) const {
    std::vector<ConformalFit::Candidate> candidates;
    const json& array = fits.array(key);
    for (std::size_t n = 0; n < array.size(); ++n) {
      JsonFields fields(array[n], path + "[" + std::to_string(n) + "]", fail_);
      ConformalFit::Candidate candidate;
      candidate.rho = fields.number("rho");
      if (!(candidate.rho > 0 && candidate.rho <= 1)) {
        fields.fail("rho", "expected a number above 0, at most 1");
      }
      candidate.loss_sum = fields.number("loss_sum");
      candidate.scores = numbers_in(fields, "scores");
      fields.finish();
      candidates.push_back(std::move(candidate));
    }
    try {
      return {kind, std::move(candidates)};
    } catch (const Error& error) {
      fits.fail(key, error.what());
    }
  }

  JsonFail fail_;
  std::int64_t format_ = kCalibrationFormat;
};

}  // namespace

const RegionCalibration& CalibrationFile::region(const std::string& name) const {
  for (const RegionCalibration& region : regions) {
    if (region.region == name) return region;
  }
  throw CalibrationError("the calibration has no region " + name);
}

std::string scan_sha256(const CaseRecord& record) {
  std::vector<std::string> digests;
  for (const InputFile& input : record.inputs) digests.push_back(digest_of(input));
  std::sort(digests.begin(), digests.end());
  std::string joined;
  for (const std::string& digest : digests) joined += digest;
  return sha256_of_bytes(joined);
}

bool is_calibration_file(const std::filesystem::path& path) {
  const json whole = json::parse(read_file(path), nullptr, false);
  return whole.is_object() && whole.contains("regions") && whole.contains("method");
}

CalibrationFile read_calibration_file(const std::filesystem::path& path) {
  const JsonFail refuse = [](const std::string& message) { throw CalibrationError(message); };
  const JsonFail fail = [&](const std::string& message) { refuse(path.string() + ": " + message); };
  std::string text;
  try {
    text = read_file(path);
  } catch (const Error& error) {
    throw CalibrationError(error.what());
  }
  const json whole = parse_json(text, path.string(), refuse);
  if (!whole.is_object() || !whole.contains("format") || !whole.contains("regions")) {
    fail("no calibration: expected what mcvol calibrate writes");
  }
  CalibrationFile calibration = CalibrationReader(fail).read(whole);
  calibration.sha256 = sha256_of_bytes(text);
  return calibration;
}

std::string write_calibration_file(const CalibrationFile& calibration,
                                   const std::filesystem::path& path) {
  const std::string text =
      json_of(calibration).dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  write_file_atomically(path, text);
  return sha256_of_bytes(text);
}

}  // namespace mcvol

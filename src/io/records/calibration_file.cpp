#include "mcvol/io/records/calibration_file.h"

#include "mcvol/error/error.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/sha256.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/records/case_record.h"

#include <algorithm>

namespace mcvol {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::int64_t kCalibrationFormat = 1;

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
    strata.push_back({{"from_ml", stratum.from_ml}, {"fits", std::move(fits)}});
  }
  return {{"region", region.region},
          {"predicted_ml", {region.least_predicted_ml, region.most_predicted_ml}},
          {"usual_width", {{"level", region.width_level.text}, {"most", region.most_usual_width}}},
          {"strata", std::move(strata)}};
}

ordered_json json_of(const CalibrationFile& calibration) {
  ordered_json regions = ordered_json::array();
  for (const RegionCalibration& region : calibration.regions) regions.push_back(json_of(region));
  return {{"format", kCalibrationFormat},
          {"method", to_string(calibration.method)},
          {"simulated", calibration.simulated},
          {"version", calibration.version},
          {"model_sha256", calibration.model_sha256},
          {"identity", ordered_json(calibration.identity)},
          {"scans", calibration.scans},
          {"regions", std::move(regions)}};
}

/// Reads the parts of a calibration; every finding goes out through `fail`, which names the file.
class CalibrationReader {
 public:
  explicit CalibrationReader(JsonFail fail) : fail_(std::move(fail)) {}

  CalibrationFile read(const json& whole) const {
    JsonFields fields(whole, "", fail_);
    check_format(fields);
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
    }
    fields.finish();
    return calibration;
  }

 private:
  void check_format(JsonFields& fields) const {
    const std::int64_t format = fields.integer("format");
    if (format < 1) fields.fail("format", "expected a whole number from 1");
    if (format > kCalibrationFormat) {
      fields.fail("format", std::to_string(format) + " is newer than this mcvol reads (" +
                                std::to_string(kCalibrationFormat) + "); update mcvol");
    }
  }

  static IntervalMethod method_in(JsonFields& fields) {
    const std::string word = fields.text("method");
    for (const IntervalMethod method :
         {IntervalMethod::kConformal, IntervalMethod::kScaled, IntervalMethod::kQuantile}) {
      if (word == to_string(method)) return method;
    }
    fields.fail("method",
                "expected \"conformal\", \"scaled\" or \"quantile\", found \"" + word + "\"");
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
    fields.finish();
    return region;
  }

  RegionCalibration::Stratum stratum_from(JsonFields fields, const std::string& path) const {
    RegionCalibration::Stratum stratum;
    stratum.from_ml = fields.number("from_ml");
    JsonFields fits = fields.object("fits");
    for (const FitKind kind : kFitKinds) {
      const std::string key = to_string(kind);
      if (kind == FitKind::kNoDropout && !fits.has(key)) continue;
      stratum.fits.emplace_back(kind, fit_from(fits, key, kind, path + ".fits." + key));
    }
    fits.finish();
    fields.finish();
    return stratum;
  }

  ConformalFit fit_from(JsonFields& fits, const std::string& key, FitKind kind,
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
      return {score_kind_of(kind), std::move(candidates)};
    } catch (const Error& error) {
      fits.fail(key, error.what());
    }
  }

  JsonFail fail_;
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

#include "calibration_scans_json.h"

#include "mcvol/error/error.h"

#include <utility>
#include <vector>

namespace mcvol {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

using Named = std::vector<std::pair<const char*, double SegmentationFeatures::*>>;

Named named_segmentation_features() {
  Named named;
  for (const auto& [name, feature, is_size] : kSegmentationFeatures)
    named.emplace_back(name, feature);
  return named;
}

/// @param response a scan's, and its name. @param named its features.
template <typename Scan, typename Features>
ordered_json json_of_scans(const std::vector<Scan>& scans, const char* name, double Scan::*response,
                           const Features& named) {
  ordered_json names = ordered_json::array(), written = ordered_json::array();
  for (const auto& [of_feature, feature] : named) names.push_back(of_feature);
  for (const Scan& scan : scans) {
    ordered_json features = ordered_json::array();
    for (const auto& [of_feature, feature] : named) features.push_back(scan.features.*feature);
    written.push_back({{name, scan.*response}, {"features", std::move(features)}});
  }
  return {{"features", std::move(names)}, {"scans", std::move(written)}};
}

template <typename Scan, typename Features>
std::vector<Scan> scans_from(JsonFields& fields, const JsonFail& fail, const char* name,
                             double Scan::*response, const Features& named) {
  ordered_json expected = ordered_json::array();
  for (const auto& [of_feature, feature] : named) expected.push_back(of_feature);
  if (fields.array("features") != json(expected)) {
    fields.fail("features", "expected " + expected.dump());
  }
  std::vector<Scan> scans;
  const json& array = fields.array("scans");
  for (std::size_t i = 0; i < array.size(); ++i) {
    JsonFields of_scan(array[i], fields.path_of("scans") + "[" + std::to_string(i) + "]", fail);
    Scan scan;
    scan.*response = of_scan.number(name);
    const json& features = of_scan.array("features");
    if (features.size() != named.size()) {
      of_scan.fail("features", "expected " + std::to_string(named.size()) + " numbers");
    }
    for (std::size_t f = 0; f < named.size(); ++f) {
      if (!features[f].is_number()) {
        of_scan.fail("features", "expected numbers, found " + features[f].dump());
      }
      scan.features.*named[f].second = features[f].get<double>();
    }
    of_scan.finish();
    scans.push_back(scan);
  }
  return scans;
}

/// @throws through `fields` what a fit says of its scans.
template <typename Fit>
Fit fit_of(std::vector<typename Fit::Scan> scans, const JsonFields& fields) {
  try {
    return Fit(std::move(scans));
  } catch (const Error& error) {
    fields.fail("scans", error.what());
  }
}

}  // namespace

ordered_json json_of(const RegressionFit& fit) {
  return json_of_scans(fit.scans(), "root", &RegressionFit::Scan::root, kRegressionFeatures);
}

ordered_json json_of(const DiceFit& fit) {
  return json_of_scans(fit.scans(), "dice", &DiceFit::Scan::dice, named_segmentation_features());
}

RegressionFit regression_from(JsonFields fields, std::int64_t n, const JsonFail& fail) {
  auto scans = scans_from(fields, fail, "root", &RegressionFit::Scan::root, kRegressionFeatures);
  if (static_cast<std::int64_t>(scans.size()) != n) {
    fields.fail("scans", "expected " + std::to_string(n) + " as of the other fits");
  }
  fields.finish();
  return fit_of<RegressionFit>(std::move(scans), fields);
}

DiceFit dice_from(JsonFields fields, const JsonFail& fail) {
  auto scans =
      scans_from(fields, fail, "dice", &DiceFit::Scan::dice, named_segmentation_features());
  fields.finish();
  return fit_of<DiceFit>(std::move(scans), fields);
}

}  // namespace mcvol

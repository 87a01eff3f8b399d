#include "bids_names.h"

#include <algorithm>
#include <cstddef>
#include <regex>

#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

/// The label of an entity such as "space"; empty where there is none.
std::string label_of(const std::string& stem, const std::string& entity) {
  const std::string key = "_" + entity + "-";
  const std::size_t at = stem.find(key);
  if (at == std::string::npos) return "";
  const std::size_t from = at + key.size();
  return stem.substr(from, stem.find('_', from) - from);
}

fs::path folder_of_stem(const std::string& stem) {
  const fs::path subject = stem.substr(0, stem.find('_'));
  const std::string session = label_of(stem, "ses");
  return session.empty() ? subject / "anat" : subject / ("ses-" + session) / "anat";
}

/// Whether a space is one for which BIDS asks no SpatialReference (appendix "Coordinate systems",
/// "Standard template identifiers").
bool is_standard(const std::string& space) {
  static const std::regex standard(
      "ICBM452(Air|Warp5)Space|IXI549Space|fsaverage(Sym)?|fsLR|MNIColin27|MNI152Lin|MNI305|NIHPD|"
      "MNI152NLin(2009[abc]|6)(Sym|Asym)|OASIS30(AntsOASISAnts|Atropos)|Talairach|UNCInfant");
  return std::regex_match(space, standard);
}

std::string table_of(const LabelNames& labels) {
  std::string table = "index\tname\n";
  for (const auto& [label, name] : labels) table += std::to_string(label) + "\t" + name + "\n";
  return table;
}

}  // namespace

BidsNames::BidsNames(const fs::path& folder, const std::string& case_id)
    : MapNames(case_id, folder / "maps" / folder_of_stem(bids_stem(case_id))),
      stem_(bids_stem(case_id)) {}

std::string BidsNames::name_of(const std::string& kind, const std::string& region,
                               const std::string& bound, const std::string& level) const {
  std::string desc = label_of(stem_, "desc");
  std::string name = stem_.substr(0, stem_.find("_desc-"));
  if (!region.empty()) name += "_label-" + bids_label(region);
  if (!bound.empty()) {
    std::string points = level;
    std::replace(points.begin(), points.end(), '.', 'p');
    desc += (desc.empty() ? "" : "+") + bound + points;
  }
  if (!desc.empty()) name += "_desc-" + desc;
  const std::string suffix = kind == "segmentation" || kind == "bounds" ? "mask"
                             : kind == "probability"                    ? "probseg"
                             : kind == "labels"                         ? "dseg"
                                                                        : kind;
  return name + "_" + suffix + kMapEnding;
}

std::string BidsNames::description(const MapEntry& image) const {
  if (image.kind == "labels") return "Values of labels of the model; the table beside names them";
  const std::string of = image.region + ": ";
  if (image.kind == "segmentation") {
    return of + "the most probable voxels, as many as make up its segmented volume";
  }
  if (image.kind == "bounds") {
    const std::string level = image.level.value_or("");
    const char* which = image.file == bound(image.region, "lower", level) ? "lower" : "upper";
    return of + "the most probable voxels, as many as make up the " + which +
           " bound of the interval of its volume at level " + level;
  }
  if (image.kind == "probability") return of + "mean probability over Monte Carlo dropout passes";
  if (image.kind == "sd") return of + "standard deviation of the probability over passes";
  if (image.kind == "agreement") return of + "share of passes with a probability above 0.5";
  return of + "entropy in bits of lying in it or not, by its mean probability";
}

std::vector<Sidecar> BidsNames::sidecars(const MapEntry& image, const LabelNames& labels) const {
  nlohmann::ordered_json fields{{"Description", description(image)}};
  if (!is_standard(label_of(stem_, "space"))) fields["SpatialReference"] = "orig";
  if (!label_of(stem_, "res").empty()) fields["Resolution"] = "that of the scan";
  if (image.kind == "segmentation" || image.kind == "bounds") fields["Type"] = "ROI";
  const std::string stem = image.file.substr(0, image.file.size() - std::string(kMapEnding).size());
  std::vector<Sidecar> sidecars{{stem + ".json", fields.dump(2) + "\n"}};
  if (image.kind == "labels") sidecars.push_back({stem + ".tsv", table_of(labels)});
  return sidecars;
}

}  // namespace mcvol

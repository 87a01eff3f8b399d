#include "mcvol/pipeline/label_painting.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace mcvol {
namespace {

using nlohmann::json;

/// A region of a softmax, or the whole, and the regions that lie in it.
struct ClassGroup {
  std::string name;
  std::vector<int> outputs;
  std::vector<std::size_t> inner;  ///< those in no other of them
  bool is_whole = false;           ///< then a region of all its outputs lies in it, too
};

[[noreturn]] void refuse_labels(const std::string& why) {
  throw UsageError("--save labels: " + why + "; leave labels out");
}

bool is_in(const std::vector<int>& inner, const std::vector<int>& outer) {
  return std::includes(outer.begin(), outer.end(), inner.begin(), inner.end());
}

bool are_apart(const std::vector<int>& a, const std::vector<int>& b) {
  return std::find_first_of(a.begin(), a.end(), b.begin(), b.end()) == a.end();
}

/// Regions of the same classes count once, as the first of them.
std::vector<std::size_t> distinct_regions(const std::vector<ClassGroup>& regions) {
  std::vector<std::size_t> distinct;
  for (std::size_t n = 0; n < regions.size(); ++n) {
    const bool is_new = std::none_of(distinct.begin(), distinct.end(), [&](std::size_t other) {
      return regions[other].outputs == regions[n].outputs;
    });
    if (is_new) distinct.push_back(n);
  }
  return distinct;
}

void require_nested(const std::vector<ClassGroup>& regions) {
  for (const ClassGroup& a : regions) {
    for (const ClassGroup& b : regions) {
      if (is_in(a.outputs, b.outputs) || is_in(b.outputs, a.outputs)) continue;
      if (are_apart(a.outputs, b.outputs)) continue;
      refuse_labels("the model's regions " + a.name + " and " + b.name +
                    " overlap in part, so that its classes cannot be told from them");
    }
  }
}

/// The largest regions that lie in `outer` and are not it.
std::vector<std::size_t> largest_within(const ClassGroup& outer,
                                        const std::vector<ClassGroup>& regions,
                                        const std::vector<std::size_t>& distinct) {
  std::vector<std::size_t> within;
  for (const std::size_t n : distinct) {
    const auto& outputs = regions[n].outputs;
    const bool is_itself = !outer.is_whole && outputs == outer.outputs;
    if (!is_itself && is_in(outputs, outer.outputs)) within.push_back(n);
  }
  std::vector<std::size_t> largest;
  for (const std::size_t n : within) {
    const bool lies_in_another = std::any_of(within.begin(), within.end(), [&](std::size_t other) {
      return other != n && is_in(regions[n].outputs, regions[other].outputs);
    });
    if (!lies_in_another) largest.push_back(n);
  }
  return largest;
}

/// The one labelled output of a group that is in no inner one; none where all are.
std::optional<int> own_output(const ClassGroup& group, const std::vector<ClassGroup>& regions,
                              const json& labels) {
  std::vector<int> own;
  for (const int output : group.outputs) {
    const bool is_inner =
        std::any_of(group.inner.begin(), group.inner.end(),
                    [&](std::size_t inner) { return is_in({output}, regions[inner].outputs); });
    if (!is_inner) own.push_back(output);
  }
  if (own.empty()) return std::nullopt;
  if (own.size() > 1) {
    const auto label = [&](int output) {
      return labels.at(static_cast<std::size_t>(output)).dump();
    };
    refuse_labels("no region of the model tells labels " + label(own[0]) + " and " + label(own[1]) +
                  " apart");
  }
  return own.front();
}

std::string name_of(const ClassGroup& group, int label, const std::vector<ClassGroup>& regions) {
  if (group.is_whole) return label == 0 ? "background" : "outside all regions";
  std::vector<std::string> inner;
  for (const std::size_t n : group.inner) inner.push_back(regions[n].name);
  return group.name + (inner.empty() ? "" : " less " + joined(inner, " and "));
}

LabelPainting painting_of_classes(const json& labels, std::vector<ClassGroup> regions) {
  require_nested(regions);
  const std::vector<std::size_t> distinct = distinct_regions(regions);
  // An output without a label is outside all regions, as in their probabilities.
  ClassGroup all{"", {}, {}, true};
  for (std::size_t output = 0; output < labels.size(); ++output) {
    if (!labels[output].is_null()) all.outputs.push_back(static_cast<int>(output));
  }
  all.inner = largest_within(all, regions, distinct);
  std::vector<std::pair<int, LabelPainting::Class>> by_output;
  LabelPainting painting;
  const auto add = [&](const ClassGroup& group, std::optional<std::size_t> region) {
    LabelPainting::Class one{0, region ? 0 : 1, std::vector<int>(regions.size(), 0)};
    const std::optional<int> output = own_output(group, regions, labels);
    if (!output && region) return;
    if (output) one.label = labels.at(static_cast<std::size_t>(*output)).get<int>();
    if (region) one.of_regions[*region] = 1;
    for (const std::size_t inner : group.inner) one.of_regions[inner] = -1;
    painting.names.emplace_back(one.label, name_of(group, one.label, regions));
    by_output.emplace_back(output.value_or(-1), std::move(one));
  };
  add(all, std::nullopt);
  for (const std::size_t n : distinct) {
    regions[n].inner = largest_within(regions[n], regions, distinct);
    add(regions[n], n);
  }
  std::sort(by_output.begin(), by_output.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [output, one] : by_output) painting.classes.push_back(std::move(one));
  std::sort(painting.names.begin(), painting.names.end());
  return painting;
}

}  // namespace

int LabelPainting::largest_label() const {
  int largest = 0;
  for (const Class& one : classes) largest = std::max(largest, one.label);
  for (const int label : region_labels) largest = std::max(largest, label);
  return largest;
}

LabelPainting label_painting(const json& model) {
  try {
    const json& labels = model.at("output").at("labels");
    std::vector<ClassGroup> regions;
    for (const json& region : model.at("regions")) {
      regions.push_back(
          {region.at("name").get<std::string>(), region.at("outputs").get<std::vector<int>>(), {}});
    }
    if (model.at("output").at("activation") == "softmax") {
      return painting_of_classes(labels, std::move(regions));
    }
    LabelPainting painting;
    painting.names.emplace_back(0, "background");
    for (const ClassGroup& region : regions) {
      const auto output = static_cast<std::size_t>(region.outputs.at(0));
      painting.region_labels.push_back(labels.at(output).get<int>());
    }
    // Each is painted over those before it: what is left of a region is not the whole of it.
    for (std::size_t n = 0; n < regions.size(); ++n) {
      std::vector<std::string> over;
      for (std::size_t later = n + 1; later < regions.size(); ++later) {
        over.push_back(regions[later].name);
      }
      painting.names.emplace_back(
          painting.region_labels[n],
          regions[n].name + (over.empty() ? "" : " less " + joined(over, " and ")));
    }
    std::sort(painting.names.begin(), painting.names.end());
    return painting;
  } catch (const json::exception&) {
    throw UsageError("--save labels: the model has no labels that can be read");
  }
}

}  // namespace mcvol

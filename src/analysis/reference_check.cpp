#include "mcvol/analysis/reference_check.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "reference_misfit.h"

namespace mcvol {

namespace {

/// Fewer cases cannot tell regions apart.
constexpr std::size_t kLeastCases = 3;
/// Every order of more regions would take too long.
constexpr std::size_t kMostRegions = 7;
/// Of a region that was measured and is in no reference.
constexpr double kMeasured_ml = 0.5;

/// "0.97", "1032".
std::string ratio_text(double ratio) {
  return decimal_text(ratio, ratio < 0.1 ? 4 : ratio < 10 ? 2 : 0);
}

/// Judges references region by region and against each other.
class Judge {
 public:
  Judge(ReferencedResults& results, const std::map<int, int>& label_map)
      : results_(results), label_map_(label_map) {
    for (const std::string& region : results.regions) {
      const std::vector<ReferencePair> pairs = pairs_of(results, region, region);
      const std::optional<double> ratio = ratio_of(pairs);
      if (!ratio) continue;
      ratios_.emplace_back(region, *ratio);
      results.facts.push_back(region + ": reference over raw volume " + ratio_text(*ratio) +
                              " (median of " + std::to_string(pairs.size()) + " cases)");
    }
  }

  std::vector<std::string> reasons() {
    std::vector<std::string> reasons;
    for (const std::optional<std::string>& reason :
         {own_volumes(), missing_region(), far_ratio(), other_regions(), larger_part(),
          other_labels()}) {
      if (reason) reasons.push_back(*reason);
    }
    return reasons;
  }

 private:
  /// Raw volumes or segmentations of the same run, without the columns that tell its table.
  std::optional<std::string> own_volumes() const {
    constexpr double kRounding_ml = 0.00051;  // tables have three decimals
    std::size_t volumes = 0, equal = 0;
    for (const ReferencedCase& one : results_.cases) {
      for (const ReferencedRegion& region : one.regions) {
        if (region.volume_ml <= 0) continue;
        ++volumes;
        const double raw = std::abs(region.volume_ml - region.raw_ml);
        const double segmented = std::abs(region.volume_ml - region.segmented_ml);
        equal += std::min(raw, segmented) < kRounding_ml ? 1 : 0;
      }
    }
    if (results_.cases.size() < kLeastCases || 10 * equal < 9 * volumes || equal == 0) return {};
    return std::to_string(equal) + " of " + std::to_string(volumes) +
           " references equal what mcvol has measured itself; give volumes of another procedure, "
           "such as manual segmentation";
  }

  std::optional<std::string> missing_region() const {
    for (const std::string& region : results_.regions) {
      std::vector<double> raw;
      double known_ml = 0;
      for (const ReferencePair& pair : pairs_of(results_, region, region)) {
        raw.push_back(pair.raw_ml);
        known_ml += pair.reference_ml;
      }
      if (raw.empty() || known_ml > 0 || median_of(raw) < kMeasured_ml) continue;
      return region + ": every reference is 0 ml, and " + decimal_text(median_of(raw), 1) +
             " ml were measured (median of " + std::to_string(raw.size()) +
             " cases); correct the references";
    }
    return std::nullopt;
  }

  std::optional<std::string> far_ratio() const {
    const auto far = std::find_if(ratios_.begin(), ratios_.end(), [](const auto& one) {
      return one.second < kLeastRatio || one.second > kMostRatio;
    });
    if (far == ratios_.end()) return std::nullopt;
    std::string found;
    for (const auto& [region, ratio] : ratios_) {
      found += (found.empty() ? "" : ", ") + region + " " + ratio_text(ratio);
    }
    return "the median ratio of reference to raw volume is expected between 0.2 and 5, found " +
           found + unit_hint(far->second);
  }

  /// What unit the factor speaks of.
  std::string unit_hint(double ratio) const {
    constexpr double kAlike = 2.2;
    const auto alike = [&](double factor) {
      return ratio < factor * kAlike && ratio > factor / kAlike;
    };
    std::vector<std::string> units;
    if (alike(1000)) units.emplace_back("mm³");
    if (results_.voxel_ml > 0 && alike(1 / results_.voxel_ml)) units.emplace_back("voxels");
    if (alike(0.001)) units.emplace_back("litres");
    if (units.empty()) return "; correct volume_ml";
    return ": they look like " + joined(units, " or ") + "; give them in ml";
  }

  /// The order of regions that references fit best.
  std::optional<std::string> other_regions() const {
    const std::size_t count = results_.regions.size();
    if (count < 2 || count > kMostRegions) return std::nullopt;
    std::vector<std::vector<Misfit>> misfits(count, std::vector<Misfit>(count));
    for (std::size_t from = 0; from < count; ++from) {
      for (std::size_t to = 0; to < count; ++to) {
        const auto pairs = pairs_of(results_, results_.regions[from], results_.regions[to]);
        if (pairs.size() < kLeastCases) return std::nullopt;
        misfits[from][to] = misfit_of(pairs);
      }
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto misfit_in = [&](const std::vector<std::size_t>& of) {
      Misfit sum;
      for (std::size_t n = 0; n < count; ++n) sum += misfits[n][of[n]];
      return sum;
    };
    const Misfit own = misfit_in(order);
    std::vector<std::size_t> best;
    std::size_t fewest_moved = count + 1;
    while (std::next_permutation(order.begin(), order.end())) {
      const Misfit misfit = misfit_in(order);
      if (!misfit.far_better_than(own)) continue;
      std::size_t moved = 0;
      for (std::size_t n = 0; n < count; ++n) moved += order[n] != n ? 1 : 0;
      // Two names exchanged are likelier than three, whatever fits a little better.
      if (moved > fewest_moved) continue;
      if (moved == fewest_moved && misfit.shift >= misfit_in(best).shift) continue;
      best = order;
      fewest_moved = moved;
    }
    if (best.empty()) return std::nullopt;
    std::string found;
    for (std::size_t n = 0; n < count; ++n) {
      if (best[n] == n) continue;
      found +=
          (found.empty() ? "" : ", ") + results_.regions[n] + " like " + results_.regions[best[n]];
    }
    return "the regions look exchanged: their references fit the measured volumes far better "
           "with " +
           found + "; correct the column region";
  }

  /// Of two regions, one part of the other by the outputs they are made of.
  std::optional<std::string> larger_part() {
    for (const nlohmann::json& whole : results_.run.model.at("regions")) {
      for (const nlohmann::json& part : results_.run.model.at("regions")) {
        const auto of_whole = whole.at("outputs").get<std::set<int>>();
        const auto of_part = part.at("outputs").get<std::set<int>>();
        if (of_whole.size() <= of_part.size() ||
            !std::includes(of_whole.begin(), of_whole.end(), of_part.begin(), of_part.end())) {
          continue;
        }
        const auto reason = larger_part(whole.at("name"), part.at("name"));
        if (reason) return reason;
      }
    }
    return std::nullopt;
  }

  std::optional<std::string> larger_part(const std::string& whole, const std::string& part) {
    constexpr double kRounded = 1.01;
    std::size_t cases = 0, larger = 0;
    std::string example;
    for (const ReferencedCase& one : results_.cases) {
      const ReferencedRegion* of_whole = region_of(one, whole);
      const ReferencedRegion* of_part = region_of(one, part);
      if (of_whole == nullptr || of_part == nullptr) continue;
      ++cases;
      if (of_part->volume_ml <= kRounded * of_whole->volume_ml + 0.01) continue;
      if (larger++ == 0) example = one.case_id;
    }
    if (larger == 0) return std::nullopt;
    const std::string found = "the reference of " + part + " is larger than that of " + whole +
                              ", of which it is part, in " + std::to_string(larger) + " of " +
                              std::to_string(cases) + " cases, such as " + example;
    // A few are mistakes of those cases, most are a mistake of the table.
    if (cases >= kLeastCases && 3 * larger > 2 * cases) return found + "; correct the references";
    results_.notes.push_back(found);
    return std::nullopt;
  }

  /// Two labels whose exchange fits far better: oedema and core have other numbers elsewhere.
  std::optional<std::string> other_labels() const {
    std::set<int> labels;
    for (const ReferencedCase& one : results_.cases) {
      for (const auto& [label, volume_ml] : one.labels_ml) labels.insert(label);
    }
    // With one label there is nothing to exchange it with that would be seen.
    if (labels.size() < 2 || results_.cases.size() < kLeastCases) return std::nullopt;
    const nlohmann::json& model_labels = results_.run.model.at("output").at("labels");
    for (const nlohmann::json& label : model_labels) {
      if (label.is_number_integer() && label != 0) labels.insert(label.get<int>());
    }
    const Misfit own = misfit_with(0, 0);
    for (auto first = labels.begin(); first != labels.end(); ++first) {
      for (auto second = std::next(first); second != labels.end(); ++second) {
        if (!misfit_with(*first, *second).far_better_than(own)) continue;
        return "the labels " + std::to_string(*first) + " and " + std::to_string(*second) +
               " look exchanged: the label maps fit the measured volumes far better with "
               "--label-map " +
               mapping_with(*first, *second);
      }
    }
    return std::nullopt;
  }

  /// Of all regions with two labels exchanged.
  Misfit misfit_with(int first, int second) const {
    const nlohmann::json& labels = results_.run.model.at("output").at("labels");
    Misfit sum;
    for (const nlohmann::json& region : results_.run.model.at("regions")) {
      std::vector<ReferencePair> pairs;
      for (const ReferencedCase& one : results_.cases) {
        const ReferencedRegion* measured = region_of(one, region.at("name"));
        // Beside a table label maps may be fewer than cases.
        if (measured == nullptr || one.values.empty()) continue;
        ReferencePair pair{0, measured->raw_ml};
        for (const nlohmann::json& output : region.at("outputs")) {
          const nlohmann::json& label = labels.at(output.get<std::size_t>());
          if (label.is_null()) continue;
          int of_map = label.get<int>();
          if (of_map == first || of_map == second) of_map = of_map == first ? second : first;
          const auto found = one.labels_ml.find(of_map);
          if (found != one.labels_ml.end()) pair.reference_ml += found->second;
        }
        pairs.push_back(pair);
      }
      if (!pairs.empty()) sum += misfit_of(pairs);
    }
    return sum;
  }

  /// The mapping that is in use with two labels of the model exchanged.
  std::string mapping_with(int first, int second) const {
    std::set<int> values{first, second};
    for (const ReferencedCase& one : results_.cases) {
      values.insert(one.values.begin(), one.values.end());
    }
    std::vector<std::string> mapped;
    for (const int value : values) {
      const auto entry = label_map_.find(value);
      int label = entry == label_map_.end() ? value : entry->second;
      if (label == first || label == second) label = label == first ? second : first;
      if (label != value) {
        mapped.push_back(std::to_string(value) + "=" + std::to_string(label));
      }
    }
    return joined(mapped, ",");
  }

  ReferencedResults& results_;
  const std::map<int, int>& label_map_;
  std::vector<std::pair<std::string, double>> ratios_;  ///< by region
};

}  // namespace

std::string judge_references(ReferencedResults& results, const std::string& name, bool accept,
                             const std::map<int, int>& label_map) {
  for (const std::string& reason : Judge(results, label_map).reasons()) {
    if (!accept) return name + ": " + reason + ", or use them as they are with --accept-references";
    results.notes.push_back(name + ": " + reason + "; used as they are (--accept-references)");
  }
  return "";
}

}  // namespace mcvol

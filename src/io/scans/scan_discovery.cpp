#include "mcvol/io/scans/scan_discovery.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"
#include "mcvol/io/scans/manifest.h"

#include <algorithm>
#include <map>
#include <system_error>

#include "scan_layouts.h"
#include "scan_tree.h"

namespace mcvol {
namespace {

namespace fs = std::filesystem;

/// What was found under one of the paths given.
struct FoundScans {
  ScanLayout layout = ScanLayout::kAuto;
  std::vector<FoundCase> cases;
  std::string nothing;  ///< why there is no case; empty where there is one
};

/// A layout and what it makes of a folder.
struct Reading {
  ScanLayout layout = ScanLayout::kAuto;
  LayoutCases found;
};

/// Names that are BIDS' alone. Read by another layout, an image with contrast agent could pass for
/// one without, and derivatives for further cases.
bool is_bids(const ScanFile& file, const std::vector<ChannelPattern>& channels) {
  if (!file.stem.starts_with("sub-") || match_suffix(file.stem, channels, true)) return false;
  return match_bids(file.stem, channels) || file.stem.find("_ce-") != std::string::npos;
}

/// Each layout asked for, by precedence, with the cases it finds.
std::vector<Reading> read_layouts(const ScanTree& tree, const std::vector<ChannelPattern>& channels,
                                  ScanLayout layout) {
  const bool is_auto = layout == ScanLayout::kAuto;
  ScanFiles bids, others;
  for (const ScanFile& file : tree.images) {
    const bool for_bids = is_auto ? is_bids(file, channels) : layout == ScanLayout::kBids;
    (for_bids ? bids : others).push_back(&file);
  }
  std::vector<Reading> readings;
  if (is_auto || layout == ScanLayout::kBids) {
    readings.push_back({ScanLayout::kBids, bids_cases(bids, channels)});
  }
  if (is_auto || layout == ScanLayout::kNnunet) {
    readings.push_back({ScanLayout::kNnunet, nnunet_cases(others, channels)});
  }
  if (is_auto || layout == ScanLayout::kBrats) {
    readings.push_back({ScanLayout::kBrats, brats_cases(others, channels, tree.name)});
  }
  return readings;
}

/// Most complete cases, then most cases. @throws UsageError where two have as many complete ones.
Reading& best_reading(std::vector<Reading>& readings, const fs::path& folder) {
  const auto rank = [](const Reading& reading) {
    return std::pair(reading.found.complete(), reading.found.cases.size());
  };
  Reading& best =
      *std::max_element(readings.begin(), readings.end(),
                        [&](const Reading& a, const Reading& b) { return rank(a) < rank(b); });
  const std::size_t complete = best.found.complete();
  for (const Reading& other : readings) {
    if (&other == &best || complete == 0 || other.found.complete() != complete) continue;
    throw UsageError(folder.string() + ": holds " + std::to_string(complete) +
                     " complete case(s) in each of two layouts, " + to_string(best.layout) +
                     " and " + to_string(other.layout) + "; choose one with --layout");
  }
  return best;
}

std::string list_of_suffixes(const std::vector<ChannelPattern>& channels) {
  std::vector<std::string> listed;
  for (const ChannelPattern& channel : channels) {
    listed.push_back(channel.name + " (" + joined(channel.suffixes) + ")");
  }
  return joined(listed);
}

/// DICOM files often have no ending, or a number for one; a few of them are opened.
void find_dicom_by_content(ScanTree& tree) {
  constexpr std::size_t kMostOpened = 64;
  std::size_t opened = 0;
  for (const fs::path& path : tree.others) {
    if (++opened > kMostOpened) return;
    if (has_dicom_mark(path)) {
      tree.foreign[&dicom_format()].push_back(
          (path.parent_path().filename() / path.filename()).string());
    }
  }
}

/// The layout asked for may be the wrong one: the one that finds most, empty where none does.
std::string advice_on_layout(const ScanTree& tree, const std::vector<ChannelPattern>& channels) {
  std::vector<Reading> readings = read_layouts(tree, channels, ScanLayout::kAuto);
  const auto best =
      std::max_element(readings.begin(), readings.end(), [](const Reading& a, const Reading& b) {
        return a.found.cases.size() < b.found.cases.size();
      });
  if (best->found.cases.empty()) return {};
  return "the layout does not fit: --layout " + to_string(best->layout) + " finds " +
         std::to_string(best->found.cases.size()) + " case(s), such as " +
         best->found.cases.front().scan.case_id;
}

/// Why there is no case, by what is there instead.
std::string nothing_found(ScanTree& tree, const std::vector<ChannelPattern>& channels,
                          ScanLayout layout) {
  find_dicom_by_content(tree);
  const std::string in_layout =
      layout == ScanLayout::kAuto ? "" : " in layout " + to_string(layout);
  if (const std::string advice = advice_on_layout(tree, channels); !advice.empty()) {
    return "no case found" + in_layout + ": " + advice;
  }
  std::vector<std::string> reasons;
  if (!tree.images.empty()) {
    reasons.push_back(std::to_string(tree.images.size()) + " image file(s) such as " +
                      tree.images.front().name() +
                      ", but none whose name ends in _ or - and a channel's suffix: " +
                      list_of_suffixes(channels) + "; rename them or use a manifest .csv");
  }
  for (const auto& [format, files] : tree.foreign) {
    reasons.push_back(std::to_string(files.size()) + " " + std::string(format->name) +
                      " file(s) such as " + fs::path(files.front()).filename().string() +
                      ", which mcvol does not read; " + std::string(format->advice));
  }
  if (reasons.empty()) {
    reasons.push_back(tree.others.empty()
                          ? "there is no file in it"
                          : "no image among its " + std::to_string(tree.others.size()) +
                                " file(s) such as " + tree.others.front().filename().string());
  }
  return "no case found" + in_layout + ": " + joined(reasons, "; ");
}

/// Lists what is in the folder but in no case.
void pass_over_rest(const ScanTree& tree, const std::vector<ChannelPattern>& channels,
                    const std::vector<Reading>& readings, const Reading& best,
                    PassedOver& passed_over) {
  passed_over.add(best.found.passed_over);
  for (const Reading& other : readings) {
    if (&other == &best) continue;
    for (const FoundCase& found : other.found.cases) {
      const std::string layout = to_string(other.layout);
      passed_over.add(found.shown,
                      "a case of layout " + layout + "; --layout " + layout + " takes it");
    }
  }
  for (const ScanFile& file : tree.images) {
    if (is_label_map(file) || match_suffix(file.stem, channels, true) ||
        match_suffix(file.stem, channels, false) || match_bids(file.stem, channels)) {
      continue;
    }
    passed_over.add(file.shown, "its name ends in no channel's suffix");
  }
  for (const auto& [format, files] : tree.foreign) {
    passed_over.add(files.front(), std::string(format->name) + "; " + std::string(format->advice),
                    files.size());
  }
}

/// A folder that cannot be listed would be a case: a failed row, not a patient left out in silence.
void add_unreadable(const ScanTree& tree, const fs::path& root, std::vector<FoundCase>& cases,
                    PassedOver& passed_over) {
  for (const auto& [below, cause] : tree.unreadable) {
    const std::string shown = tree.name + "/" + below.string();
    const std::string error = shown + ": cannot list the folder: " + cause + "; make it readable";
    const std::string id = below.filename().string();
    const bool taken = std::any_of(cases.begin(), cases.end(), [&](const FoundCase& found) {
      return lower_case(found.scan.case_id) == lower_case(id);
    });
    if (is_valid_case_id(id) && !taken) {
      cases.push_back({{id, {}, error}, (root / below).string(), shown});
    } else {
      passed_over.add(shown, "cannot be listed: " + cause);
    }
  }
}

FoundScans scans_in_folder(const fs::path& folder, const std::vector<ChannelPattern>& channels,
                           ScanLayout layout, PassedOver& passed_over) {
  ScanTree tree = list_scan_tree(folder);
  std::vector<Reading> readings = read_layouts(tree, channels, layout);
  Reading& best = best_reading(readings, folder);
  if (!best.found.problem.empty()) {
    throw UsageError(folder.string() + ": " + best.found.problem);
  }
  passed_over.add(tree.passed_over);
  if (best.found.cases.empty()) {
    FoundScans none{layout, {}, nothing_found(tree, channels, layout)};
    if (is_valid_case_id(tree.name)) {
      none.cases.push_back({{tree.name, {}, none.nothing}, folder.string(), tree.name});
    }
    return none;
  }
  find_dicom_by_content(tree);
  pass_over_rest(tree, channels, readings, best, passed_over);
  add_unreadable(tree, folder, best.found.cases, passed_over);
  return {best.layout, std::move(best.found.cases), {}};
}

FoundScans scans_in_manifest(const fs::path& file, const std::vector<ChannelPattern>& channels,
                             std::vector<std::string>& ignored) {
  Manifest manifest = read_manifest(file, channels);
  ignored.insert(ignored.end(), manifest.ignored.begin(), manifest.ignored.end());
  FoundScans found{ScanLayout::kManifest, {}, {}};
  for (ScanCase& scan : manifest.cases) {
    found.cases.push_back({std::move(scan), file.string(), file.filename().string()});
  }
  return found;
}

bool is_manifest_name(const fs::path& path) {
  return lower_case(path.extension().string()) == ".csv";
}

/// @throws UsageError for a name that cannot be a case_id, or one found twice.
void check_case_ids(const std::vector<FoundCase>& cases) {
  std::map<std::string, const FoundCase*> seen;
  for (const FoundCase& found : cases) {
    const std::string& id = found.scan.case_id;
    if (!is_valid_case_id(id)) {
      throw UsageError(found.where + ": '" + id +
                       "' cannot be a case_id; rename the file so that up to 128 letters, digits, "
                       "'.', '_' and '-', a letter or digit first, come before the channel's "
                       "suffix, or use a manifest");
    }
    const auto [other, is_new] = seen.try_emplace(lower_case(id), &found);
    if (is_new) continue;
    std::error_code error;
    if (!is_manifest_name(found.where) &&
        fs::equivalent(other->second->where, found.where, error)) {
      throw UsageError(found.where +
                       ": given twice, by itself or with a folder above it (case_id '" + id +
                       "'); name it once");
    }
    throw UsageError("case_id '" + id + "' is found twice (upper and lower case count as the " +
                     "same): " + other->second->where + " and " + found.where +
                     "; rename one, leave one out or use a manifest");
  }
}

FoundScans scans_at(const fs::path& path, const std::vector<ChannelPattern>& channels,
                    ScanLayout layout, ScanDiscovery& discovery, PassedOver& passed_over) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw Error(path.string() + ": no such file or folder");
  }
  if (error) throw Error(path.string() + ": cannot be read: " + error.message());
  const bool is_folder = fs::is_directory(status);
  if (!is_folder && is_manifest_name(path)) {
    return scans_in_manifest(path, channels, discovery.ignored);
  }
  if (!is_folder || layout == ScanLayout::kManifest) {
    throw UsageError(path.string() + ": expected " +
                     (layout == ScanLayout::kManifest ? "" : "a folder of scans or ") +
                     "a manifest .csv, found a " + (is_folder ? "folder" : "file") +
                     (is_folder ? "" : "; name the folder it is in"));
  }
  return scans_in_folder(path, channels, layout, passed_over);
}

}  // namespace

std::string to_string(ScanLayout layout) {
  switch (layout) {
    case ScanLayout::kBrats:
      return "brats";
    case ScanLayout::kNnunet:
      return "nnunet";
    case ScanLayout::kBids:
      return "bids";
    case ScanLayout::kManifest:
      return "manifest";
    case ScanLayout::kAuto:
      break;
  }
  return "auto";
}

ScanDiscovery discover_scans(const std::vector<fs::path>& scans,
                             const std::vector<ChannelPattern>& channels, ScanLayout layout) {
  ScanDiscovery discovery;
  PassedOver passed_over;
  std::vector<FoundCase> cases;
  std::vector<std::string> nothing;
  bool unnamed = false;
  for (const fs::path& path : scans) {
    FoundScans found = scans_at(path, channels, layout, discovery, passed_over);
    if (!found.nothing.empty()) {
      nothing.push_back(path.string() + ": " + found.nothing);
      unnamed = unnamed || found.cases.empty();
    } else if (discovery.layout == ScanLayout::kAuto) {
      discovery.layout = found.layout;
    }
    discovery.by_number = discovery.by_number || found.layout == ScanLayout::kNnunet;
    std::move(found.cases.begin(), found.cases.end(), std::back_inserter(cases));
  }
  // One of many folders without a scan is a failed row; a run of nothing else cannot start.
  if (scans.empty()) throw UsageError("no scans named; name a folder of scans or a manifest .csv");
  if (nothing.size() == scans.size() || unnamed) throw Error(nothing.front());
  check_case_ids(cases);
  for (FoundCase& found : cases) discovery.cases.push_back(std::move(found.scan));
  std::sort(discovery.cases.begin(), discovery.cases.end(),
            [](const ScanCase& a, const ScanCase& b) { return a.case_id < b.case_id; });
  for (std::string& line : passed_over.lines()) discovery.ignored.push_back(std::move(line));
  return discovery;
}

bool is_valid_case_id(const std::string& case_id) {
  constexpr std::size_t kLongest = 128;
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !case_id.empty() && case_id.size() <= kLongest && is_alphanumeric(case_id.front()) &&
         std::all_of(case_id.begin(), case_id.end(), [&](char c) {
           return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
         });
}

}  // namespace mcvol

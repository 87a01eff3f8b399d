#include "mcvol/io/scans/scan_discovery.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"
#include "mcvol/io/scans/manifest.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <system_error>

#include "case_ids.h"
#include "lost_scans.h"
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
                                  const ScanSearch& search) {
  const ScanLayout layout = search.layout;
  const bool is_auto = layout == ScanLayout::kAuto;
  ScanFiles bids, others;
  for (const ScanFile& file : tree.images) {
    const bool for_bids = is_auto ? is_bids(file, channels) : layout == ScanLayout::kBids;
    (for_bids ? bids : others).push_back(&file);
  }
  std::vector<Reading> readings;
  if (is_auto || layout == ScanLayout::kBids) {
    readings.push_back({ScanLayout::kBids, bids_cases(bids, channels, search.space)});
  }
  if (is_auto || layout == ScanLayout::kNnunet) {
    readings.push_back({ScanLayout::kNnunet, nnunet_cases(others, channels)});
  }
  if (is_auto || layout == ScanLayout::kBrats) {
    readings.push_back({ScanLayout::kBrats, brats_cases(others, channels, tree.name)});
  }
  if (is_auto || layout == ScanLayout::kDecathlon) {
    readings.push_back(
        {ScanLayout::kDecathlon, decathlon_cases(others, channels, tree.name, !is_auto)});
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

/// DICOM files often have no ending, or a number for one: the first such files of each folder are
/// opened, and the others taken to be like them.
void find_dicom_by_content(ScanTree& tree) {
  constexpr int kOpened = 3;
  struct Folder {
    int opened = 0;
    bool is_dicom = false;
  };
  std::map<std::vector<std::string>, Folder> folders;
  std::erase_if(tree.others, [&](ScanFile& file) {
    const std::string ending = lower_case(file.path.extension().string());
    const bool has_number = ending.find_first_not_of(".0123456789") == std::string::npos;
    if (!file.unreadable.empty() || !(has_number || ending == ".mr")) return false;
    Folder& folder = folders[file.folders];
    if (!folder.is_dicom && folder.opened < kOpened) {
      ++folder.opened;
      folder.is_dicom = has_dicom_mark(file.path);
    }
    if (!folder.is_dicom) return false;
    std::string stem = file.path.filename().string();
    tree.images.push_back(foreign_file(std::move(file), std::move(stem), dicom_format()));
    return true;
  });
}

/// The layout asked for may be the wrong one: the one that finds most, empty where none does.
std::string advice_on_layout(const ScanTree& tree, const std::vector<ChannelPattern>& channels) {
  std::vector<Reading> readings = read_layouts(tree, channels, {});
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
std::string nothing_found(const ScanTree& tree, const std::vector<ChannelPattern>& channels,
                          ScanLayout layout) {
  const std::string in_layout =
      layout == ScanLayout::kAuto ? "" : " in layout " + to_string(layout);
  if (const std::string advice = advice_on_layout(tree, channels); !advice.empty()) {
    return "no case found" + in_layout + ": " + advice;
  }
  std::vector<std::string> reasons;
  if (!tree.images.empty()) {
    reasons.push_back(
        std::to_string(tree.images.size()) + " image file(s) such as " +
        tree.images.front().name() +
        ", but none whose name ends in _ or - and a channel's suffix: " +
        list_of_suffixes(channels) + "; rename them or use a manifest .csv" +
        (is_decathlon_folder(tree.images.front().folders, tree.name)
             ? ", which names the images of a 4-D file as " + tree.images.front().name() + "[0]"
             : ""));
  }
  if (reasons.empty()) {
    reasons.push_back(tree.others.empty()
                          ? "there is no file in it"
                          : "no image among its " + std::to_string(tree.others.size()) +
                                " file(s) such as " + tree.others.front().name());
  }
  return "no case found" + in_layout + ": " + joined(reasons, "; ");
}

/// BIDS' folders of what is no raw data.
bool is_derived(const std::vector<std::string>& folders) {
  return std::any_of(folders.begin(), folders.end(), [](const std::string& name) {
    return name == "derivatives" || name == "sourcedata";
  });
}

/// The cases of the layouts not taken: a folder is read in one, but no patient vanishes.
void add_cases_of_other_layouts(const std::vector<Reading>& readings, Reading& best) {
  std::set<std::string> ids;
  for (const FoundCase& found : best.found.cases) ids.insert(found.scan.case_id);
  for (const Reading& other : readings) {
    if (&other == &best) continue;
    const std::string layout = to_string(other.layout);
    for (const FoundCase& found : other.found.cases) {
      if (is_derived(found.folders)) {
        best.found.passed_over.add(found.shown,
                                   "of layout " + layout + ", below derivatives/ or sourcedata/");
        continue;
      }
      if (ids.contains(found.scan.case_id)) {
        best.found.passed_over.add(
            found.shown, "a case of layout " + layout + "; --layout " + layout + " takes it");
        continue;
      }
      FoundCase lost = found;
      lost.scan.channel_files.clear();
      lost.scan.error = "a case of layout " + layout + " among those of layout " +
                        to_string(best.layout) + "; --layout " + layout + " takes it";
      best.found.cases.push_back(std::move(lost));
    }
  }
}

/// Lists what is in the folder but in no case.
/// @param readings of which a file that is a channel in one has been told already.
void pass_over_rest(const ScanTree& tree, const std::vector<ChannelPattern>& channels,
                    const std::vector<Reading>& readings, const std::set<const ScanFile*>& lost,
                    PassedOver& passed_over) {
  for (const ScanFile& file : tree.images) {
    if (lost.contains(&file) || is_label_map(file)) continue;
    const bool is_told = std::any_of(readings.begin(), readings.end(), [&](const Reading& reading) {
      return reading.found.unnamed.contains(&file) ||
             is_channel_in(reading.layout, file.stem, channels);
    });
    if (is_told) continue;
    passed_over.add(file.shown, file.unreadable.empty() ? "its name ends in no channel's suffix"
                                                        : file.unreadable);
  }
}

FoundScans scans_in_folder(const fs::path& folder, const std::vector<ChannelPattern>& channels,
                           const ScanSearch& search, PassedOver& passed_over) {
  ScanTree tree = list_scan_tree(folder, search.results);
  find_dicom_by_content(tree);
  std::vector<Reading> readings = read_layouts(tree, channels, search);
  Reading& best = best_reading(readings, folder);
  // Of a layout asked for: that the model has none of it is no problem otherwise.
  const bool is_meant = best.layout != ScanLayout::kDecathlon || search.layout == best.layout;
  if (is_meant && !best.found.problem.empty()) {
    throw UsageError(folder.string() + ": " + best.found.problem);
  }
  passed_over.add(tree.passed_over);
  add_cases_of_other_layouts(readings, best);
  std::vector<FoundCase>& cases = best.found.cases;
  LostFiles lost = lost_scans(tree, folder, channels, best.layout, best.found);
  // Images of other names and nothing else: the model or the folder is the wrong one.
  const bool has_foreign = std::any_of(tree.images.begin(), tree.images.end(),
                                       [](const ScanFile& file) { return file.format != nullptr; });
  if (cases.empty() && (lost.cases.empty() || !(has_foreign || !tree.unreadable.empty()))) {
    FoundScans none{search.layout, {}, nothing_found(tree, channels, search.layout)};
    none.cases.push_back({{tree.name, {}, none.nothing, {}}, folder.string(), tree.name, {}, true});
    return none;
  }
  passed_over.add(best.found.passed_over);
  pass_over_rest(tree, channels, readings, lost.files, passed_over);
  std::move(lost.cases.begin(), lost.cases.end(), std::back_inserter(cases));
  return {best.layout, std::move(cases), {}};
}

FoundScans scans_in_manifest(const fs::path& file, const std::vector<ChannelPattern>& channels,
                             std::vector<std::string>& ignored) {
  Manifest manifest = read_manifest(file, channels);
  ignored.insert(ignored.end(), manifest.ignored.begin(), manifest.ignored.end());
  FoundScans found{ScanLayout::kManifest, {}, {}};
  for (std::size_t n = 0; n < manifest.cases.size(); ++n) {
    found.cases.push_back({std::move(manifest.cases[n]),
                           file.string(),
                           file.filename().string(),
                           {},
                           false,
                           manifest.lines[n]});
  }
  return found;
}

bool is_manifest_name(const fs::path& path) {
  return lower_case(path.extension().string()) == ".csv";
}

FoundScans scans_at(const fs::path& path, const std::vector<ChannelPattern>& channels,
                    const ScanSearch& search, ScanDiscovery& discovery, PassedOver& passed_over) {
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
  if (!is_folder || search.layout == ScanLayout::kManifest) {
    throw UsageError(path.string() + ": expected " +
                     (search.layout == ScanLayout::kManifest ? "" : "a folder of scans or ") +
                     "a manifest .csv, found a " + (is_folder ? "folder" : "file") +
                     (is_folder ? "" : "; name the folder it is in"));
  }
  return scans_in_folder(path, channels, search, passed_over);
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
    case ScanLayout::kDecathlon:
      return "decathlon";
    case ScanLayout::kManifest:
      return "manifest";
    case ScanLayout::kAuto:
      break;
  }
  return "auto";
}

ScanDiscovery discover_scans(const std::vector<fs::path>& scans,
                             const std::vector<ChannelPattern>& channels,
                             const ScanSearch& search) {
  ScanDiscovery discovery;
  PassedOver passed_over;
  std::vector<FoundCase> cases;
  std::vector<std::string> nothing;
  for (const fs::path& path : scans) {
    FoundScans found = scans_at(path, channels, search, discovery, passed_over);
    if (!found.nothing.empty()) {
      nothing.push_back(path.string() + ": " + found.nothing);
    } else if (discovery.layout == ScanLayout::kAuto) {
      discovery.layout = found.layout;
    }
    discovery.by_number = discovery.by_number || found.layout == ScanLayout::kNnunet;
    std::move(found.cases.begin(), found.cases.end(), std::back_inserter(cases));
  }
  // One of many folders without a scan is a failed row; a run of nothing else cannot start.
  if (scans.empty()) throw UsageError("no scans named; name a folder of scans or a manifest .csv");
  if (nothing.size() == scans.size()) throw Error(nothing.front());
  assign_case_ids(cases, search.recorded);
  for (FoundCase& found : cases) discovery.cases.push_back(std::move(found.scan));
  std::sort(discovery.cases.begin(), discovery.cases.end(),
            [](const ScanCase& a, const ScanCase& b) { return a.case_id < b.case_id; });
  for (std::string& line : passed_over.lines()) discovery.ignored.push_back(std::move(line));
  return discovery;
}

}  // namespace mcvol

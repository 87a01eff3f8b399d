#include "scan_layouts.h"

#include "mcvol/files/text.h"
#include "mcvol/io/images/image_endings.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string_view>
#include <tuple>

namespace mcvol {
namespace {

/// nnU-Net's ending: four digits.
bool is_numbered(const std::string& suffix) {
  return suffix.size() == 4 && suffix.find_first_not_of("0123456789") == std::string::npos;
}

/// Files of one folder that share what comes before the suffix.
struct StemGroup {
  std::vector<ScanFiles> files_of_channels;
  std::string separator;  ///< as the first file has it
};

std::vector<std::string> names_looked_for(const std::string& stem, const std::string& separator,
                                          const std::vector<ChannelPattern>& channels,
                                          bool numbered) {
  std::vector<std::string> looked_for;
  for (const ChannelPattern& channel : channels) {
    std::vector<std::string> names;
    for (const std::string& suffix : suffixes_of(channel, numbered)) {
      names.push_back(stem.empty() ? suffix : stem + separator + suffix);
    }
    looked_for.push_back(joined(names));
  }
  return looked_for;
}

LayoutCases cases_by_stem(const ScanFiles& files, const std::vector<ChannelPattern>& channels,
                          bool numbered, const std::string& root_name) {
  using Key = std::tuple<std::vector<std::string>, bool, std::string>;
  std::map<Key, StemGroup> groups;
  for (const ScanFile* file : files) {
    if (is_label_map(*file)) continue;
    const std::optional<SuffixMatch> match = match_suffix(file->stem, channels, numbered);
    if (!match) continue;
    StemGroup& group = groups[{file->folders, match->is_whole, match->stem}];
    if (group.files_of_channels.empty()) {
      group.files_of_channels.resize(channels.size());
      if (!match->is_whole) group.separator = file->stem[match->stem.size()];
    }
    group.files_of_channels[match->channel].push_back(file);
  }
  LayoutCases found;
  for (const auto& [key, group] : groups) {
    const auto& [folders, is_whole, stem] = key;
    const std::string case_id = !is_whole ? stem : folders.empty() ? root_name : folders.back();
    found.cases.push_back(case_of(case_id, group.files_of_channels, channels,
                                  names_looked_for(stem, group.separator, channels, numbered)));
  }
  return found;
}

std::string names_of(const ScanFiles& files) {
  std::vector<std::string> names;
  for (const ScanFile* file : files) names.push_back(file->name());
  return joined(names);
}

/// An image and what it was made of, in another format, are one.
ScanFiles preferred(const ScanFiles& files) {
  ScanFiles readable;
  std::copy_if(files.begin(), files.end(), std::back_inserter(readable),
               [](const ScanFile* file) { return file->unreadable.empty(); });
  return readable.empty() ? files : readable;
}

}  // namespace

std::size_t LayoutCases::complete() const {
  return static_cast<std::size_t>(std::count_if(
      cases.begin(), cases.end(), [](const FoundCase& found) { return found.scan.error.empty(); }));
}

std::vector<std::string> suffixes_of(const ChannelPattern& channel, bool numbered) {
  std::vector<std::string> suffixes;
  std::copy_if(channel.suffixes.begin(), channel.suffixes.end(), std::back_inserter(suffixes),
               [&](const std::string& suffix) { return is_numbered(suffix) == numbered; });
  return suffixes;
}

bool is_label_map(const ScanFile& file) {
  static constexpr std::array<std::string_view, 9> kWords{
      "seg", "segm", "dseg", "probseg", "segmentation", "label", "labels", "labelmap", "mask"};
  const std::size_t separator = file.stem.find_last_of("_-");
  const std::string last =
      lower_case(separator == std::string::npos ? file.stem : file.stem.substr(separator + 1));
  return std::find(kWords.begin(), kWords.end(), last) != kWords.end() ||
         (!file.folders.empty() && lower_case(file.folders.back()).starts_with("labels"));
}

std::optional<SuffixMatch> match_suffix(const std::string& stem,
                                        const std::vector<ChannelPattern>& channels,
                                        bool numbered) {
  const std::string lower_stem = lower_case(stem);
  std::optional<SuffixMatch> best;
  std::pair<std::size_t, bool> best_rank{0, false};
  for (std::size_t channel = 0; channel < channels.size(); ++channel) {
    for (const std::string& suffix : suffixes_of(channels[channel], numbered)) {
      const std::pair rank{suffix.size(), stem.ends_with(suffix)};
      if (rank <= best_rank || !lower_stem.ends_with(lower_case(suffix))) continue;
      const std::size_t start = stem.size() - suffix.size();
      const bool is_whole = start == 0 && !numbered;
      if (!is_whole && (start == 0 || (stem[start - 1] != '_' && stem[start - 1] != '-'))) continue;
      best = SuffixMatch{channel, is_whole ? "" : stem.substr(0, start - 1), is_whole};
      best_rank = rank;
    }
  }
  return best;
}

LayoutCases brats_cases(const ScanFiles& files, const std::vector<ChannelPattern>& channels,
                        const std::string& root_name) {
  return cases_by_stem(files, channels, false, root_name);
}

bool is_channel_in(ScanLayout layout, const std::string& stem,
                   const std::vector<ChannelPattern>& channels) {
  if (layout == ScanLayout::kDecathlon) return false;
  if (layout == ScanLayout::kBids) return match_bids(stem, channels).has_value();
  return match_suffix(stem, channels, layout == ScanLayout::kNnunet).has_value();
}

LayoutCases nnunet_cases(const ScanFiles& files, const std::vector<ChannelPattern>& channels) {
  return cases_by_stem(files, channels, true, {});
}

bool is_decathlon_folder(const std::vector<std::string>& folders, const std::string& root_name) {
  const std::string folder = lower_case(folders.empty() ? root_name : folders.back());
  return folder == "imagestr" || folder == "imagests";
}

LayoutCases decathlon_cases(const ScanFiles& files, const std::vector<ChannelPattern>& channels,
                            const std::string& root_name, bool anywhere) {
  LayoutCases found;
  const bool has_indices =
      std::all_of(channels.begin(), channels.end(),
                  [](const ChannelPattern& channel) { return channel.index_4d.has_value(); });
  if (!has_indices) {
    found.problem =
        "the model does not say which image of a 4-D file is which channel (index_4d of its "
        "channels); name them in a manifest .csv, as scan.nii.gz[0]";
    return found;
  }
  std::map<std::pair<std::vector<std::string>, std::string>, ScanFiles> by_stem;
  for (const ScanFile* file : files) {
    if (is_label_map(*file) || file->format == &dicom_format()) continue;
    if (!anywhere &&
        (!is_decathlon_folder(file->folders, root_name) ||
         match_suffix(file->stem, channels, true) || match_suffix(file->stem, channels, false) ||
         match_bids(file->stem, channels))) {
      continue;
    }
    by_stem[{file->folders, file->stem}].push_back(file);
    found.unnamed.insert(file);
  }
  for (const auto& [place, of_stem] : by_stem) {
    const ScanFiles usable = preferred(of_stem);
    const ScanFile& file = *usable.front();
    FoundCase one{{file.stem, {}, {}, {}}, file.path.string(), file.shown, file.folders};
    if (!file.unreadable.empty()) {
      one.scan.error = file.name() + ": " + file.unreadable;
    } else if (usable.size() > 1) {
      one.scan.error = std::to_string(usable.size()) + " files of one name: " + names_of(usable) +
                       "; keep one in the folder or use a manifest";
    }
    for (const ChannelPattern& channel : channels) {
      if (one.scan.error.empty()) one.scan.channel_files.push_back({file.path, channel.index_4d});
    }
    found.cases.push_back(std::move(one));
  }
  return found;
}

FoundCase case_of(const std::string& case_id, const std::vector<ScanFiles>& files_of_channels,
                  const std::vector<ChannelPattern>& channels,
                  const std::vector<std::string>& looked_for) {
  const ScanFile& any = *std::find_if_not(files_of_channels.begin(), files_of_channels.end(),
                                          [](const ScanFiles& files) { return files.empty(); })
                             ->front();
  std::vector<std::string> errors;
  for (std::size_t channel = 0; channel < channels.size(); ++channel) {
    const std::string& name = channels[channel].name;
    const ScanFiles files = preferred(files_of_channels[channel]);
    if (files.empty()) {
      errors.push_back("channel " + name + " is missing: " +
                       (looked_for[channel].empty()
                            ? "the model has no suffix for it in this layout"
                            : "looked for " + looked_for[channel] + " (" + kImageEndingsInWords +
                                  ") in " + any.shown_folder()));
    } else if (!files.front()->unreadable.empty()) {
      errors.push_back(files.front()->name() + ": " + files.front()->unreadable);
    } else if (files.size() > 1) {
      errors.push_back(std::to_string(files.size()) + " files for channel " + name + ": " +
                       names_of(files) + "; keep one in the folder or use a manifest");
    }
  }
  FoundCase found{
      {case_id, {}, joined(errors, "; "), {}}, any.path.string(), any.shown, any.folders};
  if (errors.empty()) {
    for (const ScanFiles& files : files_of_channels) {
      found.scan.channel_files.push_back(preferred(files).front()->path);
    }
  }
  return found;
}

}  // namespace mcvol

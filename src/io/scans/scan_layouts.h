#pragma once

#include "mcvol/io/scans/scan_discovery.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scan_tree.h"

namespace mcvol {

/// A case and where it was found.
struct FoundCase {
  ScanCase scan;
  std::string where;  ///< a path as the user would give it, for errors that end the run
  std::string shown;  ///< the same from the root's name on
  std::vector<std::string> folders;  ///< from the root to its files
  bool is_file = true;               ///< `where` is one of its own files or folders, no manifest
  int line = 0;                      ///< of the manifest, from 1; 0 where there is none
};

/// What a layout makes of a list of files.
struct LayoutCases {
  std::vector<FoundCase> cases;
  std::string problem;  ///< why the list cannot be read in this layout; empty when it can
  PassedOver passed_over;
  /// Folders of files that were passed over for others of the same case.
  std::vector<std::vector<std::string>> other_places;
  std::set<const ScanFile*> unnamed;  ///< of cases, though no channel is in their names

  /// How many cases have all channels.
  std::size_t complete() const;
};

using ScanFiles = std::vector<const ScanFile*>;

/// Whether a file is a segmentation by its name or folder: never a channel.
bool is_label_map(const ScanFile& file);

/// A channel's suffixes of four digits, nnU-Net's, or all others.
std::vector<std::string> suffixes_of(const ChannelPattern& channel, bool numbered);

/// Which channel a file name's ending means.
struct SuffixMatch {
  std::size_t channel = 0;
  std::string stem;       ///< what comes before the ending and its separator
  bool is_whole = false;  ///< the name is nothing but the ending
};

/// The longest suffix wins, then the one in the same case. Before it stands `_` or `-`.
/// @param numbered whether to look at four-digit suffixes (nnU-Net) only, or at all others.
std::optional<SuffixMatch> match_suffix(const std::string& stem,
                                        const std::vector<ChannelPattern>& channels, bool numbered);

/// Which channel a BIDS name means: its suffix is the pattern's and it has the pattern's entities
/// (`ce-gadolinium_T1w`), wherever they stand. A name with a contrast agent (`ce-`) is never a
/// channel without one. The match's `stem` is the other entities.
std::optional<SuffixMatch> match_bids(const std::string& stem,
                                      const std::vector<ChannelPattern>& channels);

/// Whether a file name's ending means a channel in a layout (of folders).
bool is_channel_in(ScanLayout layout, const std::string& stem,
                   const std::vector<ChannelPattern>& channels);

/// BraTS: the files of one folder that are called alike up to the suffix.
LayoutCases brats_cases(const ScanFiles& files, const std::vector<ChannelPattern>& channels,
                        const std::string& root_name);

/// nnU-Net: as BraTS, with `_0000` …
LayoutCases nnunet_cases(const ScanFiles& files, const std::vector<ChannelPattern>& channels);

/// Medical Segmentation Decathlon: 4-D files, each a case, the channels along its last dimension.
/// @param anywhere in any folder, whatever the names; else in those called imagesTr and imagesTs,
///   and no names of other layouts' channels.
LayoutCases decathlon_cases(const ScanFiles& files, const std::vector<ChannelPattern>& channels,
                            const std::string& root_name, bool anywhere);

/// Whether such a file would lie in this folder. @param root_name stands for no folder.
bool is_decathlon_folder(const std::vector<std::string>& folders, const std::string& root_name);

/// BIDS' folders of a session's files, which are not where a case begins: "anat" and others.
bool is_modality_folder(const std::string& name);

/// BIDS: the files of one subject and session, of one space; for each a derivative instead of the
/// raw data where there is one with all channels.
/// @param space the value of `space-` to take; empty: the native one.
LayoutCases bids_cases(const ScanFiles& files, const std::vector<ChannelPattern>& channels,
                       const std::string& space);

/// Makes a case of the files found for each channel.
/// @param looked_for what a file of each channel could have been called; empty where the model has
///   no suffix for the layout.
FoundCase case_of(const std::string& case_id, const std::vector<ScanFiles>& files_of_channels,
                  const std::vector<ChannelPattern>& channels,
                  const std::vector<std::string>& looked_for);

}  // namespace mcvol

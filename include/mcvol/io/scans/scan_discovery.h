#pragma once

#include "mcvol/io/images/image_source.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

enum class ScanLayout { kAuto, kBrats, kNnunet, kBids, kDecathlon, kManifest };
/// "auto", "brats", "nnunet", "bids", "decathlon" or "manifest".
std::string to_string(ScanLayout layout);

/// A channel and the file-name suffixes that mean it, in the order messages list them. Suffixes of
/// four digits are nnU-Net's; `ce-gadolinium_T1w` asks for a BIDS entity.
struct ChannelPattern {
  std::string name;
  std::vector<std::string> suffixes;
  std::optional<std::int64_t> index_4d;  ///< which image of a 4-D file it is, from 0
};

/// One case found, measurable or not.
struct ScanCase {
  std::string case_id;
  std::vector<ImageSource> channel_files;  ///< as the channel patterns; empty on error
  std::string error;     ///< why it cannot be measured, one line; empty when it can
  std::string found_as;  ///< the name that case_id was made of, where that is another
};

/// What a case_id has a record of.
enum class Recorded {
  kNothing,
  kOtherFiles,
  kTheseFiles,  ///< made from their bytes
};
using RecordedCase = std::function<Recorded(const std::string& case_id,
                                            const std::vector<ImageSource>& channel_files)>;

/// How scans are looked for.
struct ScanSearch {
  ScanLayout layout = ScanLayout::kAuto;
  std::string space;  ///< BIDS: the value of `space-` to take of several; empty: the native one
  std::filesystem::path results;  ///< the folder that the run writes: no patient's; may be empty
  RecordedCase recorded;          ///< in that folder; asked only where ids could be mixed up
};

struct ScanDiscovery {
  ScanLayout layout = ScanLayout::kAuto;  ///< the layout taken, of the first of several `scans`
  std::vector<ScanCase> cases;            ///< sorted by case_id (bytes); ids unique ignoring case
  std::vector<std::string> ignored;       ///< files and folders passed over, with the reason
  bool by_number = false;  ///< of some case a number alone says which channel is which
};

/// Finds the cases under `scans` (one or more: a folder in a known layout, one case folder, or a
/// manifest .csv), looking at names only.
///
/// A file is a channel if its name ends in `_` or `-` and one of the channel's suffixes (the
/// longest of all wins); what comes before is the case_id. `kAuto` takes, for each folder, the
/// layout with most complete cases. Where each channel has its index_4d, a 4-D file in a folder
/// imagesTr or imagesTs is a case (Medical Segmentation Decathlon). A channel that is missing or
/// there twice is its case's error, and whatever else looks like a scan is a case with its error
/// (lost_scans.h); so is one of several `scans` without any case, under its folder's name.
/// Segmentations and hidden files are passed over; links to folders are followed, six folders deep.
/// Odd names and names found twice get ids of their own (case_ids.h).
/// @throws Error where there is nothing to measure: no such path, a folder that cannot be listed,
///   no case and nothing that looks like one.
/// @throws UsageError for a bad manifest, scans given twice, and where it would take a guess: two
///   layouts or BIDS derivatives with the same claim.
ScanDiscovery discover_scans(const std::vector<std::filesystem::path>& scans,
                             const std::vector<ChannelPattern>& channels,
                             const ScanSearch& search = {});

/// `[A-Za-z0-9][A-Za-z0-9._+-]{0,127}`
bool is_valid_case_id(const std::string& case_id);

}  // namespace mcvol

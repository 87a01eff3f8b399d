#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace mcvol {

/// How the saved images of a result folder lie in its maps/. A folder has one layout, from its
/// first image on.
enum class MapLayout {
  kCases,  ///< maps/<case_id>/, with names of mcvol's own
  kBids    ///< maps/ is a BIDS derivative data set, which its dataset_description.json says
};
/// "cases" or "bids".
std::string to_string(MapLayout layout);

/// @param word "cases" or "bids"; none of any other, such as "auto".
std::optional<MapLayout> map_layout_from(const std::string& word);

/// The layout of the images that a result folder has; none where it has none.
std::optional<MapLayout> map_layout_of(const std::filesystem::path& folder);
/// Refuses a result folder of which the layout is not known any more.
/// @throws UsageError where it has images of mcvol in BIDS layout, but no dataset_description.json
///   that says so: they would count as none, and stay beside other records.
void require_known_map_layout(const std::filesystem::path& folder);
/// The layout in which images of a result folder are looked for; kCases where it has none.
MapLayout map_layout_in_use(const std::filesystem::path& folder);

/// The layout that a run saves images in: the folder's, else the one asked for, else BIDS where
/// the scans are of BIDS layout. @param folder may be empty, of a plan without one.
/// @throws UsageError where the folder has images in another layout than the one asked for, or
///   somebody else's dataset_description.json where one is to be written.
MapLayout chosen_map_layout(const std::filesystem::path& folder, std::optional<MapLayout> asked,
                            bool scans_are_bids);

/// Records the layout in the folder, before its first image: of BIDS, writes .bidsignore and
/// dataset_description.json where they are not there. What is there stays, the version in it too.
/// @param version of mcvol. @throws Error where they cannot be written.
void begin_map_layout(const std::filesystem::path& folder, MapLayout layout,
                      const std::string& version);

/// The same as another result folder has it, with its version; nothing where that has no images.
void begin_map_layout_of(const std::filesystem::path& other, const std::filesystem::path& folder);

}  // namespace mcvol

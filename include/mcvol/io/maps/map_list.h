#pragma once

#include "mcvol/io/records/case_record.h"

#include <optional>
#include <string>
#include <vector>

namespace mcvol {

class MapNames;

/// What the names of all images end in.
inline constexpr const char* kMapEnding = ".nii.gz";

/// The measurement that images are of.
struct MapsOrigin {
  std::string run_identity;         ///< CaseRecord::run_identity
  std::vector<std::string> inputs;  ///< sha256 of the files, in the record's order

  MapsOrigin() = default;
  MapsOrigin(std::string run, const std::vector<InputFile>& files);
  bool operator==(const MapsOrigin&) const = default;
};

/// An image of a case, as maps.json has it.
struct MapEntry {
  std::string file;                  ///< a name in the case's folder
  std::string kind;                  ///< one of kMapKinds
  std::string region;                ///< empty of labels, which are the scan's
  std::optional<std::string> level;  ///< of bounds
  std::optional<double> volume_ml;   ///< what the table says
  std::optional<double> drawn_ml;    ///< what the image has; none before it is drawn
  std::optional<double> threshold;   ///< least probability in a segmentation; none of an empty one
};

/// maps.json, or what the layout calls it: the images of a case, and the measurement that they are
/// of. Written before the first of them, so that none is ever there that no list names, and again
/// after the last.
struct MapList {
  std::string case_id, grid_of;
  MapsOrigin origin;
  bool complete = false;  ///< all images stand
  std::vector<MapEntry> images;

  std::vector<MapEntry> of_kind(const std::string& kind) const;
  bool has(const std::string& kind) const { return !of_kind(kind).empty(); }
};

/// None where there is none, or anything but what write_map_list() writes.
std::optional<MapList> read_map_list(const MapNames& names);

/// @throws Error when it cannot be written.
void write_map_list(const MapNames& names, const MapList& list);

/// @throws Error when there is one that cannot be removed.
void remove_map_list(const MapNames& names);

}  // namespace mcvol

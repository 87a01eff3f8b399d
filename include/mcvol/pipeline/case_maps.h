#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/io/images/image_source.h"
#include "mcvol/io/maps/map_choice.h"
#include "mcvol/io/maps/map_list.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/tables/volume_row.h"
#include "mcvol/pipeline/histogram_sink.h"
#include "mcvol/pipeline/label_painting.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

// Images of a measured case to open in a viewer, in `folder`/maps/ where its layout has them, on
// the scan's own grid: turned, spaced and placed as its first channel's file says. A list beside
// them, maps.json, says what each is and which measurement it is of. It names them before the first
// is written, so that what is left of a run that was killed is found again, and says `complete`
// after the last.

/// A region on the scan's own grid, in steps of kMapSteps; 0 where nothing was measured. Where the
/// network has a spacing of its own, interpolated linearly.
struct RegionMap {
  std::string region;
  Image<float> probability;               ///< mean over passes
  std::optional<Image<float>> sd;         ///< where the sink has it, and so the next
  std::optional<Image<float>> agreement;  ///< share of passes
};
std::vector<RegionMap> region_maps(const PreparedScan& scan, const HistogramSink& sink,
                                   const std::vector<std::string>& regions);

/// The most probable voxels, as many as make up `volume_ml` to half a voxel, no more than have a
/// probability above 0. Sets of one image are nested: of equal probabilities the first voxel comes
/// first.
Image<std::uint8_t> level_set(const Image<float>& probability, double volume_ml);

/// The folder of a case's images, in the layout that the result folder has; in the layout of BIDS
/// those of several may share one.
std::filesystem::path maps_folder(const std::filesystem::path& folder, const std::string& case_id);

/// @throws UsageError where two of the chosen images would have one name, as the sd of a region a
///   and the segmentation of a region a_sd.
void require_map_names_differ(const std::vector<std::string>& regions, const MapChoice& choice,
                              MapLayout layout);

/// Writes the chosen images and their list, in the layout that the folder has.
/// @param rows of the record: the segmentation of a region is its most probable voxels of
///   `segmented_ml` (where the network runs on the scan's own grid, those with a probability above
///   0.5), its bounds those of the row's interval, the calibrated one where there is one.
/// @param source the first channel's file, for its header. @param painting for a label map, with
///   the regions in the order of `maps`. @param may_replace whether files that no list names may
///   be written over: where one was there and could not be read, say.
/// @throws Error when one cannot be written, also where somebody's file is in its place, InputError
///   where the header cannot be read; the list then says it is not complete.
void write_case_maps(const std::filesystem::path& folder, const CaseRecord& record,
                     const std::vector<RegionMap>& maps, const std::vector<VolumeRow>& rows,
                     const MapChoice& choice, const ImageSource& source,
                     const LabelPainting& painting = {}, bool may_replace = false);

/// Whether what is chosen stands there whole and is of this measurement. Bounds may be another
/// interval's.
bool has_case_maps(const std::filesystem::path& folder, const std::string& case_id,
                   const MapsOrigin& origin, const MapChoice& choice);

/// Makes the bounds anew from the saved probability where the case has some and they are not
/// those of `rows`. @returns whether they were. @throws InputError where the probability cannot be
///   read, with all left as it was; Error where they cannot be written.
bool renew_bounds(const std::filesystem::path& folder, const CaseRecord& record,
                  const std::vector<VolumeRow>& rows);

/// The kinds of images that stand there of this measurement.
MapChoice saved_kinds(const std::filesystem::path& folder, const CaseRecord& record);

/// What became of images that were asked for.
struct AddedMaps {
  MapChoice drawn;    ///< drawn now
  MapChoice missing;  ///< asked for, and to be had by passes only
};

/// Draws of the chosen images what is not there and can be made of the saved probability; bounds
/// are those of `rows`, in place of others. @throws InputError where the probability cannot be
///   read, with all left as it was; Error where one cannot be written.
AddedMaps add_case_maps(const std::filesystem::path& folder, const CaseRecord& record,
                        const std::vector<VolumeRow>& rows, const MapChoice& choice,
                        const LabelPainting& painting);

/// Copies a record's images from one result folder to another, in place of those it has there.
/// @param may_replace as of write_case_maps(). @throws Error.
void copy_case_maps(const std::filesystem::path& from, const std::filesystem::path& to,
                    const CaseRecord& record, bool may_replace = false);

/// Those of an earlier measurement: the files that their list names, those that a killed writer
/// left, and folders that are empty then. @returns whether there was a list, of whatever kind.
/// @throws Error naming one that cannot be removed.
bool remove_case_maps(const std::filesystem::path& folder, const std::string& case_id);

/// Images in a case's folder that its list does not name, sorted: a user's own, or those of a list
/// that was damaged, which may be of an earlier measurement.
std::vector<std::string> unlisted_images(const std::filesystem::path& folder,
                                         const std::string& case_id);

/// What killed writers left of images, of any case. Call it where no writer is at work.
void remove_left_temporary_maps(const std::filesystem::path& folder);

}  // namespace mcvol

#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/tables/volume_row.h"
#include "mcvol/pipeline/histogram_sink.h"
#include "mcvol/pipeline/map_choice.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

// Images of a measured case to open in a viewer, in `folder`/maps/<case_id>/, on the scan's own
// grid: turned, spaced and placed as its first channel's file says. maps.json there says what each
// is; it is written last, so that where it stands everything stands.

/// A region's mean probability over passes on the scan's own grid, 0 where nothing was measured.
/// Where the network has a spacing of its own, interpolated linearly.
struct RegionMap {
  std::string region;
  Image<float> probability;
};
std::vector<RegionMap> region_maps(const PreparedScan& scan, const HistogramSink& sink,
                                   const std::vector<std::string>& regions);

/// The most probable voxels, as many as make up `volume_ml` to half a voxel, no more than have a
/// probability above 0. Sets of one image are nested: of equal probabilities the first voxel comes
/// first.
Image<std::uint8_t> level_set(const Image<float>& probability, double volume_ml);

std::filesystem::path maps_folder(const std::filesystem::path& folder, const std::string& case_id);

/// Writes the chosen images and maps.json.
/// @param rows of the case: the segmentation of a region is its most probable voxels of
/// `segmented_ml`
///   (where the network runs on the scan's own grid, those with a probability above 0.5), its
///   bounds those of the row's interval, the calibrated one where there is one.
/// @param source the first channel's file, for its header. @throws Error when one cannot be
/// written.
void write_case_maps(const std::filesystem::path& folder, const std::string& case_id,
                     const std::vector<RegionMap>& maps, const std::vector<VolumeRow>& rows,
                     const MapChoice& choice, const std::filesystem::path& source);

/// Whether what is chosen stands there whole. Bounds may be another interval's.
bool has_case_maps(const std::filesystem::path& folder, const std::string& case_id,
                   const MapChoice& choice);

/// Makes the bounds anew from the saved probability where they are not those of `rows`.
/// @returns whether they were. @throws Error, InputError where the probability cannot be read.
bool renew_bounds(const std::filesystem::path& folder, const std::string& case_id,
                  const std::vector<VolumeRow>& rows);

/// Copies a case's images from one result folder to another, in place of those it has there.
void copy_case_maps(const std::filesystem::path& from, const std::filesystem::path& to,
                    const std::string& case_id);

/// Those of an earlier measurement: the files that maps.json names, and what is empty then.
void remove_case_maps(const std::filesystem::path& folder, const std::string& case_id);

}  // namespace mcvol

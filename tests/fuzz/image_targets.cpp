#include "mcvol/error/error.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"
#include "mcvol/io/images/resample.h"
#include "mcvol/io/scans/scan_loader.h"
#include "mcvol/timing/stage_timings.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "targets.h"
#include <zlib.h>

namespace mcvol::fuzz {
namespace {

namespace fs = std::filesystem;

/// As a scan of one channel.
void load_as_scan(const ImageSource& source) {
  ScanPreparation preparation;
  preparation.intensities = {IntensitySpec{}};
  StageTimings timings;
  const PreparedScan scan = load_scan({source}, preparation, timings);
  for (const float value : scan.channels.front().values) {
    require(std::isfinite(value), "normalised values are finite");
  }
}

void read_as_labels(const fs::path& path) {
  try {
    read_label_map(path);
  } catch (const InputError&) {
    // Most images are no label maps.
  }
}

void read_one(const ImageSource& source) {
  const ImageHeader header = read_image_header(source);
  step_of(header);
  const Image<float> image = read_image(source);
  require(image.grid.size == header.grid.size && same_grid(image.grid, header.grid),
          "an image has the grid of its header");
  require(static_cast<std::int64_t>(image.values.size()) == header.grid.voxel_count(),
          "an image has the voxels of its header");
  require(std::all_of(image.values.begin(), image.values.end(),
                      [](float value) { return std::isfinite(value); }),
          "values are finite");
  if (!source.index) read_as_labels(source.file);
  load_as_scan(source);
}

/// Each way of asking for it has to refuse by itself.
void read_as(const char* name, std::string_view bytes, const fs::path& folder) {
  const fs::path path = folder / name;
  put_file(path, bytes);
  for (const std::int64_t index : {0, 1}) {
    try {
      read_one({path, index});
    } catch (const InputError&) {
      // Of a 3-D file.
    }
  }
  read_one(path);
}

std::string gzip_of(std::string_view bytes) {
  constexpr int kFast = 1, kGzip = 15 + 16, kMemory = 9;
  z_stream stream{};
  require(deflateInit2(&stream, kFast, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) == Z_OK,
          "zlib works");
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib packs");
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

void read_nifti(std::string_view bytes, const fs::path& folder) {
  read_as("image.nii", bytes, folder);
}

void read_nifti_gz(std::string_view bytes, const fs::path& folder) {
  read_as("image.nii.gz", bytes, folder);
}

void read_packed_nifti(std::string_view bytes, const fs::path& folder) {
  read_as("packed.nii.gz", gzip_of(bytes), folder);
}

void read_nrrd(std::string_view bytes, const fs::path& folder) {
  read_as("image.nrrd", bytes, folder);
}

void read_meta_image(std::string_view bytes, const fs::path& folder) {
  read_as("image.mha", bytes, folder);
}

}  // namespace mcvol::fuzz

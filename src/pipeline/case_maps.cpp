#include "mcvol/pipeline/case_maps.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/resample.h"

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kEnding = ".nii.gz";

fs::path contents_path(const fs::path& maps) { return maps / "maps.json"; }

/// What stands in a case's maps.json; null where there is none or it cannot be read.
ordered_json contents_of(const fs::path& maps) {
  std::error_code error;
  if (!fs::exists(contents_path(maps), error)) return nullptr;
  return ordered_json::parse(read_file(contents_path(maps)), nullptr, false);
}

/// Names of the images of a kind that maps.json has.
std::vector<std::string> images_of(const ordered_json& contents, const std::string& kind = "") {
  std::vector<std::string> names;
  if (!contents.is_object() || !contents.contains("images")) return names;
  for (const ordered_json& image : contents["images"]) {
    const std::string name = image.value("file", "");
    // Never a file elsewhere, whatever stands there.
    if (name.empty() || fs::path(name).filename() != name) continue;
    if (kind.empty() || image.value("kind", "") == kind) names.push_back(name);
  }
  return names;
}

/// On the network's grid.
Image<float> probability_image(const PreparedScan& scan, const HistogramSink& sink,
                               std::size_t region) {
  Image<float> image(scan.grid);
  std::size_t position = 0;
  for (std::size_t voxel = 0; voxel < image.values.size(); ++voxel) {
    if (scan.measured.values[voxel] == 0) continue;
    image.values[voxel] = static_cast<float>(sink.mean_probability(region, position++));
  }
  return image;
}

/// Voxels from the most probable on, so far as a probability is above 0; of equal ones the first.
std::vector<std::size_t> most_probable(const Image<float>& probability, std::size_t count) {
  std::vector<std::size_t> order;
  for (std::size_t voxel = 0; voxel < probability.values.size(); ++voxel) {
    if (probability.values[voxel] > 0.0F) order.push_back(voxel);
  }
  const auto above = [&](std::size_t a, std::size_t b) {
    const float first = probability.values[a], second = probability.values[b];
    return first != second ? first > second : a < b;
  };
  if (count >= order.size()) return order;
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                   above);
  order.resize(count);
  return order;
}

/// Interval of a row, the calibrated one where there is one.
std::pair<double, double> interval_of(const VolumeRow& row) {
  const bool calibrated = row.lower_ml.has_value() && row.upper_ml.has_value();
  return {(calibrated ? row.lower_ml : row.raw_lower_ml).value_or(0.0),
          (calibrated ? row.upper_ml : row.raw_upper_ml).value_or(0.0)};
}

std::string bound_name(const VolumeRow& row, const char* which) {
  return row.region + "_" + which + "_" + row.level + kEnding;
}

/// The images of a case as they are written.
class MapWriter {
 public:
  MapWriter(fs::path maps, fs::path source) : maps_(std::move(maps)), source_(std::move(source)) {}

  template <typename Value>
  void write(const std::string& kind, const std::string& name, const Image<Value>& image,
             ordered_json facts) {
    write_image_like(maps_ / name, image, source_);
    ordered_json entry{{"file", name}, {"kind", kind}};
    entry.update(facts);
    images_.push_back(std::move(entry));
  }

  void write_bounds(const Image<float>& probability, const VolumeRow& row) {
    const auto [lower_ml, upper_ml] = interval_of(row);
    for (const auto& [which, volume_ml] : {std::pair{"lower", lower_ml}, {"upper", upper_ml}}) {
      write("bounds", bound_name(row, which), level_set(probability, volume_ml),
            {{"region", row.region}, {"level", row.level}, {"volume_ml", volume_ml}});
    }
  }

  const ordered_json& images() const { return images_; }

 private:
  fs::path maps_, source_;
  ordered_json images_ = ordered_json::array();
};

void write_contents(const fs::path& maps, const std::string& case_id, const std::string& source,
                    const ordered_json& images) {
  const ordered_json contents{
      {"format", 1}, {"case_id", case_id}, {"grid_of", source}, {"images", images}};
  write_file_atomically(
      contents_path(maps),
      contents.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

/// The least probability in a set that lies within an image.
double threshold_of(const Image<float>& probability, const Image<std::uint8_t>& set) {
  double least = 1.0;
  for (std::size_t voxel = 0; voxel < set.values.size(); ++voxel) {
    if (set.values[voxel] != 0) least = std::min<double>(least, probability.values[voxel]);
  }
  return least;
}

void write_segmentation(MapWriter& writer, const RegionMap& map, const VolumeRow& row) {
  const double segmented_ml = row.segmented_ml.value_or(0.0);
  const Image<std::uint8_t> set = level_set(map.probability, segmented_ml);
  writer.write("segmentation", map.region + kEnding, set,
               {{"region", map.region},
                {"threshold", threshold_of(map.probability, set)},
                {"volume_ml", segmented_ml}});
}

}  // namespace

std::vector<RegionMap> region_maps(const PreparedScan& scan, const HistogramSink& sink,
                                   const std::vector<std::string>& regions) {
  std::vector<RegionMap> maps;
  for (std::size_t region = 0; region < regions.size(); ++region) {
    Image<float> turned =
        reoriented(probability_image(scan, sink, region), orientation_of(scan.own_grid));
    if (scan.resampled) {
      turned = resampled(turned, scan.own_grid, GridSpec::Interpolation::kLinear);
    } else if (!same_grid(turned.grid, scan.own_grid)) {
      throw Error("the scan's own grid was not found again: " + describe(turned.grid) + ", not " +
                  describe(scan.own_grid));
    }
    turned.grid = scan.own_grid;
    maps.push_back({regions[region], std::move(turned)});
  }
  return maps;
}

Image<std::uint8_t> level_set(const Image<float>& probability, double volume_ml) {
  const double voxels = std::max(0.0, volume_ml) / probability.grid.voxel_volume_ml();
  const double most = static_cast<double>(probability.values.size());
  const auto count = static_cast<std::size_t>(std::llround(std::min(voxels, most)));
  Image<std::uint8_t> set(probability.grid);
  for (const std::size_t voxel : most_probable(probability, count)) set.values[voxel] = 1;
  return set;
}

fs::path maps_folder(const fs::path& folder, const std::string& case_id) {
  return folder / "maps" / case_id;
}

void write_case_maps(const fs::path& folder, const std::string& case_id,
                     const std::vector<RegionMap>& maps, const std::vector<VolumeRow>& rows,
                     const MapChoice& choice, const fs::path& source) {
  const fs::path to = maps_folder(folder, case_id);
  MapWriter writer(to, source);
  for (const RegionMap& map : maps) {
    bool first = true;
    for (const VolumeRow& row : rows) {
      if (row.region != map.region) continue;
      if (first && choice.segmentation) write_segmentation(writer, map, row);
      first = false;
      if (choice.bounds) writer.write_bounds(map.probability, row);
    }
    if (choice.probability) {
      writer.write("probability", map.region + "_probability" + kEnding, map.probability,
                   {{"region", map.region}});
    }
  }
  write_contents(to, case_id, source.filename().string(), writer.images());
}

bool has_case_maps(const fs::path& folder, const std::string& case_id, const MapChoice& choice) {
  const fs::path maps = maps_folder(folder, case_id);
  const ordered_json contents = contents_of(maps);
  for (const auto& [chosen, kind] : {std::pair{choice.segmentation, "segmentation"},
                                     {choice.probability, "probability"},
                                     {choice.bounds, "bounds"}}) {
    const std::vector<std::string> names = images_of(contents, kind);
    if (!chosen) continue;
    const auto is_there = [&](const std::string& name) {
      std::error_code error;
      return fs::is_regular_file(maps / name, error);
    };
    if (names.empty() || !std::all_of(names.begin(), names.end(), is_there)) return false;
  }
  return true;
}

bool renew_bounds(const fs::path& folder, const std::string& case_id,
                  const std::vector<VolumeRow>& rows) {
  const fs::path maps = maps_folder(folder, case_id);
  const ordered_json contents = contents_of(maps);
  ordered_json wanted = ordered_json::array(), found = ordered_json::array();
  for (const VolumeRow& row : rows) {
    const auto [lower_ml, upper_ml] = interval_of(row);
    wanted.push_back({bound_name(row, "lower"), lower_ml});
    wanted.push_back({bound_name(row, "upper"), upper_ml});
  }
  ordered_json others = ordered_json::array();
  for (const ordered_json& image : contents.value("images", ordered_json::array())) {
    if (image.value("kind", "") == "bounds") {
      found.push_back({image.value("file", ""), image.value("volume_ml", -1.0)});
    } else {
      others.push_back(image);
    }
  }
  if (wanted == found) return false;
  const std::vector<std::string> before = images_of(contents, "bounds");
  // Without its list of images a case counts as having none, should this be interrupted.
  fs::remove(contents_path(maps));
  for (const std::string& name : before) fs::remove(maps / name);
  ordered_json images = ordered_json::array();
  std::string region;
  Image<float> probability;
  fs::path file;
  for (const VolumeRow& row : rows) {
    if (row.region != region) {
      region = row.region;
      file = maps / (region + "_probability" + kEnding);
      probability = read_image(file);
    }
    MapWriter writer(maps, file);
    writer.write_bounds(probability, row);
    for (const ordered_json& image : writer.images()) images.push_back(image);
  }
  for (const ordered_json& image : others) images.push_back(image);
  write_contents(maps, case_id, contents.value("grid_of", ""), images);
  return true;
}

void copy_case_maps(const fs::path& from, const fs::path& to, const std::string& case_id) {
  remove_case_maps(to, case_id);
  const fs::path source = maps_folder(from, case_id), target = maps_folder(to, case_id);
  const ordered_json contents = contents_of(source);
  if (!contents.is_object()) return;
  for (const std::string& name : images_of(contents)) {
    write_file_atomically(target / name, read_file(source / name));
  }
  write_file_atomically(contents_path(target), read_file(contents_path(source)));
}

void remove_case_maps(const fs::path& folder, const std::string& case_id) {
  const fs::path maps = maps_folder(folder, case_id);
  const std::vector<std::string> names = images_of(contents_of(maps));
  std::error_code ignored;
  fs::remove(contents_path(maps), ignored);
  for (const std::string& name : names) fs::remove(maps / name, ignored);
  fs::remove(maps, ignored);  // only where it is empty
}

}  // namespace mcvol

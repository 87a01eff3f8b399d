#include "region_contours.h"

#include "mcvol/io/records/thumbnail.h"
#include "mcvol/volumetry/conversion.h"

#include "report/figures/interval_chart.h"
#include "report/html/html.h"
#include "slice_figure.h"

namespace mcvol {

RegionContours contours_of(const VolumeRow& row, const LogitHistogram& mean,
                           const ProbabilityPicture& picture, const SlicePlane& plane,
                           double voxel_volume_ml) {
  const bool calibrated = row.lower_ml.has_value();
  const std::array<double, 3> volumes_ml{*(calibrated ? row.upper_ml : row.raw_upper_ml),
                                         *(calibrated ? row.lower_ml : row.raw_lower_ml),
                                         *(calibrated ? row.volume_ml : row.raw_volume_ml)};
  RegionContours contours{spaced(row.region), interval_text(row) + " ml", 0, {}};
  const VolumeCurve curve = level_set_curve(mean, voxel_volume_ml);
  const double least_area = kLeastIsland_mm2 / (plane.pixel_width_mm * plane.pixel_height_mm);
  for (std::size_t n = 0; n < volumes_ml.size(); ++n) {
    const double byte = byte_from_logit(-curve.volume_ml.inverse(volumes_ml[n]));
    // Else beyond what the slice holds.
    if (!(byte > 0 && byte < 255)) continue;
    contours.lines[n] = without_small(contours_at(picture.bytes, picture.width, byte), least_area);
  }
  return contours;
}

}  // namespace mcvol

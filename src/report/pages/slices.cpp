#include "slices.h"

#include "mcvol/image/axial_plane.h"
#include "mcvol/io/images/png.h"
#include "mcvol/volumetry/conversion.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "report/figures/contour.h"
#include "report/figures/interval_chart.h"
#include "report/html/flag_meanings.h"
#include "report/html/html.h"

namespace mcvol {

namespace {

/// Slices that are shown at once; more are a click away.
constexpr std::size_t kMostOpen = 12;

/// What is shown of a slice: the brain, with a margin of one pixel.
struct Crop {
  std::int64_t left = 0, top = 0, width = 0, height = 0;

  explicit Crop(const Thumbnail& thumbnail) {
    std::int64_t right = -1, bottom = -1;
    left = thumbnail.width;
    top = thumbnail.height;
    for (std::int64_t n = 0; n < thumbnail.width * thumbnail.height; ++n) {
      const auto at = static_cast<std::size_t>(n);
      const bool empty = thumbnail.scan[at] == 0 &&
                         std::all_of(thumbnail.regions.begin(), thumbnail.regions.end(),
                                     [&](const auto& region) { return region[at] == 0; });
      if (empty) continue;
      left = std::min(left, n % thumbnail.width);
      right = std::max(right, n % thumbnail.width);
      top = std::min(top, n / thumbnail.width);
      bottom = std::max(bottom, n / thumbnail.width);
    }
    left = std::max<std::int64_t>(left - 1, 0);
    top = std::max<std::int64_t>(top - 1, 0);
    width = std::min(right + 2, thumbnail.width) - left;
    height = std::min(bottom + 2, thumbnail.height) - top;
  }

  bool empty() const { return width <= 0 || height <= 0; }

  std::vector<std::uint8_t> of(const std::vector<std::uint8_t>& picture,
                               std::int64_t picture_width) const {
    std::vector<std::uint8_t> part;
    for (std::int64_t row = 0; row < height; ++row) {
      const auto from = picture.begin() + (top + row) * picture_width + left;
      part.insert(part.end(), from, from + width);
    }
    return part;
  }
};

/// Dark where the network is in doubt: the binary entropy of the mean probability, the largest over
/// the regions. The brain is a light grey, so that it can be made out.
std::vector<std::uint8_t> uncertainty_of(const std::vector<std::uint8_t>& scan,
                                         const std::vector<std::vector<std::uint8_t>>& regions) {
  constexpr double kBrain = 228;
  std::vector<std::uint8_t> picture;
  for (std::size_t n = 0; n < scan.size(); ++n) {
    double most = 0;
    for (const std::vector<std::uint8_t>& region : regions) {
      if (region[n] == 0) continue;
      const double p = 1 / (1 + std::exp(-logit_from_byte(region[n])));
      most = std::max(most, -p * std::log2(p) - (1 - p) * std::log2(1 - p));
    }
    const double background = scan[n] == 0 ? 255 : kBrain;
    picture.push_back(static_cast<std::uint8_t>(std::lround(background * (1 - most))));
  }
  return picture;
}

double pixel_area_mm2(const Grid& grid) {
  const AxialPlane plane(grid);
  const auto step = static_cast<double>(plane.step);
  return step * step * grid.spacing_mm[static_cast<Eigen::Index>(plane.across)] *
         grid.spacing_mm[static_cast<Eigen::Index>(plane.down)];
}

using Lines = std::vector<std::vector<PicturePoint>>;

/// Islands and holes that are smaller in the slice are not drawn: they hide the scan, and say
/// little of where the tumour lies.
constexpr double kLeastIsland_mm2 = 20;

/// The contours of a region on the crop.
struct RegionContours {
  std::string words;  ///< the region and its interval
  std::array<Lines, 3> lines;
};

/// Drawn in this order, so that the volume's lies on top.
constexpr std::array<const char*, 3> kLineKinds{"upper", "lower", "middle"};

/// Lines where the mean probability has the ends and the middle of the interval above it.
RegionContours contours_of(const std::string& region, const LogitHistogram& mean,
                           const std::vector<std::uint8_t>& bytes, const Crop& crop,
                           const Grid& grid, const VolumeRow& row) {
  const bool calibrated = row.lower_ml.has_value();
  const std::array<double, 3> volumes_ml{*(calibrated ? row.upper_ml : row.raw_upper_ml),
                                         *(calibrated ? row.lower_ml : row.raw_lower_ml),
                                         *(calibrated ? row.volume_ml : row.raw_volume_ml)};
  RegionContours contours{spaced(region) + " " + interval_text(row), {}};
  const VolumeCurve curve = level_set_curve(mean, grid.voxel_volume_ml());
  const double least_area = kLeastIsland_mm2 / pixel_area_mm2(grid);
  for (std::size_t n = 0; n < volumes_ml.size(); ++n) {
    const double byte = byte_from_logit(-curve.volume_ml.inverse(volumes_ml[n]));
    // Else beyond what the slice holds.
    if (!(byte > 0 && byte < 255)) continue;
    contours.lines[n] = without_small(contours_at(bytes, crop.width, byte), least_area);
  }
  return contours;
}

/// A part of the crop, in tenths of a pixel.
struct Frame {
  double left = 0, top = 0, width = 0, height = 0;

  /// Around all lines with some room, of the shape of `whole` and inside it; that itself where
  /// there is no line.
  static Frame around(const std::vector<RegionContours>& regions, double aspect,
                      const Frame& whole) {
    constexpr double kRoom = 1.5;
    constexpr double kLeastShare = 0.25;
    double left = whole.width, right = 0, top = whole.height, bottom = 0;
    for (const RegionContours& region : regions) {
      for (const Lines& lines : region.lines) {
        for (const auto& line : lines) {
          for (const PicturePoint& point : line) {
            left = std::min(left, 10 * point.x);
            right = std::max(right, 10 * point.x);
            top = std::min(top, 10 * aspect * point.y);
            bottom = std::max(bottom, 10 * aspect * point.y);
          }
        }
      }
    }
    if (right < left) return whole;
    const double share =
        std::clamp(kRoom * std::max((right - left) / whole.width, (bottom - top) / whole.height),
                   kLeastShare, 1.0);
    Frame frame{0, 0, share * whole.width, share * whole.height};
    frame.left = std::clamp((left + right - frame.width) / 2, 0.0, whole.width - frame.width);
    frame.top = std::clamp((top + bottom - frame.height) / 2, 0.0, whole.height - frame.height);
    return frame;
  }
};

std::string whole_number(double value) { return std::to_string(std::lround(value)); }

/// Draws one case.
class SliceFigure {
 public:
  SliceFigure(const std::string& case_id, const CaseSlice& slice, std::size_t number)
      : case_id_(case_id),
        slice_(slice),
        name_("s" + std::to_string(number)),
        crop_(slice.thumbnail),
        aspect_(AxialPlane(slice.grid).aspect),
        whole_{0, 0, 10.0 * static_cast<double>(crop_.width),
               10 * aspect_ * static_cast<double>(crop_.height)} {}

  /// Empty where there is nothing to show. @param rows of this case.
  std::string html(const RowsOfCase& rows) const {
    if (crop_.empty()) return "";
    const Thumbnail& thumbnail = slice_.thumbnail;
    const std::vector<std::uint8_t> scan = crop_.of(thumbnail.scan, thumbnail.width);
    std::vector<std::vector<std::uint8_t>> bytes;
    std::vector<RegionContours> regions;
    for (std::size_t n = 0; n < slice_.means.size(); ++n) {
      const auto& [name, mean] = slice_.means[n];
      bytes.push_back(crop_.of(thumbnail.regions[n], thumbnail.width));
      for (const VolumeRow* row : rows) {
        if (row->region != name) continue;
        regions.push_back(contours_of(name, mean, bytes.back(), crop_, slice_.grid, *row));
      }
    }
    const Frame part = Frame::around(regions, aspect_, whole_);
    std::string panels = panel(whole_, image(name_, scan) + outline(part), "whole slice");
    for (std::size_t n = 0; n < regions.size(); ++n) {
      panels += panel(part, use(name_) + drawn(regions[n], n), regions[n].words);
    }
    panels += panel(part, image("", uncertainty_of(scan, bytes)), "uncertainty");
    const bool flagged = std::any_of(rows.begin(), rows.end(),
                                     [](const VolumeRow* row) { return worth_a_look(*row); });
    return "<section class=\"slice\" id=\"" + slice_anchor(escaped(case_id_)) + "\"><h3>" +
           escaped(case_id_) + (flagged ? " <span class=\"flag\">⚑</span>" : "") +
           "</h3>\n<div class=\"panels\">\n" + panels + "</div></section>\n";
  }

 private:
  std::string image(const std::string& id, const std::vector<std::uint8_t>& pixels) const {
    return "<image" + (id.empty() ? "" : " id=\"" + id + "\"") + " width=\"" +
           whole_number(whole_.width) + "\" height=\"" + whole_number(whole_.height) +
           "\" preserveAspectRatio=\"none\" href=\"" +
           png_uri(png_from_picture({crop_.width, crop_.height, pixels})) + "\"/>";
  }

  static std::string use(const std::string& id, const std::string& more = "") {
    return "<use href=\"#" + id + "\"" + more + "/>";
  }

  std::string panel(const Frame& frame, const std::string& drawn, const std::string& words) const {
    return "<figure><svg viewBox=\"" + whole_number(frame.left) + " " + whole_number(frame.top) +
           " " + whole_number(frame.width) + " " + whole_number(frame.height) +
           "\" role=\"img\" aria-label=\"" + escaped(case_id_ + ", axial slice, " + words) + "\">" +
           drawn + "</svg><figcaption>" + escaped(words) + "</figcaption></figure>\n";
  }

  std::string outline(const Frame& part) const {
    const std::string width = whole_number(part.width), height = whole_number(part.height);
    return twice(name_ + "f", "",
                 "M" + whole_number(part.left) + " " + whole_number(part.top) + "h" + width + "v" +
                     height + "h-" + width + "z");
  }

  std::string drawn(const RegionContours& region, std::size_t number) const {
    std::string lines;
    for (std::size_t n = 0; n < kLineKinds.size(); ++n) {
      const std::string path = path_of(region.lines[n], aspect_);
      if (path.empty()) continue;
      lines += twice(name_ + "r" + std::to_string(number) + kLineKinds[n][0], kLineKinds[n], path);
    }
    return lines;
  }

  /// A whole dark line below a bright one, so that it shows on black and on white. Its width is
  /// that of the screen, not of the scan: said on the path itself, for what <use> shows is styled
  /// by nothing around the path.
  static std::string twice(const std::string& id, const std::string& kind,
                           const std::string& path) {
    const std::string style = kind.empty() ? "\"" : " " + kind + "\"";
    return "<g class=\"under" + style + "><path id=\"" + id +
           "\" vector-effect=\"non-scaling-stroke\" d=\"" + path + "\"/></g>" +
           use(id, " class=\"over" + style);
  }

  const std::string& case_id_;
  const CaseSlice& slice_;
  std::string name_;
  Crop crop_;
  double aspect_;
  Frame whole_;
};

std::string sample(const std::string& kind) {
  return "<svg class=\"sample\" viewBox=\"0 0 44 10\" aria-hidden=\"true\">"
         "<rect width=\"44\" height=\"10\"/><path class=\"over " +
         kind + "\" d=\"M3 5H41\"/></svg>";
}

std::string legend(const ReportContent& report) {
  nlohmann::json channel;
  if (report.run.options.contains("thumbnails")) channel = report.run.options["thumbnails"];
  const std::string scan =
      channel.is_string() ? "the channel " + channel.get<std::string>() : "the scan";
  return "<p>One axial slice of each scan on the network's grid, where there is most of the first "
         "region; the patient's left is on the right. Grey: " +
         escaped(scan) +
         " (the frame is what the slices beside it show). Lines: where the probability of the "
         "region, the mean over all passes, is at the level "
         "above which lie as many voxels in the whole scan as make up " +
         sample("middle") + " the volume, " + sample("lower") + " the lower and " +
         sample("upper") + " the upper end of its " + percent_of(report.level.value) +
         " % interval; islands and holes below " + whole_number(kLeastIsland_mm2) +
         " mm² are left out of the drawing, not of the volumes. The interval is " +
         (report.calibration ? "calibrated" : "not calibrated") +
         ". Uncertainty: the binary entropy of that mean probability, the largest over the "
         "regions, from light grey (none) to black (1 bit: a probability of one half).</p>\n";
}

}  // namespace

std::string slice_anchor(const std::string& case_id) { return "slice-" + case_id; }

SliceSection slice_section(const ReportContent& report, const std::vector<RowsOfCase>& cases) {
  SliceSection section;
  if (!report.slice_of) return section;
  std::string open, folded;
  std::size_t measured = 0;
  for (const RowsOfCase& rows : cases) {
    const std::string& case_id = rows.front()->case_id;
    if (rows.front()->status == "failed") continue;
    ++measured;
    if (section.case_ids.size() == kMostSlices) continue;
    const std::optional<CaseSlice> slice = report.slice_of(case_id);
    if (!slice) continue;
    const std::string figure = SliceFigure(case_id, *slice, section.case_ids.size()).html(rows);
    if (figure.empty()) continue;
    (section.case_ids.size() < kMostOpen ? open : folded) += figure;
    section.case_ids.insert(case_id);
  }
  if (open.empty()) return section;
  section.html = "<h2>Slices</h2>\n" + legend(report);
  if (section.case_ids.size() < measured) {
    section.html += "<p class=\"soft\">" + std::to_string(section.case_ids.size()) + " of " +
                    std::to_string(measured) +
                    " cases, those flagged first; of the others no slice was kept, or there are "
                    "too many.</p>\n";
  }
  section.html += open;
  if (!folded.empty()) {
    section.html += "<details><summary>" + std::to_string(section.case_ids.size() - kMostOpen) +
                    " more</summary>\n" + folded + "</details>\n";
  }
  return section;
}

}  // namespace mcvol

#include "slice_figure.h"

#include "mcvol/files/text.h"
#include "mcvol/image/slice_plane.h"
#include "mcvol/io/images/png.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "region_contours.h"
#include "report/html/html.h"

namespace mcvol {

namespace {

std::string whole_number(double value) { return std::to_string(std::lround(value)); }

/// What is shown of a slice: the brain, with a margin of one pixel.
struct Crop {
  std::int64_t left = 0, top = 0, width = 0, height = 0;

  explicit Crop(const ThumbnailSlice& slice) {
    std::int64_t right = -1, bottom = -1;
    left = slice.width;
    top = slice.height;
    for (std::int64_t n = 0; n < slice.width * slice.height; ++n) {
      const auto nothing = [&](const auto& panel) {
        return panel[static_cast<std::size_t>(n)] == 0;
      };
      if (std::all_of(slice.channels.begin(), slice.channels.end(), nothing) &&
          std::all_of(slice.regions.begin(), slice.regions.end(), nothing)) {
        continue;
      }
      left = std::min(left, n % slice.width);
      right = std::max(right, n % slice.width);
      top = std::min(top, n / slice.width);
      bottom = std::max(bottom, n / slice.width);
    }
    left = std::max<std::int64_t>(left - 1, 0);
    top = std::max<std::int64_t>(top - 1, 0);
    width = std::min(right + 2, slice.width) - left;
    height = std::min(bottom + 2, slice.height) - top;
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

struct PlaneWords {
  const char* name;
  const char* counted_from;
};

const PlaneWords& words_of(Plane plane) {
  static constexpr std::array<PlaneWords, 3> kWords{PlaneWords{"axial", "below"},
                                                    PlaneWords{"coronal", "the front"},
                                                    PlaneWords{"sagittal", "the right"}};
  return kWords.at(static_cast<std::size_t>(plane));
}

/// Where a slice lies among all of its plane.
std::string place_of(const ThumbnailSlice& slice, const SlicePlane& plane, const Grid& grid) {
  if (!slice.index) return "";
  const std::int64_t size = grid.size[plane.through];
  return std::to_string(plane.through_reversed ? size - *slice.index : *slice.index + 1) + " of " +
         std::to_string(size);
}

std::string mark(const std::string& kind, const std::string& words) {
  return "<span class=\"mark " + kind + "\">" + words + "</span>";
}

/// A bar of a round length that takes at most two fifths of the width.
std::string scale_bar(double width_mm) {
  double length_mm = 1;
  for (const double round : {2.0, 5.0, 10.0, 20.0}) {
    if (round <= 0.4 * width_mm) length_mm = round;
  }
  const std::string words =
      length_mm < 10 ? shortest_text(length_mm) + " mm" : shortest_text(length_mm / 10) + " cm";
  return "<span class=\"scale\" style=\"width:" + decimal_text(100 * length_mm / width_mm, 1) +
         "%\">" + mark("", words) + "</span>";
}

/// Draws one slice.
class SliceFigure {
 public:
  SliceFigure(const std::string& case_id, const CaseSlice& of, const ThumbnailSlice& slice,
              std::string name)
      : of_(of),
        slice_(slice),
        name_(std::move(name)),
        crop_(slice),
        plane_(of.grid, slice.plane),
        whole_{0, 0, 10.0 * static_cast<double>(crop_.width),
               10 * plane_.aspect() * static_cast<double>(crop_.height)},
        place_(place_of(slice, plane_, of.grid)),
        title_(
            case_id + ", " + words_of(slice.plane).name + " slice" +
            (place_.empty() ? "" : " " + place_ + " from " + words_of(slice.plane).counted_from) +
            ", ") {}

  std::string panels(const RowsOfCase& rows, const std::vector<std::string>& channel_names) const {
    if (crop_.empty()) return "";
    std::vector<Panel> scans, bytes;
    for (const Panel& channel : slice_.channels) {
      scans.push_back(crop_.of(channel, slice_.width));
    }
    for (const Panel& region : slice_.regions) {
      bytes.push_back(crop_.of(region, slice_.width));
    }
    const std::vector<RegionContours> regions = contours(rows, bytes);
    const auto on = [&](std::size_t channel) {
      return channel_names[channel].empty() ? "" : ", " + channel_names[channel];
    };
    const Frame part = Frame::around(regions, plane_.aspect(), whole_);
    std::string made =
        panel(whole_, image(id_of(0), scans[0]) + outline(part),
              std::string("whole ") + words_of(slice_.plane).name + " slice" + on(0));
    std::set<std::size_t> there{0};
    for (std::size_t n = 0; n < regions.size(); ++n) {
      const std::size_t channel = regions[n].channel;
      const std::string scan = there.insert(channel).second ? image(id_of(channel), scans[channel])
                                                            : use(id_of(channel));
      const std::string& interval = regions[n].interval_ml;
      made +=
          panel(part, scan + drawn(regions[n], n), regions[n].region + " " + interval + on(channel),
                regions[n].region + " " + unbroken(interval) + on(channel));
    }
    made += panel(part, image("", uncertainty_of(scans[0], bytes)), "uncertainty");
    return "<div class=\"panels\">\n" + made + "</div>\n";
  }

 private:
  using Panel = std::vector<std::uint8_t>;

  std::vector<RegionContours> contours(const RowsOfCase& rows,
                                       const std::vector<Panel>& bytes) const {
    std::vector<RegionContours> regions;
    for (std::size_t n = 0; n < of_.means.size(); ++n) {
      const auto& [region, mean] = of_.means[n];
      for (const VolumeRow* row : rows) {
        if (row->region != region) continue;
        regions.push_back(
            contours_of(*row, mean, {bytes[n], crop_.width}, plane_, of_.grid.voxel_volume_ml()));
        regions.back().channel = of_.thumbnail.channel_of_region[n];
      }
    }
    return regions;
  }

  std::string id_of(std::size_t channel) const { return name_ + "c" + std::to_string(channel); }

  std::string image(const std::string& id, const Panel& pixels) const {
    return "<image" + (id.empty() ? "" : " id=\"" + id + "\"") + " width=\"" +
           whole_number(whole_.width) + "\" height=\"" + whole_number(whole_.height) +
           "\" preserveAspectRatio=\"none\" href=\"" +
           png_uri(png_from_picture({crop_.width, crop_.height, pixels})) + "\"/>";
  }

  static std::string use(const std::string& id, const std::string& more = "") {
    return "<use href=\"#" + id + "\"" + more + "/>";
  }

  /// A picture that opens as large as the window allows. The letters and the bar are not part of
  /// the SVG: they keep their size when it grows.
  std::string panel(const Frame& frame, const std::string& drawn, const std::string& words) const {
    return panel(frame, drawn, words, words);
  }

  /// @param caption the words as they are set below the picture.
  std::string panel(const Frame& frame, const std::string& drawn, const std::string& words,
                    const std::string& caption) const {
    const double width_mm = frame.width / 10 * plane_.pixel_width_mm;
    return "<details class=\"panel\"><summary style=\"--shape:" +
           decimal_text(frame.width / frame.height, 3) +
           "\"><span class=\"picture\"><svg viewBox=\"" + whole_number(frame.left) + " " +
           whole_number(frame.top) + " " + whole_number(frame.width) + " " +
           whole_number(frame.height) + "\" role=\"img\" aria-label=\"" + escaped(title_ + words) +
           "\">" + drawn + "</svg><span aria-hidden=\"true\">" +
           (place_.empty() ? "" : mark("number", place_)) + sides() + scale_bar(width_mm) +
           "</span></span><span class=\"words\" aria-hidden=\"true\">" + escaped(caption) +
           "</span></summary></details>\n";
  }

  /// The sides of the patient, on the edges of the picture.
  std::string sides() const {
    return mark("at-left", {plane_.left}) + mark("at-right", {plane_.right}) +
           mark("at-top", {plane_.top}) + mark("at-bottom", {plane_.bottom});
  }

  std::string outline(const Frame& part) const {
    if (part.width >= whole_.width) return "";
    const std::string width = whole_number(part.width), height = whole_number(part.height);
    return twice(name_ + "f", "",
                 "M" + whole_number(part.left) + " " + whole_number(part.top) + "h" + width + "v" +
                     height + "h-" + width + "z");
  }

  std::string drawn(const RegionContours& region, std::size_t number) const {
    std::string lines;
    for (std::size_t n = 0; n < kLineKinds.size(); ++n) {
      const std::string path = path_of(region.lines[n], plane_.aspect());
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

  const CaseSlice& of_;
  const ThumbnailSlice& slice_;
  std::string name_;
  Crop crop_;
  SlicePlane plane_;
  Frame whole_;
  std::string place_;  ///< "78 of 155", empty where it is not known
  std::string title_;  ///< what all panels are called, plain text
};

}  // namespace

std::string slice_panels(const std::string& case_id, const CaseSlice& of, std::size_t number,
                         const RowsOfCase& rows, const std::vector<std::string>& channel_names) {
  std::string panels;
  const std::vector<ThumbnailSlice>& slices = of.thumbnail.slices;
  for (std::size_t n = 0; n < slices.size(); ++n) {
    const std::string name = "s" + std::to_string(number) + (n == 0 ? "" : "p" + std::to_string(n));
    panels += SliceFigure(case_id, of, slices[n], name).panels(rows, channel_names);
  }
  return panels;
}

}  // namespace mcvol

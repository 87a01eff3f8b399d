#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "report/html/html.h"
#include "report/html/volume_axis.h"

namespace mcvol {

/// Of every chart of rows; other measures are in units of it.
inline constexpr double kChartWidth = 960;

/// A chart of rows as SVG pictures that each fit a printed page, one below the other; a single one
/// would be cut in two.
/// @param draw gives what is in a picture: of some of the rows and where the picture's last one
///   ends. @param top where the rows of each picture begin.
template <typename Row, typename Draw>
std::string chart_by_pages(const std::string& title, const std::vector<Row>& rows,
                           double row_height, double top, Draw draw) {
  constexpr double kPage = 1150;
  const auto fitting = static_cast<std::size_t>(kPage / row_height);
  const std::size_t pages = std::max<std::size_t>(1, (rows.size() + fitting - 1) / fitting);
  const std::size_t most = std::max<std::size_t>(1, (rows.size() + pages - 1) / pages);
  std::string charts;
  for (std::size_t begin = 0; begin < rows.size(); begin += most) {
    const std::string name = title + (pages == 1 ? ""
                                                 : " (" + std::to_string(begin / most + 1) +
                                                       " of " + std::to_string(pages) + ")");
    const std::span part = std::span(rows).subspan(begin, std::min(most, rows.size() - begin));
    const double bottom = top + row_height * static_cast<double>(part.size());
    charts += wide_svg("<svg viewBox=\"0 0 " + pixel(kChartWidth) + " " + pixel(bottom + 6) +
                           "\" role=\"group\" aria-label=\"" + escaped(name) + "\">\n" +
                           draw(part, bottom) + "</svg>\n",
                       name);
  }
  return charts;
}

}  // namespace mcvol

#include "svg_shapes.h"

#include "html.h"
#include "volume_axis.h"

namespace mcvol {

std::string svg_line(double x1, double y1, double x2, double y2, const std::string& more) {
  return "<line x1=\"" + pixel(x1) + "\" y1=\"" + pixel(y1) + "\" x2=\"" + pixel(x2) + "\" y2=\"" +
         pixel(y2) + "\" " + more + "/>\n";
}

std::string svg_text(double x, double y, const std::string& words, const std::string& more) {
  return "<text x=\"" + pixel(x) + "\" y=\"" + pixel(y) + "\" " + more + ">" + escaped(words) +
         "</text>\n";
}

}  // namespace mcvol

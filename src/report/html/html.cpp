#include "html.h"

#include "mcvol/files/base64.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <cmath>

namespace mcvol {

namespace {

// Colours differ in lightness as well as in hue, and shapes in form, so that a grey print and
// readers who see no colour lose nothing.
constexpr const char* kStyle = R"(
:root { color-scheme: light; --ink: #1a1a1a; --soft: #5f5f5f; --line: #d0d0d0; --bar: #1f5a96;
        --raw: #666; --flag: #a33c00; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif;
       color: var(--ink); background: #fff; max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin: .2rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .4rem; border-bottom: 1px solid var(--line); }
p { max-width: 46rem; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
tbody th { font-weight: normal; }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--line);
         vertical-align: top; overflow-wrap: break-word; }
th button { font: inherit; font-weight: bold; color: inherit; background: none; border: 0; padding: 0;
            text-align: left; cursor: pointer; text-decoration: underline dotted; }
th[aria-sort] button { text-decoration: none; }
th[aria-sort=ascending] button::after { content: "\a0↑"; }
th[aria-sort=descending] button::after { content: "\a0↓"; }
th button:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
.filter { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; align-items: baseline; }
.filter input, .filter select { font: inherit; max-width: 14rem; }
#numbers td:nth-child(2) { white-space: nowrap; }
#numbers td:last-child { min-width: 14rem; }
.nowrap { white-space: nowrap; }
.wide { overflow-x: auto; /* with a shade at the edge beyond which there is more */
        background: linear-gradient(to right, #fff 40%, #fff0), linear-gradient(to left, #fff 40%, #fff0) 100% 0,
                    linear-gradient(to right, #0004, #0000), linear-gradient(to left, #0004, #0000) 100% 0;
        background-size: 3rem 100%, 3rem 100%, .8rem 100%, .8rem 100%; background-repeat: no-repeat;
        background-attachment: local, local, scroll, scroll; }
.soft { color: var(--soft); }
.warning { border-left: 4px solid var(--flag); padding: .3rem .8rem; background: #fff4ee; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; fill: var(--ink); }
svg .soft { fill: var(--soft); }
svg .grid { stroke: #e3e3e3; }
svg .bar { fill: var(--bar); }
svg .hollow { fill: #fff; stroke: var(--bar); stroke-width: 1.4; }
svg .raw { stroke: var(--raw); fill: none; }
svg .beyond { fill: var(--raw); }
svg .point { fill: #fff; stroke: var(--ink); stroke-width: 1.5; }
svg .flag { fill: var(--flag); }
svg .band { fill: #dbe5f0; }
svg .mark { stroke: var(--ink); fill: none; }
a { color: var(--bar); }
h3 { font-size: 1rem; margin: 1rem 0 .2rem; }
.slice { break-inside: avoid; }
h3 .flag, .legend .flag { color: var(--flag); }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .5rem;
          grid-auto-flow: dense; margin-bottom: .6rem; }
.panel summary { display: block; cursor: zoom-in; }
.panel summary::-webkit-details-marker { display: none; }
.panel summary:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
.picture { display: block; position: relative; }
.words { display: block; font-size: .88rem; color: var(--soft); }
.mark { position: absolute; font-size: 11px; line-height: 14px; padding: 0 3px; white-space: nowrap;
        color: #fff; background: #000b; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.mark.number { left: 0; top: 0; }
.mark.at-left { left: 0; top: calc(50% - 7px); }
.mark.at-right { right: 0; top: calc(50% - 7px); }
.mark.at-top { top: 0; left: calc(50% - 7px); }
.mark.at-bottom { bottom: 0; left: calc(50% - 7px); }
.scale { position: absolute; left: 5px; bottom: 5px; height: 5px; background: #fff; border: 1px solid #000;
         print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.scale .mark { left: -1px; bottom: 6px; }
.sample { display: inline-block; width: 2.9em; vertical-align: baseline; }
.sample rect { fill: #666; }
.under, .over { fill: none; stroke-linejoin: round; }
.under { stroke: #000; stroke-width: 3.6; }
.over { stroke: #ffe45c; stroke-width: 1.8; }
.over.lower { stroke-dasharray: 7 4; }
.over.upper { stroke-dasharray: 2 4; }
figure { margin: .6rem 0 1.2rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 1.5rem; }
figcaption { font-size: .88rem; color: var(--soft); max-width: 46rem; }
@media screen {
  .chart svg { min-width: 44rem; }
  .panel[open] { grid-column: 1 / -1; }
  .panel[open] summary { cursor: zoom-out; max-width: calc(90vh * var(--shape)); }
}
@media (max-width: 40rem) {
  .nowrap { white-space: normal; }
  #numbers tbody th { position: sticky; left: 0; max-width: 8rem; background: #fff; }
}
@media print {
  html { font-size: 11px; }
  body { max-width: none; padding: 0; font-size: 1rem; }
  p, figcaption { max-width: none; }
  .warning { background: none; }
  .wide { overflow: visible; background: none; }
  .pair { grid-template-columns: 1fr 1fr; }
  .mark { font-size: 8px; line-height: 10px; }
  .mark.at-left, .mark.at-right { top: calc(50% - 5px); }
  .mark.at-top, .mark.at-bottom { left: calc(50% - 5px); }
  .under { stroke-width: 3; }
  .over { stroke-width: 1.5; }
  .screen { display: none; }
  th button { text-decoration: none; }
  summary { list-style: none; }
  #numbers td:last-child { min-width: 0; }
  .legend { break-inside: avoid; }
  .chart, .pair > figure, .panels, tr { break-inside: avoid; }
  figcaption { break-before: avoid; }
  details::details-content { content-visibility: visible; height: auto; }
  h2, h3 { break-after: avoid; }
}
)";

}  // namespace

std::string shortened(const std::string& label, std::size_t most_letters) {
  std::size_t letters = 0;
  std::size_t cut = 0;
  for (std::size_t n = 0; n < label.size(); ++n) {
    const bool begins = (static_cast<unsigned char>(label[n]) & 0xC0) != 0x80;
    if (begins && ++letters == most_letters) cut = n;
  }
  return letters <= most_letters ? label : label.substr(0, cut) + "…";
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string unbroken(std::string_view text) {
  std::string joined;
  for (const char c : text) {
    if (c == ' ') {
      joined += "\u00a0";
    } else {
      joined += c;
    }
  }
  return joined;
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         escaped(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n" + body +
         "</body>\n</html>\n";
}

std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& cells) {
  std::string table = "<div class=\"wide\"><table>\n<thead><tr>";
  for (const std::string& name : header) table += "<th scope=\"col\">" + name + "</th>";
  table += "</tr></thead>\n<tbody>\n";
  for (const auto& row : cells) {
    table += "<tr>";
    for (std::size_t n = 0; n < row.size(); ++n) {
      const bool name = n == 0;
      table += (name ? "<th scope=\"row\">" : "<td>") + row[n] + (name ? "</th>" : "</td>");
    }
    table += "</tr>\n";
  }
  return table + "</tbody></table></div>\n";
}

std::string wide_svg(const std::string& svg, const std::string& name) {
  return "<div class=\"wide chart\" tabindex=\"0\" role=\"region\" aria-label=\"" + escaped(name) +
         "\">\n" + svg + "</div>\n";
}

std::string png_uri(std::string_view png) {
  return "data:image/png;base64," +
         base64_from_bytes({reinterpret_cast<const unsigned char*>(png.data()), png.size()});
}

std::string percent_of(double share) {
  const double tenths = std::round(1000 * share);
  return decimal_text(tenths / 10, std::fmod(tenths, 10) == 0 ? 0 : 1);
}

std::string volume_text(double volume_ml) {
  const double size = std::abs(volume_ml);
  return decimal_text(volume_ml, size < 10 ? 2 : size < 100 ? 1 : 0);
}

}  // namespace mcvol

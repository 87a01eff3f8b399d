#include "slices.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "report/html/flag_meanings.h"
#include "report/html/html.h"

namespace mcvol {

namespace {

/// Slices that are shown at once; more are a click away.
constexpr std::size_t kMostOpen = 12;

std::string sample(const std::string& kind) {
  return "<svg class=\"sample\" viewBox=\"0 0 44 10\" aria-hidden=\"true\">"
         "<rect width=\"44\" height=\"10\"/><path class=\"over " +
         kind + "\" d=\"M3 5H41\"/></svg>";
}

bool is_flagged(const RowsOfCase& rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const VolumeRow* row) { return worth_a_look(*row); });
}

bool is_axial(const ThumbnailSlice& slice) { return slice.plane == Plane::kAxial; }

/// @param all_planes whether any case is shown in all planes.
std::string legend(const ReportContent& report, bool all_planes) {
  const std::string others =
      all_planes ? "Of a case to look at (<span class=\"flag\">⚑</span>) also a coronal and a "
                   "sagittal slice: those with most of the largest place. "
                 : "";
  const std::string views =
      all_planes ? "axial ones from below and coronal ones from the front, with the patient's "
                   "right (R) on the left, and sagittal ones from the patient's left, with "
                   "anterior (A) on the left; S is superior, I inferior. The number of the slice "
                   "is counted from below, from the front and from the right. "
                 : "the patient's right (R) is on the left, anterior (A) at the top. The number "
                   "of the slice is counted from below. ";
  return "<p class=\"legend\">Axial slices of each scan on the network's grid: where there is most "
         "of the first "
         "region, and where that lies in separate places, a slice of each of the largest (three at "
         "most). " +
         others + "As radiologists look at them: " + views +
         "Grey: the channel named below each picture; the "
         "frame is what the pictures beside it show. <span class=\"screen\">A picture opens by a "
         "click, or by the Tab and Enter keys, and closes likewise.</span></p>\n"
         "<p class=\"legend\">Lines: where the probability of the region, the mean over all "
         "passes, is at the level "
         "above which lie as many voxels in the whole scan as make up " +
         sample("middle") + " the volume, " + sample("lower") + " the lower and " +
         sample("upper") + " the upper end of its " + percent_of(report.level.value) +
         " % interval, " + (report.calibration ? "calibrated" : "not calibrated") +
         ". Islands and holes below " + shortest_text(kLeastIsland_mm2) +
         " mm² are left out of the drawing, not of any volume. Uncertainty: the binary entropy of "
         "that mean probability, the largest over the regions, from light grey (none) to black "
         "(1 bit: a probability of one half).</p>\n";
}

/// Empty where not known. A run says its first channel's, which is that of files of version 0.1.
std::vector<std::string> names_of_channels(const RunFile& run, const Thumbnail& thumbnail) {
  std::vector<std::string> names;
  for (const std::optional<std::size_t>& number : thumbnail.channels) {
    nlohmann::json name;
    if (number) {
      const nlohmann::json channels = run.model.value("channels", nlohmann::json::array());
      if (*number < channels.size()) name = channels[*number].value("name", nlohmann::json());
    } else if (run.options.contains("thumbnails")) {
      name = run.options["thumbnails"];
    }
    names.push_back(name.is_string() ? name.get<std::string>() : "");
  }
  return names;
}

std::string section_of_case(const std::string& case_id, bool flagged, const std::string& panels) {
  return "<section class=\"slice\" id=\"" + slice_anchor(escaped(case_id)) + "\"><h3>" +
         escaped(case_id) + (flagged ? " <span class=\"flag\">⚑</span>" : "") + "</h3>\n" + panels +
         "</section>\n";
}

}  // namespace

std::string slice_anchor(const std::string& case_id) { return "slice-" + case_id; }

SliceSection slice_section(const ReportContent& report, const std::vector<RowsOfCase>& cases) {
  SliceSection section;
  if (!report.slice_of) return section;
  std::string open, folded;
  std::size_t measured = 0;
  bool all_planes = false;
  for (const RowsOfCase& rows : cases) {
    const std::string& case_id = rows.front()->case_id;
    if (rows.front()->status == "failed") continue;
    ++measured;
    if (section.case_ids.size() == kMostSlices) continue;
    std::optional<CaseSlice> slice = report.slice_of(case_id);
    if (!slice) continue;
    std::vector<ThumbnailSlice>& shown = slice->thumbnail.slices;
    const bool flagged = is_flagged(rows);
    if (!flagged) std::erase_if(shown, std::not_fn(is_axial));
    const std::string panels = slice_panels(case_id, *slice, section.case_ids.size(), rows,
                                            names_of_channels(report.run, slice->thumbnail));
    if (panels.empty()) continue;
    (section.case_ids.size() < kMostOpen ? open : folded) +=
        section_of_case(case_id, flagged, panels);
    section.case_ids.insert(case_id);
    all_planes = all_planes || !std::all_of(shown.begin(), shown.end(), is_axial);
  }
  if (open.empty()) return section;
  section.html = "<h2>Slices</h2>\n" + legend(report, all_planes);
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

#pragma once

#include "mcvol/pipeline/tabulate.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

enum class Pictures { kShow, kLeaveOut };

struct ReportPage {
  Tabulation tabulation;           ///< what it was made of
  std::vector<std::string> notes;  ///< what the page had to go without, a line each
};

/// Writes the page of a result folder. @param options of one level, or none: then it is that of the
/// run next to 0.9. @throws as tabulate(); Error when it cannot be written.
ReportPage write_report_page(const TabulateOptions& options, const std::filesystem::path& output,
                             Pictures pictures = Pictures::kShow);

/// After a run: report.html in its result folder. What goes wrong is a warning, for the volumes are
/// written already.
void write_report_of_run(const std::filesystem::path& results, int threads,
                         Pictures pictures = Pictures::kShow);

}  // namespace mcvol

#pragma once

#include "mcvol/analysis/tabulate.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

enum class Slices { kShow, kLeaveOut };

struct ReportPage {
  Tabulation tabulation;           ///< what it was made of
  std::vector<std::string> notes;  ///< what the page had to go without, a line each
};

/// Writes the page of a result folder. @param options of one level, or none: then it is that of the
/// run next to 0.9. @param program name and version. @throws as tabulate(); Error when it cannot be
/// written.
ReportPage write_report_page(const TabulateOptions& options, const std::string& program,
                             const std::filesystem::path& output, Slices slices = Slices::kShow);

/// After a run: report.html in its result folder. The volumes are written already: returns what
/// went wrong and what the page had to go without, a line each. @throws DiskError only.
std::vector<std::string> write_report_of_run(const std::filesystem::path& results,
                                             const std::string& program, int threads,
                                             Slices slices = Slices::kShow);

}  // namespace mcvol

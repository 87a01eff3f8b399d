#pragma once

#include "mcvol/pipeline/tabulate.h"

#include <filesystem>

namespace mcvol {

/// Writes the page of a result folder and returns what it was made of. @param options of one level,
/// or none: then it is that of the run next to 0.9. @throws as tabulate(); Error when it cannot be
/// written.
Tabulation write_report_page(TabulateOptions options, const std::filesystem::path& output);

/// After a run: report.html in its result folder. What goes wrong is a warning, for the volumes are
/// written already.
void write_report_of_run(const std::filesystem::path& results, int threads);

}  // namespace mcvol

#pragma once

#include "mcvol/report/pages/report_page.h"

#include <string>

namespace mcvol {

/// What changed between two scans of a subject, those that changed most surely first: per region a
/// chart, then the pairs that could not be compared and all numbers. Empty where nothing was
/// compared.
std::string change_section(const ReportContent& report);

}  // namespace mcvol

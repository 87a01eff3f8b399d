#pragma once

#include "mcvol/analysis/evaluate.h"

#include <string>

namespace mcvol {

/// evaluation.html: every method at the level next to 0.9. @param program name and version.
std::string evaluation_page(const Evaluation& evaluation, const std::string& program);

}  // namespace mcvol

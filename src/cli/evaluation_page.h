#pragma once

#include "mcvol/pipeline/evaluate.h"

#include <string>

namespace mcvol {

/// evaluation.html: every method at the level next to 0.9.
std::string evaluation_page(const Evaluation& evaluation);

}  // namespace mcvol

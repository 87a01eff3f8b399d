#pragma once

namespace mcvol {

/// Probabilities are kept in steps of 2^-15: 0, 0.5 and 1 exactly, all else to 1.5e-5, far below
/// what passes leave open. What is drawn from them is the same before they are written and after.
inline constexpr float kMapSteps = 32768.0F;

}  // namespace mcvol

#pragma once

namespace mcvol {

/// From now on tensors on the CPU are blocks of one BlockPool of the process.
void use_block_pool();

}  // namespace mcvol

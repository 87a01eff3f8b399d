#pragma once

namespace mcvol {

/// From now on tensors on the CPU are blocks of one BlockPool of the process. To be called before
/// any are made, in the initialisation of a static variable. True.
bool use_block_pool();

}  // namespace mcvol

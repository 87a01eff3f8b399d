#pragma once

#include "block_pool.h"

namespace mcvol {

/// From now on tensors on the CPU are blocks of one BlockPool of the process. To be called before
/// any are made, in the initialisation of a static variable. True.
bool use_block_pool();

/// What tensors on the CPU take of it.
BlockPool::Use tensor_memory_use();

}  // namespace mcvol

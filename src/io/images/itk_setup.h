#pragma once

namespace mcvol {

/// Makes ITK a quiet guest, once per process: one thread (scans are loaded beside the network,
/// whose threads would otherwise be robbed), and no warnings on stderr (what matters in them is
/// checked and reported here). Called before ITK is used.
void set_up_itk();

}  // namespace mcvol

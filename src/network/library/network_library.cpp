#include "network/segmenter/network_library.h"

#include <string_view>

#include "network/run/torchscript_segmenter.h"
#include <torch/version.h>

// run.json names the LibTorch of the build, which the program knows without opening this.
static_assert(std::string_view(TORCH_VERSION) == MCVOL_TORCH_VERSION);

/// All that this library shows of itself (kNetworkLibraryEntry).
extern "C" [[gnu::visibility("default")]] const mcvol::NetworkLibrary mcvol_network_library;
const mcvol::NetworkLibrary mcvol_network_library = {
    MCVOL_VERSION, sizeof(mcvol::Bundle), sizeof(mcvol::SegmenterOptions),
    sizeof(mcvol::NetworkSummary), mcvol::load_torchscript_segmenter};

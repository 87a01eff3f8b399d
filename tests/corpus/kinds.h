#pragma once

#include "corpus/kind.h"

// The kinds of input, each in a file of its name.

namespace mcvol::testing {

void backgrounds(Kind& kind);
void voxel_types(Kind& kind);
void headers(Kind& kind);
void damaged_files(Kind& kind);
void text_images(Kind& kind);
void channels(Kind& kind);
void names(Kind& kind);
void layouts(Kind& kind);
void manifests(Kind& kind);
void references(Kind& kind);
void label_maps(Kind& kind);
void pairs(Kind& kind);
void outputs(Kind& kind);
void models(Kind& kind);
void options(Kind& kind);
void records(Kind& kind);

}  // namespace mcvol::testing

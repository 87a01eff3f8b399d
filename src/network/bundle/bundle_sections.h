#pragma once

#include "mcvol/files/json_fields.h"
#include "mcvol/network/bundle/bundle.h"

// The sections of model.json, each read from the fields of the whole file and checked against those
// read before it.

namespace mcvol {

void read_channels(JsonFields& fields, const JsonFail& fail, Bundle& bundle);
/// Image axes of "mirror".
std::vector<int> read_mirror(JsonFields& fields);
void read_grid(JsonFields& fields, Bundle& bundle);
void read_window(JsonFields& fields, Bundle& bundle);
void read_output(JsonFields& fields, Bundle& bundle);
/// After read_output().
void read_regions(JsonFields& fields, const JsonFail& fail, Bundle& bundle);

}  // namespace mcvol

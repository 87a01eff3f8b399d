#pragma once

#include "mcvol/io/images/image_source.h"
#include "mcvol/io/records/case_record.h"

#include <string>
#include <vector>

namespace mcvol {

/// What a record says of the files a case is read from, one per channel, with their hashes.
/// @throws InputError naming a file that cannot be read.
std::vector<InputFile> describe_inputs(const std::vector<std::string>& channels,
                                       const std::vector<ImageSource>& channel_files);

/// Whether the files still hold the bytes that `inputs` were made from. A file of the same name,
/// size and modification time is taken to; any other is hashed.
bool inputs_unchanged(const std::vector<InputFile>& inputs,
                      const std::vector<std::string>& channels,
                      const std::vector<ImageSource>& channel_files);

}  // namespace mcvol

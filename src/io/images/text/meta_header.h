#pragma once

#include <string>

#include "text_header.h"

namespace mcvol {

/// @param name the file's. @param head its beginning. @throws InputError as read_text_header().
TextHeader meta_header(const std::string& name, const std::string& head);

}  // namespace mcvol

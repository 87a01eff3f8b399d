#pragma once

#include <string>
#include <string_view>

namespace mcvol {

/// For what is said of a file that is not what its name says: which format its first bytes are the
/// mark of, and what to do, such as ", but DICOM; convert it with dcm2niix". Empty where they are
/// of none that is known.
/// @param beginning 132 bytes or more, or all of a shorter file.
std::string but_another_format(std::string_view beginning);

}  // namespace mcvol

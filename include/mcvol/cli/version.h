#pragma once

#include <string>

namespace mcvol {

/// Version of mcvol, "major.minor.patch".
std::string program_version();

/// "mcvol" and the version, as pages name who made them.
std::string program_name();

/// What `git describe` said when the build was configured; "unknown" outside a checkout.
std::string program_commit();

}  // namespace mcvol

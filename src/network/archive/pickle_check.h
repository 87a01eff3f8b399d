#pragma once

#include <string>
#include <string_view>

namespace mcvol {

/// What of an archive's objects would crash or fill memory in LibTorch, which makes them as their
/// pickle says: values within values thousands deep, values that stand for millions of others by
/// being named again, lists that hold themselves, names far beyond all that were given. Reads the
/// instructions only and makes nothing. Empty where there is none, and of what LibTorch itself
/// refuses.
std::string danger_of_unpickling(std::string_view pickle);

}  // namespace mcvol

#include "mcvol/error/error.h"

#include <new>

namespace mcvol {

std::string message_of(const std::exception& exception) {
  // What it says of itself is the name of a class.
  const bool out_of_memory = dynamic_cast<const std::bad_alloc*>(&exception) != nullptr;
  std::string message = out_of_memory ? "not enough memory; give the run more" : exception.what();
  try {
    std::rethrow_if_nested(exception);
  } catch (const std::exception& cause) {
    message += ": " + message_of(cause);
  } catch (...) {
    message += ": unknown cause";
  }
  return message;
}

}  // namespace mcvol

#include "mcvol/error/error.h"

namespace mcvol {

std::string message_of(const std::exception& exception) {
  std::string message = exception.what();
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

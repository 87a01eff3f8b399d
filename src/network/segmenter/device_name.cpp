#include "mcvol/network/segmenter/device_name.h"

#include "mcvol/error/error.h"

#include <regex>

namespace mcvol {

std::optional<int> gpu_named(const std::string& device) {
  if (device == "cpu") return std::nullopt;
  if (device == "auto") return 0;
  static const std::regex pattern("cuda(?::([0-9]{1,3}))?");
  std::smatch match;
  if (!std::regex_match(device, match, pattern)) {
    throw UsageError("--device: expected auto, cpu, cuda or cuda:N, found \"" + device + '"');
  }
  return match[1].matched ? std::stoi(match[1]) : 0;
}

}  // namespace mcvol

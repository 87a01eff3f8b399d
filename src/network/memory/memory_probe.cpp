#include "memory_probe.h"

#include <algorithm>
#include <memory>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

namespace mcvol {
namespace {

class PeakOfAllocations final : public c10::MemoryReportingInfoBase {
 public:
  explicit PeakOfAllocations(c10::Device device) : device_(device) {}
  void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device device) override {
    if (device.type() != device_.type()) return;
    in_use_ += bytes;  // negative where memory is given back
    peak_ = std::max(peak_, in_use_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t peak() const { return peak_; }

 private:
  c10::Device device_;
  std::int64_t in_use_ = 0;
  std::int64_t peak_ = 0;
};

}  // namespace

std::int64_t peak_bytes(c10::Device device, const std::function<void()>& work) {
  const auto peak = std::make_shared<PeakOfAllocations>(device);
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, peak);
  work();
  return peak->peak();
}

}  // namespace mcvol

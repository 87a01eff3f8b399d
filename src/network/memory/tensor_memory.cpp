#include "tensor_memory.h"

#include <new>

#include "block_pool.h"
#include <c10/core/CPUAllocator.h>

namespace mcvol {
namespace {

/// Goes with the process: tensors may outlive every other object.
BlockPool& pool() {
  static auto* const of_process = new BlockPool;
  return *of_process;
}

void give(void* block) {
  if (block == nullptr) return;
  c10::profiledCPUMemoryReporter().Delete(block);
  pool().give(block);
}

class PooledMemory final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &give, c10::Device(c10::DeviceType::CPU)};
    void* const block = pool().take(bytes);
    c10::profiledCPUMemoryReporter().New(block, bytes);
    return {block, block, &give, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

}  // namespace

bool use_block_pool() {
  static const bool in_use = [] {
    c10::SetCPUAllocator(new PooledMemory, 1);
    return true;
  }();
  return in_use;
}

}  // namespace mcvol

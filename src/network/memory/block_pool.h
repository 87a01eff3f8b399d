#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace mcvol {

/// Memory for activations, which come and go with every operator and are of few sizes. The system's
/// would be fresh pages each time; the C library's, whose aligned blocks do not fit again where
/// they were once something small has come next to them, made a process longer by 2 MB a scan.
///
/// Those from kLeastBytes on are pages of their own; smaller ones are the C library's.
///
/// A freed block waits for the next request that fits. In use and waiting together are at most half
/// more than the most that was in use at a time; the longest unused go back to the system.
/// May be used from several threads at once.
class BlockPool {
 public:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kLeastBytes = std::size_t{1} << 15;

  BlockPool() = default;
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// Not initialised, aligned to kAlignment. @throws std::bad_alloc where the system has no more,
  /// after all that waits was given back.
  void* take(std::size_t bytes);
  /// @param block of take(), in use.
  void give(void* block) noexcept;

  /// Of blocks from kLeastBytes on, with what they were rounded up by.
  struct Use {
    std::size_t in_use_bytes = 0, most_in_use_bytes = 0, waiting_bytes = 0;
  };
  Use use() const;

 private:
  struct Waiting {
    void* pages;
    std::size_t bytes;
  };

  void* take_waiting(std::size_t bytes);
  void unmap_oldest() noexcept;

  mutable std::mutex mutex_;
  Use use_;
  std::vector<Waiting> waiting_;  ///< the longest unused first
};

}  // namespace mcvol

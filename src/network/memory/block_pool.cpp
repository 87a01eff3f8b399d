#include "block_pool.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>

#include <sys/mman.h>

namespace mcvol {
namespace {

/// Stands before each block.
struct Header {
  void* start;               ///< of the memory it is in
  std::size_t mapped_bytes;  ///< none: of the C library
};
static_assert(sizeof(Header) <= BlockPool::kAlignment);

void* block_in(void* pages) { return static_cast<std::byte*>(pages) + BlockPool::kAlignment; }

Header& header_of(void* block) { return *(static_cast<Header*>(block) - 1); }

/// Aligned by hand: what the C library aligns and frees it does not find again for the same size.
void* take_small(std::size_t bytes) {
  std::size_t room = bytes + BlockPool::kAlignment;
  void* const start = std::malloc(room + sizeof(Header));
  if (start == nullptr) throw std::bad_alloc();
  void* block = static_cast<std::byte*>(start) + sizeof(Header);
  std::align(BlockPool::kAlignment, bytes, block, room);
  new (&header_of(block)) Header{start, 0};
  return block;
}

/// A request is rounded up by at most an eighth, so that sizes that differ a little share blocks.
std::size_t rounded(std::size_t bytes) {
  std::size_t step = 4096;
  while (bytes > 16 * step) step *= 2;
  return (bytes + step - 1) / step * step;
}

void* map_pages(std::size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  return pages;
}

}  // namespace

BlockPool::~BlockPool() {
  while (!waiting_.empty()) unmap_oldest();
}

void* BlockPool::take(std::size_t bytes) {
  if (bytes < kLeastBytes) return take_small(bytes);
  if (bytes > std::numeric_limits<std::size_t>::max() / 4) throw std::bad_alloc();
  const std::size_t mapped_bytes = rounded(bytes + kAlignment);
  const std::scoped_lock lock(mutex_);
  void* pages = take_waiting(mapped_bytes);
  if (pages == nullptr) {
    const std::size_t in_use_bytes = use_.in_use_bytes + mapped_bytes;
    const std::size_t most_bytes = std::max(use_.most_in_use_bytes, in_use_bytes);
    while (!waiting_.empty() && in_use_bytes + use_.waiting_bytes > most_bytes + most_bytes / 2) {
      unmap_oldest();
    }
    while ((pages = map_pages(mapped_bytes)) == nullptr) {
      if (waiting_.empty()) throw std::bad_alloc();
      unmap_oldest();
    }
    new (&header_of(block_in(pages))) Header{pages, mapped_bytes};
  }
  void* const block = block_in(pages);
  use_.in_use_bytes += header_of(block).mapped_bytes;
  use_.most_in_use_bytes = std::max(use_.most_in_use_bytes, use_.in_use_bytes);
  return block;
}

/// The smallest that fits, unless more than half of it would lie idle.
void* BlockPool::take_waiting(std::size_t bytes) {
  auto best = waiting_.end();
  for (auto block = waiting_.begin(); block != waiting_.end(); ++block) {
    if (block->bytes < bytes || block->bytes > 2 * bytes) continue;
    if (best == waiting_.end() || block->bytes <= best->bytes) best = block;
  }
  if (best == waiting_.end()) return nullptr;
  void* const pages = best->pages;
  use_.waiting_bytes -= best->bytes;
  waiting_.erase(best);
  return pages;
}

void BlockPool::give(void* block) noexcept {
  const auto [pages, bytes] = header_of(block);
  if (bytes == 0) {
    std::free(pages);
    return;
  }
  const std::scoped_lock lock(mutex_);
  use_.in_use_bytes -= bytes;
  try {
    waiting_.push_back({pages, bytes});
    use_.waiting_bytes += bytes;
  } catch (const std::bad_alloc&) {
    munmap(pages, bytes);
  }
}

void BlockPool::unmap_oldest() noexcept {
  const Waiting oldest = waiting_.front();
  waiting_.erase(waiting_.begin());
  use_.waiting_bytes -= oldest.bytes;
  munmap(oldest.pages, oldest.bytes);
}

BlockPool::Use BlockPool::use() const {
  const std::scoped_lock lock(mutex_);
  return use_;
}

}  // namespace mcvol

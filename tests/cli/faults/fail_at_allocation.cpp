// Loaded before the C library (LD_PRELOAD) by failed_allocation_test.cpp: makes the n-th request
// for a megabyte of memory or more fail, as where the machine has no more. MCVOL_TEST_FAIL_AT is n,
// MCVOL_TEST_FAIL_ON is set where all later requests fail too, and MCVOL_TEST_FAIL_NOTE the file
// that is to say how large it was. Smaller ones never fail: what is left in a heap holds them.

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// What the C library's own names stand for: looking these up would itself take memory.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {

constexpr std::size_t kLarge = std::size_t{1} << 20U;

void note(const char* call, std::size_t bytes) {
  const char* const file = std::getenv("MCVOL_TEST_FAIL_NOTE");
  if (file == nullptr) return;
  const int descriptor = ::open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return;
  char text[80];
  const int size = std::snprintf(text, sizeof(text), "%s of %zu bytes", call, bytes);
  if (::write(descriptor, text, static_cast<std::size_t>(size)) < 0) std::abort();
  ::close(descriptor);
}

/// Whether this request is to fail; errno is set then.
bool fails(const char* call, std::size_t bytes) {
  if (bytes < kLarge) return false;
  static std::atomic<int> calls{0};
  static const char* const at = std::getenv("MCVOL_TEST_FAIL_AT");
  static const bool goes_on = std::getenv("MCVOL_TEST_FAIL_ON") != nullptr;
  if (at == nullptr) return false;
  const int number = ++calls, first = std::atoi(at);
  if (number < first || (number > first && !goes_on)) return false;
  if (number == first) note(call, bytes);
  errno = ENOMEM;
  return true;
}

bool fails(const char* call, std::size_t count, std::size_t bytes) {
  std::size_t product = 0;
  if (__builtin_mul_overflow(count, bytes, &product)) return false;
  return fails(call, product);
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) { return fails("malloc", bytes) ? nullptr : __libc_malloc(bytes); }

void* calloc(std::size_t count, std::size_t bytes) {
  return fails("calloc", count, bytes) ? nullptr : __libc_calloc(count, bytes);
}

void* realloc(void* block, std::size_t bytes) {
  return fails("realloc", bytes) ? nullptr : __libc_realloc(block, bytes);
}

void* reallocarray(void* block, std::size_t count, std::size_t bytes) noexcept {
  std::size_t product = 0;
  if (__builtin_mul_overflow(count, bytes, &product) || fails("realloc", product)) {
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_realloc(block, product);
}

void* memalign(std::size_t alignment, std::size_t bytes) {
  return fails("memalign", bytes) ? nullptr : __libc_memalign(alignment, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return fails("aligned_alloc", bytes) ? nullptr : __libc_memalign(alignment, bytes);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  if (fails("posix_memalign", bytes)) return ENOMEM;
  void* const aligned = __libc_memalign(alignment, bytes);
  if (aligned == nullptr) return ENOMEM;
  *block = aligned;
  return 0;
}

void* mmap(void* address, std::size_t bytes, int protection, int flags, int descriptor,
           off_t offset) {
  if ((flags & MAP_ANONYMOUS) != 0 && fails("mmap", bytes)) return MAP_FAILED;
  return reinterpret_cast<void*>(
      ::syscall(SYS_mmap, address, bytes, protection, flags, descriptor, offset));
}

}  // extern "C"

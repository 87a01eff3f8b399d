// Loaded before the C library (LD_PRELOAD) by failed_write_test.cpp: makes the n-th call fail that
// writes something or changes which files there are, as on a full disk or one that is mounted
// read-only. MCVOL_TEST_FAIL_AT is n, MCVOL_TEST_FAIL_WITH the errno, MCVOL_TEST_FAIL_ON is set
// where all later calls fail too, and MCVOL_TEST_FAIL_NOTE the file that is to say which it was.

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

void note(const char* call, const char* path) {
  const char* const file = std::getenv("MCVOL_TEST_FAIL_NOTE");
  if (file == nullptr) return;
  const int descriptor = next<int (*)(const char*, int, ...)>("open")(
      file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return;
  const auto write_to = next<ssize_t (*)(int, const void*, size_t)>("write");
  for (const char* part : {call, " ", path}) {
    if (write_to(descriptor, part, std::strlen(part)) < 0) break;
  }
  ::close(descriptor);
}

/// Whether this call is to fail; errno is set then.
bool fails(const char* call, const char* path) {
  static std::atomic<int> calls{0};
  static const char* const at = std::getenv("MCVOL_TEST_FAIL_AT");
  static const char* const with = std::getenv("MCVOL_TEST_FAIL_WITH");
  static const bool goes_on = std::getenv("MCVOL_TEST_FAIL_ON") != nullptr;
  if (at == nullptr || with == nullptr) return false;
  const int number = ++calls, first = std::atoi(at);
  if (number < first || (number > first && !goes_on)) return false;
  if (number == first) note(call, path);
  errno = std::atoi(with);
  return true;
}

/// Of an open file; the streams of the process are no files that it writes.
bool fails(const char* call, int descriptor) {
  if (descriptor <= STDERR_FILENO) return false;
  char link[64], path[4096] = "?";
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
  const ssize_t size = ::readlink(link, path, sizeof(path) - 1);
  if (size > 0) path[size] = '\0';
  return fails(call, path);
}

bool writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0; }

mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(arguments, unsigned int)) : 0;
}

}  // namespace

#define MCVOL_FAIL_OPEN(name)                                              \
  int name(const char* path, int flags, ...) {                             \
    va_list arguments;                                                     \
    va_start(arguments, flags);                                            \
    const mode_t mode = mode_of(flags, arguments);                         \
    va_end(arguments);                                                     \
    if (writes(flags) && fails("open", path)) return -1;                   \
    return next<int (*)(const char*, int, ...)>(#name)(path, flags, mode); \
  }
#define MCVOL_FAIL_OPENAT(name)                                                         \
  int name(int folder, const char* path, int flags, ...) {                              \
    va_list arguments;                                                                  \
    va_start(arguments, flags);                                                         \
    const mode_t mode = mode_of(flags, arguments);                                      \
    va_end(arguments);                                                                  \
    if (writes(flags) && fails("open", path)) return -1;                                \
    return next<int (*)(int, const char*, int, ...)>(#name)(folder, path, flags, mode); \
  }
#define MCVOL_FAIL_FOPEN(name)                                                       \
  FILE* name(const char* path, const char* mode) {                                   \
    if (std::strpbrk(mode, "wa+") != nullptr && fails("open", path)) return nullptr; \
    return next<FILE* (*)(const char*, const char*)>(#name)(path, mode);             \
  }

extern "C" {

MCVOL_FAIL_OPEN(open)
MCVOL_FAIL_OPEN(open64)
MCVOL_FAIL_OPENAT(openat)
MCVOL_FAIL_OPENAT(openat64)
MCVOL_FAIL_FOPEN(fopen)
MCVOL_FAIL_FOPEN(fopen64)

ssize_t write(int descriptor, const void* bytes, size_t size) {
  if (fails("write", descriptor)) return -1;
  return next<ssize_t (*)(int, const void*, size_t)>("write")(descriptor, bytes, size);
}

ssize_t writev(int descriptor, const iovec* parts, int count) {
  if (fails("write", descriptor)) return -1;
  return next<ssize_t (*)(int, const iovec*, int)>("writev")(descriptor, parts, count);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t at) {
  if (fails("pwrite", descriptor)) return -1;
  return next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(descriptor, bytes, size, at);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t at) {
  if (fails("pwrite", descriptor)) return -1;
  return next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64")(descriptor, bytes, size,
                                                                          at);
}

int ftruncate(int descriptor, off_t size) noexcept {
  if (fails("ftruncate", descriptor)) return -1;
  return next<int (*)(int, off_t)>("ftruncate")(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) noexcept {
  if (fails("ftruncate", descriptor)) return -1;
  return next<int (*)(int, off64_t)>("ftruncate64")(descriptor, size);
}

int fchmod(int descriptor, mode_t mode) noexcept {
  if (fails("fchmod", descriptor)) return -1;
  return next<int (*)(int, mode_t)>("fchmod")(descriptor, mode);
}

int fsync(int descriptor) {
  if (fails("fsync", descriptor)) return -1;
  return next<int (*)(int)>("fsync")(descriptor);
}

int rename(const char* from, const char* to) noexcept {
  if (fails("rename", to)) return -1;
  return next<int (*)(const char*, const char*)>("rename")(from, to);
}

int link(const char* from, const char* to) noexcept {
  if (fails("link", to)) return -1;
  return next<int (*)(const char*, const char*)>("link")(from, to);
}

int remove(const char* path) noexcept {
  if (fails("remove", path)) return -1;
  return next<int (*)(const char*)>("remove")(path);
}

int unlink(const char* path) noexcept {
  if (fails("unlink", path)) return -1;
  return next<int (*)(const char*)>("unlink")(path);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  if (fails("unlink", path)) return -1;
  return next<int (*)(int, const char*, int)>("unlinkat")(folder, path, flags);
}

int rmdir(const char* path) noexcept {
  if (fails("rmdir", path)) return -1;
  return next<int (*)(const char*)>("rmdir")(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (fails("mkdir", path)) return -1;
  return next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}

}  // extern "C"

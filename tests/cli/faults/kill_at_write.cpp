// Loaded before the C library (LD_PRELOAD) by killed_at_write_test.cpp: ends the process, as
// SIGKILL does, before the n-th call that changes which files there are. n is MCVOL_TEST_KILL_AT.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

void count_call() {
  static std::atomic<int> calls{0};
  static const char* const text = std::getenv("MCVOL_TEST_KILL_AT");
  if (text != nullptr && ++calls == std::atoi(text)) ::kill(::getpid(), SIGKILL);
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int rename(const char* from, const char* to) noexcept {
  count_call();
  return next<int (*)(const char*, const char*)>("rename")(from, to);
}

int remove(const char* path) noexcept {
  count_call();
  return next<int (*)(const char*)>("remove")(path);
}

int unlink(const char* path) noexcept {
  count_call();
  return next<int (*)(const char*)>("unlink")(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  count_call();
  return next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}

}  // extern "C"

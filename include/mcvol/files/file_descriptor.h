#pragma once

#include <utility>

#include <unistd.h>

namespace mcvol {

/// Owns a POSIX file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { close(); }

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  /// The descriptor, which its taker has to close.
  int release() { return std::exchange(descriptor_, -1); }
  /// 0, or -1 with errno set: on network file systems a full disk may show only here.
  int close() {
    const int descriptor = std::exchange(descriptor_, -1);
    return descriptor >= 0 ? ::close(descriptor) : 0;
  }

 private:
  int descriptor_;
};

}  // namespace mcvol

#include "mcvol/files/text_file.h"

#include "mcvol/error/error.h"
#include "mcvol/files/file_descriptor.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

std::string cannot(const char* verb, const fs::path& path, int error_number) {
  return path.string() + ": cannot " + verb + ": " + std::strerror(error_number);
}

/// @param path what the user knows of: a file or a folder.
[[noreturn]] void throw_cannot_write(const fs::path& path, int error_number,
                                     const char* verb = "write") {
  const std::string message = cannot(verb, path, error_number);
  for (const int of_disk : {ENOSPC, EDQUOT, EROFS, EIO}) {
    if (error_number == of_disk) throw DiskError(message);
  }
  throw Error(message);
}

/// Removes the temporary file unless it has been renamed into place.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path) : path_(std::move(path)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!renamed_) ::unlink(path_.c_str());
  }
  bool rename_to(const fs::path& target) {
    renamed_ = ::rename(path_.c_str(), target.c_str()) == 0;
    return renamed_;
  }

 private:
  fs::path path_;
  bool renamed_ = false;
};

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Opens a new file beside `path`, in a folder that is made where it is missing; a name taken by an
/// earlier run that was killed is passed over.
int create_beside(const fs::path& path, fs::path& temporary) {
  std::error_code error;
  fs::create_directories(folder_of(path), error);
  if (error) throw_cannot_write(folder_of(path), error.value(), "create folder");
  static std::atomic<unsigned> counter{0};
  constexpr int kAttempts = 1000;
  std::string stem = ".";
  stem += path.filename().string() + ".tmp-" + std::to_string(::getpid()) + "-";
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    temporary = folder_of(path) / (stem + std::to_string(counter++));
    const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) return descriptor;
    if (errno != EEXIST && errno != EINTR) break;
  }
  throw_cannot_write(path, errno);
}

void write_all(int descriptor, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (written == 0 || errno != EINTR) {
      throw_cannot_write(path, written == 0 ? ENOSPC : errno);
    }
  }
}

/// Where a file is to be written.
struct Destination {
  fs::path path;                  ///< symbolic links followed
  std::optional<int> descriptor;  ///< path stands for this open file: /dev/stdout, /dev/fd/N
  std::optional<mode_t> mode;     ///< of the regular file that is there
  bool in_place = false;          ///< a device, a pipe or an open file: written, never replaced
};

/// N of a path that is /proc/self/fd/N, by whatever name the folder is reached.
std::optional<int> open_descriptor(const fs::path& path) {
  std::error_code error;
  const fs::path folder = fs::canonical(folder_of(path), error);
  if (error || folder != "/proc/" + std::to_string(::getpid()) + "/fd") return std::nullopt;
  const std::string name = path.filename().string();
  int descriptor = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), descriptor);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) return std::nullopt;
  return descriptor;
}

/// Follows links one by one: behind /dev/stdout may lie a regular file that a shell has opened to
/// append to, which is written through its descriptor and not by its name.
Destination destination_of(const fs::path& path) {
  if (!path.has_filename()) throw Error(path.string() + ": cannot write: not a file name");
  constexpr int kMostLinks = 40;  // as Linux
  Destination destination{path, {}, {}, false};
  for (int links = 0; links < kMostLinks; ++links) {
    destination.descriptor = open_descriptor(destination.path);
    destination.in_place = destination.descriptor.has_value();
    std::error_code error;
    if (destination.in_place || !fs::is_symlink(fs::symlink_status(destination.path, error))) {
      break;
    }
    if (links + 1 == kMostLinks) throw_cannot_write(path, ELOOP);
    const fs::path target = fs::read_symlink(destination.path, error);
    if (error) throw_cannot_write(path, error.value());
    destination.path = folder_of(destination.path) / target;
  }
  struct stat status {};
  if (destination.in_place || ::stat(destination.path.c_str(), &status) != 0) return destination;
  if (S_ISREG(status.st_mode)) destination.mode = status.st_mode & 07777;
  destination.in_place = !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
  return destination;
}

void write_in_place(const Destination& destination, std::string_view bytes, const fs::path& path) {
  FileDescriptor file(destination.descriptor
                          ? ::fcntl(*destination.descriptor, F_DUPFD_CLOEXEC, 0)
                          : ::open(destination.path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  if (!file.is_open()) throw_cannot_write(path, errno);
  write_all(file.get(), bytes, path);
  if (file.close() != 0) throw_cannot_write(path, errno);
}

void sync_folder(const fs::path& path) {
  const FileDescriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder, or do not let it be opened: the file itself is safe.
  if (!folder.is_open()) return;
  if (::fsync(folder.get()) != 0 && errno == EIO) throw_cannot_write(path, errno);
}

}  // namespace

std::string read_file(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) throw Error(cannot("read", path, errno));
  std::string bytes;
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    bytes.reserve(static_cast<std::size_t>(status.st_size));
  }
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count == 0) return bytes;
    if (count > 0) {
      bytes.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw Error(cannot("read", path, errno));
    }
  }
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  const Destination destination = destination_of(path);
  if (destination.in_place) return write_in_place(destination, bytes, path);
  const fs::path& target = destination.path;
  fs::path temporary_path;
  FileDescriptor file(create_beside(target, temporary_path));
  TemporaryFile temporary(temporary_path);
  write_all(file.get(), bytes, path);
  if (destination.mode && ::fchmod(file.get(), *destination.mode) != 0) {
    throw_cannot_write(path, errno);
  }
  if (::fsync(file.get()) != 0) throw_cannot_write(path, errno);
  if (file.close() != 0) throw_cannot_write(path, errno);
  if (!temporary.rename_to(target)) throw_cannot_write(path, errno);
  sync_folder(target);
}

void remove_file(const fs::path& path, const char* verb) {
  std::error_code error;
  fs::remove(path, error);
  if (error) throw_cannot_write(path, error.value(), verb);
}

void require_writable(const fs::path& path) {
  const Destination destination = destination_of(path);
  if (destination.in_place) {
    // Opening a pipe would wait for its reader.
    const bool writable = destination.descriptor ? ::fcntl(*destination.descriptor, F_GETFD) != -1
                                                 : ::access(destination.path.c_str(), W_OK) == 0;
    if (!writable) throw_cannot_write(path, errno);
    return;
  }
  std::error_code error;
  if (fs::is_directory(destination.path, error)) throw_cannot_write(path, EISDIR);
  fs::path temporary_path;
  const FileDescriptor file(create_beside(destination.path, temporary_path));
  const TemporaryFile temporary(temporary_path);
}

void remove_left_temporary_files(const fs::path& folder) {
  static const std::regex pattern(R"(\..+\.tmp-[0-9]+-[0-9]+)");
  std::error_code error;
  std::vector<fs::path> left;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (std::regex_match(entry->path().filename().string(), pattern)) left.push_back(entry->path());
  }
  for (const fs::path& path : left) fs::remove(path, error);
}

}  // namespace mcvol

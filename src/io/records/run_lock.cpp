#include "mcvol/io/records/run_lock.h"

#include "mcvol/error/error.h"
#include "mcvol/files/file_descriptor.h"
#include "mcvol/timing/utc_time.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace mcvol {

namespace {

std::filesystem::path lock_path(const std::filesystem::path& folder) { return folder / ".lock"; }

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "an unknown host";
  return name.data();
}

/// "mcvol process 123 on node07 since 2026-01-01T12:00:00Z", from the file's own text.
std::string holder_in(int descriptor) {
  std::array<char, 1024> buffer{};
  const ssize_t size = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  const auto holder = nlohmann::json::parse(
      std::string(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0), nullptr, false);
  try {
    const auto& pid = holder.at("pid");
    if (!pid.is_number_integer()) return "another process";  // No text of mcvol's.
    return "mcvol process " + std::to_string(pid.get<std::int64_t>()) + " on " +
           holder.at("host").get<std::string>() + " since " + holder.at("since").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    return "another process";  // It has the lock but has not written its name yet.
  }
}

/// The whole file, for writers: an open file description's lock, which closing another descriptor
/// of the file does not drop.
struct flock whole_file() {
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  return request;
}

[[noreturn]] void throw_no_locks(const std::filesystem::path& folder) {
  throw Error(lock_path(folder).string() + ": cannot be locked: " + std::strerror(errno) +
              "; use an --out on a file system that supports locks");
}

/// Takes the lock without waiting; false where another holds it.
bool try_lock(int descriptor, const std::filesystem::path& folder) {
  struct flock request = whole_file();
  if (::fcntl(descriptor, F_OFD_SETLK, &request) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  throw_no_locks(folder);
}

bool is_locked(int descriptor, const std::filesystem::path& folder) {
  struct flock request = whole_file();
  if (::fcntl(descriptor, F_OFD_GETLK, &request) != 0) throw_no_locks(folder);
  return request.l_type != F_UNLCK;
}

[[noreturn]] void throw_held(int descriptor, const std::filesystem::path& folder) {
  throw FolderLockedError(folder.string() + ": held by " + holder_in(descriptor) +
                          "; wait for it or use another --out");
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::error_code ignored;  // What cannot be looked at cannot be made either: `error` says why.
  const bool is_folder = std::filesystem::is_directory(folder, ignored);
  if (!is_folder && std::filesystem::exists(folder, ignored)) {
    throw Error(folder.string() + ": is a file, expected a folder for results; use another --out");
  }
  if (!is_folder) {
    throw Error(folder.string() + ": folder cannot be made: " + error.message() +
                "; use an --out that can be written");
  }
}

void write_holder(int descriptor, const std::filesystem::path& folder) {
  const nlohmann::ordered_json holder = {
      {"pid", ::getpid()}, {"host", host_name()}, {"since", utc_now()}};
  const std::string text =
      holder.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    throw Error(lock_path(folder).string() + ": cannot be written: " + std::strerror(errno) +
                "; free some space or use another --out");
  }
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder) {
  make_folder(folder);
  const std::filesystem::path path = lock_path(folder);
  FileDescriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!descriptor.is_open()) {
    throw Error(folder.string() + ": cannot be written: " + std::strerror(errno) +
                "; use an --out that can be written");
  }
  if (!try_lock(descriptor.get(), folder)) throw_held(descriptor.get(), folder);
  write_holder(descriptor.get(), folder);
  descriptor_ = descriptor.release();
}

RunLock::~RunLock() { ::close(descriptor_); }

void RunLock::require_free(const std::filesystem::path& folder) {
  const FileDescriptor descriptor(::open(lock_path(folder).c_str(), O_RDONLY | O_CLOEXEC));
  // No file: never held. One that may not be read belongs to another user; reading on is harmless.
  if (!descriptor.is_open()) return;
  if (is_locked(descriptor.get(), folder)) throw_held(descriptor.get(), folder);
}

}  // namespace mcvol

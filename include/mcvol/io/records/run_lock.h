#pragma once

#include <filesystem>
#include <string>

namespace mcvol {

/// Holds a result folder for one run. The kernel drops the lock with the process, so a killed run
/// leaves nothing that needs cleaning: the file `.lock` stays, but holds nobody.
///
/// A lock of the open file description (fcntl F_OFD_SETLK). On a network file system it reaches as
/// far as that carries it: NFS between Linux hosts does, one mounted with `nolock` or `local_lock`
/// keeps it to the host.
class RunLock {
 public:
  /// Creates `folder` and its parents where needed and takes the lock.
  /// @throws FolderLockedError saying which process on which host holds it since when; Error where
  ///   the folder cannot be made or written.
  explicit RunLock(const std::filesystem::path& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Whether a run holds `folder` now, without taking or making anything.
  /// @throws FolderLockedError as the constructor does.
  static void require_free(const std::filesystem::path& folder);

 private:
  int descriptor_ = -1;
};

}  // namespace mcvol

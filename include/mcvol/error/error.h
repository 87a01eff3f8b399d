#pragma once

#include <stdexcept>
#include <string>

namespace mcvol {

/// Process exit codes (docs/exit_codes.md); users script against them.
enum class ExitCode : int {
  kSuccess = 0,        ///< everything asked for was measured
  kCannotGoOn = 1,     ///< could not start or go on: no case found, unwritable output, full disk
  kUsage = 2,          ///< bad option, bundle, calibration, manifest or run identity
  kScanFailed = 3,     ///< at least one scan failed through its own fault
  kFolderLocked = 4,   ///< the result folder is held by another run
  kHungUp = 129,       ///< SIGHUP: 128 and the number of the signal, as shells have it
  kInterrupted = 130,  ///< SIGINT
  kTerminated = 143,   ///< SIGTERM
};

/// Base of every error mcvol reports. A message is one line: which file, what was expected, what
/// was found, what to do. Thrown as such, it means the run cannot start or go on (exit code 1).
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitCode exit_code = ExitCode::kCannotGoOn)
      : std::runtime_error(message), exit_code_(exit_code) {}

  ExitCode exit_code() const noexcept { return exit_code_; }

 private:
  ExitCode exit_code_;
};

/// Nothing more can be written to where this was to go, whatever the file: the disk is full, the
/// quota used up, the file system read-only or broken (exit code 1). It ends even what would go on
/// without this file.
class DiskError : public Error {
 public:
  explicit DiskError(const std::string& message) : Error(message) {}
};

/// A bad option, manifest or run identity: found before any work (exit code 2).
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(message, ExitCode::kUsage) {}
};

/// A scan or label map that cannot be used: one failed row, never the end of the batch (exit 3).
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(message, ExitCode::kScanFailed) {}
};

/// A model bundle that cannot be used (exit code 2).
class ModelError : public Error {
 public:
  explicit ModelError(const std::string& message) : Error(message, ExitCode::kUsage) {}
};

/// A calibration that cannot be used (exit code 2).
class CalibrationError : public Error {
 public:
  explicit CalibrationError(const std::string& message) : Error(message, ExitCode::kUsage) {}
};

/// The result folder is held by another run (exit code 4).
class FolderLockedError : public Error {
 public:
  explicit FolderLockedError(const std::string& message)
      : Error(message, ExitCode::kFolderLocked) {}
};

/// The user or the scheduler asked the run to stop (exit code 129, 130 or 143).
class InterruptedError : public Error {
 public:
  explicit InterruptedError(ExitCode exit_code) : Error("interrupted", exit_code) {}
};

/// Text of an exception and of the causes nested in it (std::throw_with_nested), joined by ": ".
std::string message_of(const std::exception& exception);

}  // namespace mcvol

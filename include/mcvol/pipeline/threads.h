#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// What decides on the number of threads; all of it may be absent.
struct ThreadLimits {
  std::optional<std::string> slurm_cpus_per_task;  ///< SLURM_CPUS_PER_TASK
  std::optional<std::string> omp_num_threads;      ///< OMP_NUM_THREADS; its first number counts
  int affinity_cpus = 1;                           ///< CPUs this process may run on
  std::optional<double> cgroup_cpus;               ///< the cgroup's quota, in CPUs
};

/// SLURM_CPUS_PER_TASK, else OMP_NUM_THREADS, else the smaller of affinity and quota (rounded
/// up); at least 1. A variable that is no positive number is passed over.
int thread_count(const ThreadLimits& limits);

/// A line about each variable that is set, looked at, and no positive number.
std::vector<std::string> passed_over_variables(const ThreadLimits& limits);

/// Content of a file, none where it cannot be read.
using TextReader = std::function<std::optional<std::string>(const std::string& path)>;

/// The CPU quota of this process's cgroup and the groups above it (the tightest), in CPUs: v2's
/// cpu.max or v1's cpu.cfs_quota_us / cpu.cfs_period_us. None without a limit.
std::optional<double> cgroup_cpu_quota(const TextReader& read);

/// What limits this process.
ThreadLimits process_thread_limits();

/// thread_count() of this process as it is.
int default_thread_count();

}  // namespace mcvol

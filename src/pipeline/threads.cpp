#include "mcvol/pipeline/threads.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include <sched.h>

namespace mcvol {

namespace {

/// The positive number `text` starts with ("4", "4,2", "4(x2)").
std::optional<int> leading_count(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  int count = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), count);
  if (parsed.ec != std::errc() || count < 1) return std::nullopt;
  return count;
}

/// quota / period, none where either is missing, "max" or -1.
std::optional<double> quota_from(const std::string& text) {
  std::istringstream stream(text);
  double quota = 0;
  double period = 0;
  if (!(stream >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// The tightest limit from group `path` ("/a/b") up to the root, each group's read by `limit_of`.
template <typename LimitOf>
std::optional<double> tightest(std::string path, const LimitOf& limit_of) {
  std::optional<double> result;
  if (path == "/") path.clear();
  while (true) {
    result = smaller(result, limit_of(path));
    if (path.empty()) return result;
    path.resize(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
  }
}

std::optional<double> quota_v2(const TextReader& read, const std::string& group) {
  return tightest(group, [&](const std::string& path) -> std::optional<double> {
    const auto text = read("/sys/fs/cgroup" + path + "/cpu.max");
    return text ? quota_from(*text) : std::nullopt;
  });
}

std::optional<double> quota_v1(const TextReader& read, const std::string& group) {
  return tightest(group, [&](const std::string& path) -> std::optional<double> {
    const std::string folder = "/sys/fs/cgroup/cpu" + path;
    const auto quota = read(folder + "/cpu.cfs_quota_us");
    const auto period = read(folder + "/cpu.cfs_period_us");
    return quota && period ? quota_from(*quota + " " + *period) : std::nullopt;
  });
}

bool has_controller(const std::string& controllers, const std::string& name) {
  return ("," + controllers + ",").find("," + name + ",") != std::string::npos;
}

}  // namespace

int thread_count(const ThreadLimits& limits) {
  if (const auto count = leading_count(limits.slurm_cpus_per_task)) return *count;
  if (const auto count = leading_count(limits.omp_num_threads)) return *count;
  int count = limits.affinity_cpus;
  if (limits.cgroup_cpus) {
    count = std::min(count, static_cast<int>(std::ceil(std::min(*limits.cgroup_cpus, 1e6))));
  }
  return std::max(count, 1);
}

std::vector<std::string> passed_over_variables(const ThreadLimits& limits) {
  std::vector<std::string> complaints;
  const auto is_count = [&](const char* name, const std::optional<std::string>& text) {
    if (text && !text->empty() && !leading_count(text)) {
      complaints.push_back(std::string(name) + ": expected a number of threads, found \"" + *text +
                           "\"; passed over");
    }
    return leading_count(text).has_value();
  };
  if (!is_count("SLURM_CPUS_PER_TASK", limits.slurm_cpus_per_task)) {
    is_count("OMP_NUM_THREADS", limits.omp_num_threads);
  }
  return complaints;
}

std::optional<double> cgroup_cpu_quota(const TextReader& read) {
  const auto groups = read("/proc/self/cgroup");
  if (!groups) return std::nullopt;
  std::optional<double> result;
  std::istringstream lines(*groups);
  for (std::string line; std::getline(lines, line);) {
    // hierarchy:controllers:path, where v2 has hierarchy 0 and no controllers
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      result = smaller(result, quota_v2(read, group));
    } else if (has_controller(controllers, "cpu")) {
      result = smaller(result, quota_v1(read, group));
    }
  }
  return result;
}

ThreadLimits process_thread_limits() {
  const auto variable = [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  ThreadLimits limits;
  limits.slurm_cpus_per_task = variable("SLURM_CPUS_PER_TASK");
  limits.omp_num_threads = variable("OMP_NUM_THREADS");
  limits.affinity_cpus = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t cpus;
  // Fails where the machine has more CPUs than the set; hardware_concurrency() then stands.
  if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0) limits.affinity_cpus = CPU_COUNT(&cpus);
  limits.cgroup_cpus = cgroup_cpu_quota([](const std::string& path) -> std::optional<std::string> {
    std::ifstream file(path);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
  });
  return limits;
}

int default_thread_count() { return thread_count(process_thread_limits()); }

}  // namespace mcvol

#include "mcvol/pipeline/threads.h"

#include <map>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Files = std::map<std::string, std::string>;

TextReader reader_of(const Files& files) {
  return [files](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    return found->second;
  };
}

TEST(ThreadCount, SlurmComesBeforeOpenMpBeforeTheMachine) {
  ThreadLimits limits;
  limits.affinity_cpus = 8;
  EXPECT_EQ(thread_count(limits), 8);
  limits.omp_num_threads = "6";
  EXPECT_EQ(thread_count(limits), 6);
  limits.slurm_cpus_per_task = "12";
  EXPECT_EQ(thread_count(limits), 12);
}

TEST(ThreadCount, FirstOfNestedOpenMpLevelsCounts) {
  ThreadLimits limits;
  limits.omp_num_threads = "4,2";
  EXPECT_EQ(thread_count(limits), 4);
}

TEST(ThreadCount, VariablesThatAreNoCountArePassedOver) {
  ThreadLimits limits;
  limits.affinity_cpus = 3;
  for (const char* text : {"", "0", "-2", "many"}) {
    limits.slurm_cpus_per_task = text;
    limits.omp_num_threads = text;
    EXPECT_EQ(thread_count(limits), 3) << text;
  }
}

TEST(ThreadCount, VariablesThatArePassedOverAreNamed) {
  ThreadLimits limits;
  EXPECT_TRUE(passed_over_variables(limits).empty());
  limits.slurm_cpus_per_task = "4(x2)";
  limits.omp_num_threads = "many";
  EXPECT_TRUE(passed_over_variables(limits).empty()) << "OpenMP's is not looked at";
  limits.slurm_cpus_per_task = "abc";
  limits.omp_num_threads = "";
  EXPECT_EQ(passed_over_variables(limits),
            (std::vector<std::string>{"SLURM_CPUS_PER_TASK: expected a number of threads, found "
                                      "\"abc\"; passed over"}));
}

TEST(ThreadCount, QuotaIsRoundedUpAndNeverBelowOne) {
  ThreadLimits limits;
  limits.affinity_cpus = 8;
  limits.cgroup_cpus = 2.5;
  EXPECT_EQ(thread_count(limits), 3);
  limits.cgroup_cpus = 0.1;
  EXPECT_EQ(thread_count(limits), 1);
  limits.cgroup_cpus = 64.0;
  EXPECT_EQ(thread_count(limits), 8);
  limits.affinity_cpus = 0;
  EXPECT_EQ(thread_count(limits), 1);
}

TEST(CgroupCpuQuota, TightestGroupAboveTheProcessCountsInV2) {
  const Files files{{"/proc/self/cgroup", "0::/system.slice/job_7/step_0\n"},
                    {"/sys/fs/cgroup/system.slice/job_7/step_0/cpu.max", "max 100000\n"},
                    {"/sys/fs/cgroup/system.slice/job_7/cpu.max", "350000 100000\n"},
                    {"/sys/fs/cgroup/system.slice/cpu.max", "800000 100000\n"}};
  EXPECT_EQ(cgroup_cpu_quota(reader_of(files)), 3.5);
}

TEST(CgroupCpuQuota, ContainerSeesItsLimitAtTheRoot) {
  const Files files{{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "200000 100000\n"}};
  EXPECT_EQ(cgroup_cpu_quota(reader_of(files)), 2.0);
}

TEST(CgroupCpuQuota, ReadsV1OfTheCpuController) {
  const Files files{
      {"/proc/self/cgroup", "5:cpuset:/elsewhere\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n"},
      {"/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us", "150000\n"},
      {"/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us", "100000\n"},
      {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
      {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}};
  EXPECT_EQ(cgroup_cpu_quota(reader_of(files)), 1.5);
}

TEST(CgroupCpuQuota, NoneWithoutALimitOrCgroups) {
  EXPECT_FALSE(cgroup_cpu_quota(reader_of({})).has_value());
  EXPECT_FALSE(cgroup_cpu_quota(reader_of({{"/proc/self/cgroup", "0::/a\n"}})).has_value());
  EXPECT_FALSE(cgroup_cpu_quota(reader_of({{"/proc/self/cgroup", "0::/a\n"},
                                           {"/sys/fs/cgroup/a/cpu.max", "max 100000\n"}}))
                   .has_value());
}

TEST(DefaultThreadCount, IsAtLeastOne) { EXPECT_GE(default_thread_count(), 1); }

}  // namespace
}  // namespace mcvol

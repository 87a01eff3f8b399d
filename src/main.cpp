#include "mcvol/cli/command_line.h"

#include <cstdlib>

#include <unistd.h>

namespace {

// Threads of LibTorch's OpenMP spin while they wait for each other. On a machine that others use as
// well, one that has lost its core then keeps all the rest spinning: measured, ten times the run
// time. libgomp reads its environment as it is loaded, before main, so the only way to say
// otherwise is to start again. Whoever sets the policy decides.
void wait_without_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  if (setenv("OMP_WAIT_POLICY", "passive", 0) != 0) return;
  execv("/proc/self/exe", argv);  // returns only where it cannot: then go on as we are
}

}  // namespace

int main(int argc, char** argv) {
  wait_without_spinning(argv);
  return mcvol::run_command_line(argc, argv);
}

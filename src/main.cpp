#include "mcvol/cli/command_line.h"

#include <cstdlib>
#include <initializer_list>

#include <fcntl.h>
#include <unistd.h>

namespace {

// With a standard stream closed, the next file opened would take its number, and data meant for
// stdout would end up in that file. Opened the wrong way round, so that using it fails.
void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1) continue;
    if (open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) != stream) return;
  }
}

// Threads of LibTorch's OpenMP spin while they wait for each other, for about a millisecond. On a
// machine that others use as well, one that has lost its core then keeps all the rest spinning:
// measured, ten times the run time. Spinning for some ten microseconds costs nothing there, and is
// a fifth faster than not at all where the cores are ours. libgomp reads its environment as it is
// loaded, before main, so the only way to say so is to start again. Whoever sets a policy decides.
void wait_with_little_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  if (setenv("GOMP_SPINCOUNT", "3000", 0) != 0) return;
  execv("/proc/self/exe", argv);  // returns only where it cannot: then go on as we are
}

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_streams();
  wait_with_little_spinning(argv);
  return mcvol::run_command_line(argc, argv);
}

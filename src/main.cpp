#include "mcvol/cli/command_line.h"

#include <csignal>
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

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_streams();
  // A reader of stdout that goes away is an error like any other, with a line and exit code 1.
  std::signal(SIGPIPE, SIG_IGN);
  return mcvol::run_command_line(argc, argv);
}

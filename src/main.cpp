#include "mcvol/cli/command_line.h"

int main(int argc, char** argv) { return mcvol::run_command_line(argc, argv); }

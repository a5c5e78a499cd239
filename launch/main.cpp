#include "launch/verb.h"

int main(int argc, char** argv) { return ty::run_command_line(argc, argv); }

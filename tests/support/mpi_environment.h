// Tests under mpirun: one world per process, and a failure on any rank fails all of them.
#pragma once

#include "parallel/comm/communicator.h"

namespace ty::test {

// The world of this process; its size is what the test was registered for.
const Group& mpi_world();

}  // namespace ty::test

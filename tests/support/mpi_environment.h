// Tests under mpirun: one world per process, and a failure on any rank fails all of them.
#pragma once

#include "parallel/comm/communicator.h"

namespace ty {
class MpiSession;
}

namespace ty::test {

// The world of this process; its size is what the test was registered for.
const Group& mpi_world();
const MpiSession& mpi_session();

}  // namespace ty::test

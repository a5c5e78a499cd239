// `launch --elastic`: a training run that outlives its processes.
//
//   ranks --> mpirun train ... --- a process is lost ---> fewer ranks --> mpirun train ... --+
//     ^                      `--- the host file says otherwise: saved --> other ranks       |
//     +-------------------------------------------------------------------------------------+
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/io/file.h"

namespace ty {

struct ElasticOptions {
  std::int64_t ranks = 1;      // to begin with; without a host file
  std::int64_t least = 1;      // fewer than that end the run
  std::int64_t restarts = 10;  // budget
  Path hosts = {};             // lines "NAME slots=N"; read again before every start
};

// The slots of all hosts of a file. Throws DataError that names file and line.
std::int64_t slots_in(const Path& hosts);

// The command line that runs a verb on so many ranks.
using MpiCommand =
    std::function<std::vector<std::string>(std::int64_t ranks, const std::vector<std::string>&)>;

// Runs `train` (its words, "train" first) until it is complete or has ended for a reason that
// another start would not mend; returns how. Throws UsageError for any other verb.
ExitCode run_elastic(const ElasticOptions& options, const std::vector<std::string>& words,
                     const MpiCommand& command);

}  // namespace ty

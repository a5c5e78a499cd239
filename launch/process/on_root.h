// Work that one rank does on behalf of all.
#pragma once

#include <functional>
#include <string>

#include "parallel/comm/communicator.h"

namespace ty {

// Runs `work` on rank 0 and returns its result on every rank; an Error that it throws is thrown on
// all of them. A collective call.
std::string on_root(const Group& world, const std::function<std::string()>& work);
// The same for work without a result.
void on_root_do(const Group& world, const std::function<void()>& work);

}  // namespace ty

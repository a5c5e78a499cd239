#include "launch/process/on_root.h"

#include "launch/process/failure.h"

namespace ty {

std::string on_root(const Group& world, const std::function<std::string()>& work) {
  std::string result;
  Failure failure;
  if (world.rank() == 0) {
    try {
      result = work();
    } catch (...) {
      failure = current_failure();
      result = failure.reason;
    }
  }
  const auto code =
      static_cast<ExitCode>(world.all_reduce(static_cast<double>(failure.code), ReduceOp::max));
  const std::string key = world.all_gather_text(failure.key)[0];
  result = world.all_gather_text(result)[0];
  if (code != ExitCode::ok) rethrow({code, key, result});
  return result;
}

void on_root_do(const Group& world, const std::function<void()>& work) {
  on_root(world, [&] {
    work();
    return std::string();
  });
}

}  // namespace ty

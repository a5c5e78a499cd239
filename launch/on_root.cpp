#include "launch/on_root.h"

#include "core/base/error.h"

namespace ty {

std::string on_root(const Group& world, const std::function<std::string()>& work) {
  std::string result;
  ExitCode code = ExitCode::ok;
  if (world.rank() == 0) {
    try {
      result = work();
    } catch (const Error& e) {
      result = e.what();
      code = e.code();
    }
  }
  code = static_cast<ExitCode>(world.all_reduce(static_cast<double>(code), ReduceOp::max));
  result = world.all_gather_text(result)[0];
  if (code != ExitCode::ok) throw Error(code, result);
  return result;
}

void on_root_do(const Group& world, const std::function<void()>& work) {
  on_root(world, [&] {
    work();
    return std::string();
  });
}

}  // namespace ty

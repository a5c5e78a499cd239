#include "launch/process/dead_children.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace ty {

namespace {

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code error;
  const std::filesystem::directory_iterator tasks(fmt::format("/proc/{}/task", parent), error);
  for (const auto& task : tasks) {  // each thread has children of its own
    std::ifstream list(task.path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

// The status that a process has left for its parent; nothing if it runs. See proc(5): state and
// exit_code are fields 3 and 52 of stat, the first two of which may hold spaces.
std::optional<int> status_of_zombie(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(name_end + 1));
  const std::vector<std::string> fields(std::istream_iterator<std::string>(rest), {});
  constexpr std::size_t kState = 0, kExitCode = 49;
  if (fields.size() <= kExitCode || fields[kState] != "Z") return std::nullopt;
  return std::stoi(fields[kExitCode]);
}

}  // namespace

std::optional<int> code_of_dead_children(pid_t parent) {
  const std::vector<pid_t> children = children_of(parent);
  if (children.empty()) return std::nullopt;
  int exited = 0, killed = 0;
  for (const pid_t child : children) {
    const std::optional<int> status = status_of_zombie(child);
    if (!status) return std::nullopt;
    if (exited == 0 && WIFEXITED(*status)) exited = WEXITSTATUS(*status);
    if (killed == 0 && WIFSIGNALED(*status)) killed = 128 + WTERMSIG(*status);
  }
  return exited != 0 ? exited : killed;
}

}  // namespace ty

#include "tests/fuzz/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace ty::test {

namespace {

constexpr unsigned kMostSeconds = 20;

std::string content(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

[[noreturn]] void become(const std::vector<std::string>& arguments, const std::string& directory) {
  if (chdir(directory.c_str()) != 0) _exit(126);
  dup2(open("/dev/null", O_RDONLY), 0);
  dup2(open("stdout.log", O_WRONLY | O_CREAT | O_TRUNC, 0644), 1);
  dup2(open("stderr.log", O_WRONLY | O_CREAT | O_TRUNC, 0644), 2);
  alarm(kMostSeconds);
  setenv("OMP_NUM_THREADS", "1", 1);
  setenv("GOMP_SPINCOUNT", "0", 1);
  std::vector<char*> argv;
  for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

}  // namespace

std::string Outcome::describe() const {
  if (signal != 0) return fmt::format("signal {} after {:.2f} s", signal, seconds);
  const std::string text = err.substr(0, err.find_last_not_of('\n') + 1);
  return fmt::format("exit code {}, {:.2f} s, {:.0f} MiB: {}", code, seconds, mebibytes,
                     text.substr(text.rfind('\n') + 1, 300));
}

Outcome run_program(const std::vector<std::string>& arguments, const std::string& directory) {
  const pid_t child = fork();
  if (child == 0) become(arguments, directory);
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  Outcome outcome;
  outcome.seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  outcome.mebibytes = static_cast<double>(usage.ru_maxrss) / 1024;
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.out = content(directory + "/stdout.log");
  outcome.err = content(directory + "/stderr.log");
  return outcome;
}

}  // namespace ty::test

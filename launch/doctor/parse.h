// Parses text from /proc and /sys. Takes text, not files, so that tests can stand for any machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ty {

// The value of the first line "KEY : VALUE" of /proc/cpuinfo or /proc/meminfo; empty if there is
// none.
std::string proc_value(std::string_view text, std::string_view key);
// True if `word` is one of the words of a list such as the CPU's flags.
bool has_word(std::string_view list, std::string_view word);
// "23511 kB" in bytes; 0 if it is not a number.
std::int64_t bytes_of_kilobytes(std::string_view value);
// The word in brackets of "always [madvise] never".
std::string chosen_word(std::string_view text);
// Shared libraries in /proc/self/maps, each once.
std::vector<std::string> shared_libraries(std::string_view maps);
// The CPU time that cpu.max "QUOTA PERIOD" allows, in cores; 0 for "max".
double cores_of_cpu_max(std::string_view text);
// The path of a controller in /proc/self/cgroup ("memory"; "" for version 2); empty if there is
// none.
std::string cgroup_path(std::string_view text, std::string_view controller);

}  // namespace ty

#include "parallel/pipeline/program_text.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/error.h"
#include "parallel/pipeline/validate.h"

namespace ty {

namespace {

constexpr int kMostParts = 1 << 12;  // chunks or micro-batches

// A number from 1 on, as an index; removed from the front of `text`.
std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || number < 1 || number > kMostParts) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number - 1;
}

std::optional<Action> parse_action(std::string_view word) {
  const std::size_t kind = std::string_view("FRB").find(word.front());
  if (kind == std::string_view::npos) return std::nullopt;
  word.remove_prefix(1);
  Action action = {static_cast<Action::Kind>(kind), 0, 0};
  std::optional<int> number = take_number(word);
  if (number && word.starts_with('.')) {
    action.chunk = *number;
    word.remove_prefix(1);
    number = take_number(word);
  }
  if (!number || !word.empty()) return std::nullopt;
  action.micro_batch = *number;
  return action;
}

std::vector<Action> parse_line(std::string_view line, const std::string& place) {
  constexpr std::string_view kSpaces = " \t\r";
  std::vector<Action> actions;
  for (std::size_t at = line.find_first_not_of(kSpaces); at != std::string_view::npos;
       at = line.find_first_not_of(kSpaces)) {
    line.remove_prefix(at);
    const std::string_view word = line.substr(0, line.find_first_of(kSpaces));
    const std::optional<Action> action = parse_action(word);
    if (!action) {
      throw ConfigError(
          "{}: \"{}\" is no action; want F, R or B with a micro-batch, as F3, or a "
          "chunk and a micro-batch, as F2.3",
          place, word);
    }
    actions.push_back(*action);
    line.remove_prefix(word.size());
  }
  return actions;
}

}  // namespace

std::string to_text(const Program& program) {
  std::string text;
  for (const std::vector<Action>& actions : program.stages) {
    for (std::size_t i = 0; i < actions.size(); ++i) {
      text += (i == 0 ? "" : " ") + to_string(actions[i], program.shape);
    }
    text += '\n';
  }
  return text;
}

Program parse_program(std::string_view text, const std::string& place) {
  Program program = {{.stages = 0}, {}};
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const auto actions = parse_line(line, fmt::format("{}:{}", place, number));
    if (actions.empty()) continue;
    for (const Action& action : actions) {
      program.shape.chunks = std::max(program.shape.chunks, action.chunk + 1);
      program.shape.micro_batches = std::max(program.shape.micro_batches, action.micro_batch + 1);
      if (action.kind == Action::Kind::recompute) program.shape.recompute = true;
    }
    program.stages.push_back(actions);
    ++program.shape.stages;
  }
  if (program.stages.empty()) throw ConfigError("{}: holds no actions", place);
  try {
    validate(program);
  } catch (const ConfigError& e) {
    throw ConfigError("{}: {}", place, e.what());
  }
  return program;
}

}  // namespace ty

#include "parallel/pipeline/draw.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace ty {

namespace {

bool is_whole(double x) { return std::abs(x - std::round(x)) < 1e-9; }

bool has_slots(const Timeline& timeline) {
  for (const auto& spans : timeline.stages) {
    for (const Span& span : spans) {
      if (!is_whole(span.begin) || !is_whole(span.end)) return false;
    }
  }
  return true;
}

std::size_t cell_width(const PipeShape& shape) {
  return to_string({Action::Kind::forward, shape.chunks - 1, shape.micro_batches - 1}, shape)
      .size();
}

// One cell per slot.
std::string slot_row(const Timeline& timeline, std::size_t stage) {
  const std::size_t width = cell_width(timeline.shape);
  std::vector<std::string> cells(static_cast<std::size_t>(std::llround(timeline.seconds())),
                                 std::string(width, '-'));
  for (const Span& span : timeline.stages[stage]) {
    std::string text = to_string(span.action, timeline.shape);
    for (auto t = std::llround(span.begin); t < std::llround(span.end); ++t) {
      cells[static_cast<std::size_t>(t)] = fmt::format("{:<{}}", text, width);
      text[0] = '.';
    }
  }
  std::string row;
  for (const std::string& cell : cells) row += " " + cell;
  return row.substr(0, row.find_last_not_of(' ') + 1);
}

// One letter per share of the time: what the stage does in the middle of it.
std::string scaled_row(const Timeline& timeline, std::size_t stage, int columns) {
  const double share = timeline.seconds() / columns;
  std::string row(static_cast<std::size_t>(columns), '-');
  for (const Span& span : timeline.stages[stage]) {
    const char letter = to_string(span.action, timeline.shape)[0];
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double middle = (static_cast<double>(i) + 0.5) * share;
      if (span.begin <= middle && middle < span.end) row[i] = letter;
    }
  }
  return " " + row;
}

const char* colour_of(Action::Kind kind) {
  switch (kind) {
    case Action::Kind::forward:
      return "#8db4e2";
    case Action::Kind::recompute:
      return "#f2d06b";
    case Action::Kind::backward:
      return "#7fbf7f";
  }
  return "#cccccc";
}

}  // namespace

std::string draw_text(const Timeline& timeline, int columns) {
  const double cells = timeline.seconds() * static_cast<double>(cell_width(timeline.shape) + 1);
  const bool slots = has_slots(timeline) && cells <= columns;
  std::string text;
  for (std::size_t s = timeline.stages.size(); s-- > 0;) {
    const std::string row = slots ? slot_row(timeline, s) : scaled_row(timeline, s, columns);
    text += fmt::format("S{}{}\n", s + 1, row);
  }
  return text;
}

std::string draw_svg(const Timeline& timeline) {
  constexpr double kWidth = 1200.0, kRow = 28.0, kLeft = 40.0;
  const double scale = (kWidth - kLeft) / std::max(timeline.seconds(), 1e-12);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n",
      kWidth, kRow * static_cast<double>(timeline.stages.size()) + 8);
  for (std::size_t s = 0; s < timeline.stages.size(); ++s) {
    const double top = 4 + kRow * static_cast<double>(timeline.stages.size() - 1 - s);
    svg += fmt::format("<text x=\"4\" y=\"{:.1f}\">S{}</text>\n", top + 17, s + 1);
    for (const Span& span : timeline.stages[s]) {
      const std::string name = to_string(span.action, timeline.shape);
      const double left = kLeft + span.begin * scale, width = (span.end - span.begin) * scale;
      svg += fmt::format(
          "<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{}\" fill=\"{}\" "
          "stroke=\"white\"><title>{} {:.6g} to {:.6g}</title></rect>\n",
          left, top, width, kRow - 4, colour_of(span.action.kind), name, span.begin, span.end);
      if (width < 7.0 * static_cast<double>(name.size())) continue;
      svg += fmt::format("<text x=\"{:.2f}\" y=\"{:.1f}\">{}</text>\n", left + 2, top + 16, name);
    }
  }
  return svg + "</svg>\n";
}

}  // namespace ty

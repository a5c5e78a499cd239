#include "launch/inspect/spectrum_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ty {

namespace {

constexpr double kSide = 400, kMargin = 40;  // of a panel, pixels
constexpr std::size_t kMostPoints = 200;     // of a curve
constexpr std::array kColours = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd",
                                 "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f"};

// "blocks.3.mlp.up" -> "mlp.up".
std::string purpose_of(const std::string& path) {
  const auto digit = path.find_last_of("0123456789");
  return digit == std::string::npos || digit + 2 > path.size() ? path : path.substr(digit + 2);
}

std::string line(double x1, double y1, double x2, double y2) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#999\"/>\n", x1, y1,
      x2, y2);
}

std::string label(double x, double y, const std::string& text, const char* anchor = "middle",
                  const char* colour = "black") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" fill=\"{}\">{}</text>\n",
                     x, y, anchor, colour, text);
}

// The axes of a panel whose left edge is at `left`.
std::string axes(double left, const std::string& across, const std::string& up) {
  const double bottom = kMargin + kSide;
  return line(left, bottom, left + kSide, bottom) + line(left, kMargin, left, bottom) +
         label(left + kSide / 2, bottom + 32, across) + label(left, kMargin - 10, up, "start");
}

std::string curve(const EnergyCurve& c, double left, const char* colour) {
  std::string points = fmt::format("{:.1f},{:.1f}", left, kMargin + kSide);
  const std::size_t count = c.shares.size(), step = std::max<std::size_t>(1, count / kMostPoints);
  for (std::size_t i = 0; i < count; i += step) {
    const double share = static_cast<double>(i + 1) / static_cast<double>(count);
    points +=
        fmt::format(" {:.1f},{:.1f}", left + kSide * share, kMargin + kSide * (1 - c.shares[i]));
  }
  return fmt::format(
      "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\"{}><title>{}{}</title></polyline>\n",
      points, colour, c.of_inputs ? " stroke-dasharray=\"4 3\"" : "", c.path,
      c.of_inputs ? ", inputs" : "");
}

std::string group_bars(const GroupTest& test, double left) {
  double most = test.loss;
  for (const SpectrumGroup& group : test.groups) most = std::max(most, group.loss);
  const auto height = [&](double loss) { return most > 0 ? kSide * loss / most : 0; };
  const double width = kSide / static_cast<double>(test.groups.size());
  std::string svg = axes(left, "group taken away, largest values first", "loss");
  for (std::size_t g = 0; g < test.groups.size(); ++g) {
    const double h = height(test.groups[g].loss), x = left + width * static_cast<double>(g);
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "fill=\"{}\"><title>loss "
        "{:.4f}, {:.1f} % of the energy</title></rect>\n",
        x + 2, kMargin + kSide - h, width - 4, h, kColours[0], test.groups[g].loss,
        100 * test.groups[g].energy);
    svg += label(x + width / 2, kMargin + kSide + 14, std::to_string(g + 1));
  }
  const double whole = kMargin + kSide - height(test.loss);
  return svg + line(left, whole, left + kSide, whole) +
         label(left + kSide, whole - 4, fmt::format("whole model {:.4f}", test.loss), "end");
}

}  // namespace

EnergyCurve energy_curve(const std::string& path, const std::vector<double>& energies) {
  double all = 0, sum = 0;
  for (const double energy : energies) all += energy;
  EnergyCurve result = {.path = path, .shares = {}};
  for (const double energy : energies) {
    sum += energy;
    result.shares.push_back(all > 0 ? sum / all : 0);
  }
  return result;
}

std::string spectrum_svg(const std::vector<EnergyCurve>& curves, const GroupTest& test) {
  const bool has_test = !test.groups.empty();
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n",
      (has_test ? 2 : 1) * (kSide + 2 * kMargin), kSide + 2 * kMargin);
  svg += axes(kMargin, "share of ranks", "share of energy");
  std::vector<std::string> purposes;
  for (const EnergyCurve& c : curves) {
    const std::string purpose = purpose_of(c.path);
    auto found = std::find(purposes.begin(), purposes.end(), purpose);
    if (found == purposes.end()) found = purposes.insert(purposes.end(), purpose);
    const auto i = static_cast<std::size_t>(found - purposes.begin());
    svg += curve(c, kMargin, kColours[i % kColours.size()]);
  }
  for (std::size_t i = 0; i < purposes.size(); ++i) {
    svg += label(kMargin + kSide - 4, kMargin + kSide - 8 - 16 * static_cast<double>(i),
                 purposes[i], "end", kColours[i % kColours.size()]);
  }
  if (has_test) svg += group_bars(test, kSide + 3 * kMargin);
  return svg + "</svg>\n";
}

}  // namespace ty

// The axes along which the ranks of a job are arranged, and sets of axes.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace ty {

enum class Axis : std::uint8_t { pipeline, data, tensor };

class AxisSet {
 public:
  constexpr AxisSet() = default;
  constexpr AxisSet(std::initializer_list<Axis> axes) {
    for (const Axis axis : axes) bits_ |= bit(axis);
  }
  constexpr AxisSet with(Axis axis) const {
    AxisSet both = *this;
    both.bits_ |= bit(axis);
    return both;
  }
  constexpr bool has(Axis axis) const { return (bits_ & bit(axis)) != 0; }
  friend bool operator==(const AxisSet&, const AxisSet&) = default;

 private:
  static constexpr unsigned bit(Axis axis) { return 1u << static_cast<unsigned>(axis); }
  unsigned bits_ = 0;
};

}  // namespace ty

// A sum of doubles that does not depend on the order in which they are added, nor on who adds which
// of them: it is kept exactly, as one long fixed-point number (Kulisch, Computer Arithmetic and
// Validity, 2008), and rounded where it is read.
//
//   digit       67            ...        1        0      of 32 bits each; digit 0 counts units of
//           [........] [........] ... [........] [........]      2^-1074, the smallest double
#pragma once

#include <array>
#include <span>

namespace ty {

class ExactSum {
 public:
  // `term` is not negative, or not finite: then so is the sum.
  void add(double term);
  // The sum as numbers that add up: ranks that sum theirs digit by digit hold the digits of the sum
  // of all. For as many as 2^20 ranks, which a double holds exactly.
  std::span<double> digits();
  double value();

 private:
  static constexpr int kDigits = 68;  // and one that counts what is not finite
  static constexpr int kBits = 32;

  void carry();

  std::array<double, kDigits + 1> digits_ = {};
  int since_carry_ = 0;
};

}  // namespace ty

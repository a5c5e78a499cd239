// Methods that decompose a trained weight into factors.
//
// A method is a few functions in its own file and one entry of methods(). It maps a matrix on the
// host, in double, and what data says about it to the exact spec of the replacing layer and the
// parameters of that layer by name. It knows neither models nor files. README.md lists them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/linalg/matrix.h"
#include "models/compress/allocation.h"
#include "models/linear/base/spec.h"
#include "models/statistics/statistics.h"

namespace ty {

// Limits the size of the factors.
struct RankBudget {
  std::int64_t rank;  // of every bond, clipped to what the matrix can use
};
struct ShareBudget {
  double share;  // largest number of weights, as a fraction of the dense layer's
};
struct ErrorBudget {
  double eps;  // |W - W~| <= eps |W| in the method's norm, with the lowest ranks that achieve it
};
using Budget = std::variant<RankBudget, ShareBudget, ErrorBudget>;

// Which of the sums of a Fisher matrix, or of importances, weigh errors: those of its rows, of its
// columns, or both.
enum class WeightAxis : std::uint8_t { in, out, both };

// Alternating least squares.
struct AlsOptions {
  int sweeps = 20;          // at most
  double ridge = 1e-6;      // lambda, as a multiple of the mean weight
  double tolerance = 1e-5;  // of the objective's relative change in a sweep, below which it ends
};

// Gradient descent by Adam, with a rate that falls to 0 along a half cosine.
struct DescentOptions {
  int steps = 300;
  double rate = 0.1;    // of the first step, as a multiple of a factor's root mean square
  double ridge = 1e-6;  // as of AlsOptions
};

struct DecompositionRequest {
  Budget budget;
  std::vector<std::int64_t> in = {}, out = {};  // modes of a tensor train; empty: chosen
  std::int64_t cores = 3;                       // at most so many, where modes are chosen
  WeightAxis axis = WeightAxis::in;
  double floor = 1e-3;     // added to importances, as a multiple of their mean
  double exponent = 0.5;   // of mean |x| (asvd)
  std::int64_t steps = 0;  // of the training that follows (first_order)
  AlsOptions als = {};
  DescentOptions descent = {};
};

struct Decomposition {
  LinearSpec spec;                                     // exact
  std::map<std::string, std::vector<double>> factors;  // by the parameter's name, row-major
  double error = 0;                                    // |W - W~|, Frobenius
};

struct Method {
  std::string_view name;  // as in --method
  std::string_view kind;  // of the layer that it makes
  std::string_view help;  // what it minimises
  StatisticKinds needs = {};
  bool takes_modes = false;  // uses in and out of a request
  bool takes_cores = false;  // uses cores
  bool fits_tables = false;  // may replace a token table: makes a kind that it can be
  bool takes_steps = false;  // uses steps
  bool of_pruned = false;    // cuts pruned layers, whose scores are among the statistics
  // Throws ConfigError that says what is possible for a request that no matrix [in, out] can meet.
  void (*check)(const LinearShape& size, const DecompositionRequest& request);
  // Decomposes w [in, out]; the statistics hold what the method needs. Throws as check does, and
  // NonFiniteError for entries that are not finite.
  Decomposition (*decompose)(const Matrix& w, const DecompositionRequest& request,
                             const LayerStatistics& statistics);
  // What each further rank would gain; null if a layer has more ranks than one.
  RankSpectrum (*spectrum)(const Matrix& w, const DecompositionRequest& request,
                           const LayerStatistics& statistics) = nullptr;
  // Lowers the ranks of factors of its kind for a layer [in, out], without forming the product;
  // `error` is the change. Throws as check does. Null if the method cannot.
  Decomposition (*reduce)(const Decomposition& factors, const LinearShape& size,
                          const DecompositionRequest& request) = nullptr;

  bool needs_statistics() const { return needs.any(); }
  // Whether its norm is another one than Frobenius's.
  bool is_weighted() const { return needs_statistics() || of_pruned; }
};

std::span<const Method> methods();

// The number of weights (rounded down) that a share of a dense layer amounts to. Throws ConfigError
// with the smallest possible share if that is below `least`, the fewest that the method needs.
std::int64_t check_share(const LinearShape& size, double share, std::int64_t least);

}  // namespace ty

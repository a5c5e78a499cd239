// Methods that decompose a trained weight into factors.
//
// A method is two functions in their own file and one entry of methods(). It maps a matrix on the
// host, in double, to the exact spec of the replacing layer and the parameters of that layer by
// name. It knows neither models nor files.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/linalg/matrix.h"
#include "models/linear/base/spec.h"

namespace ty {

// Limits the size of the factors.
struct RankBudget {
  std::int64_t rank;  // of every bond, clipped to what the matrix can use
};
struct ShareBudget {
  double share;  // largest number of weights, as a fraction of the dense layer's
};
struct ErrorBudget {
  double eps;  // |W - W~| <= eps |W|, with the lowest ranks that achieve it
};
using Budget = std::variant<RankBudget, ShareBudget, ErrorBudget>;

struct DecompositionRequest {
  Budget budget;
  std::vector<std::int64_t> in = {}, out = {};  // modes of a tensor train; empty: chosen
  std::int64_t cores = 3;                       // at most so many, where modes are chosen
};

struct Decomposition {
  LinearSpec spec;                                     // exact
  std::map<std::string, std::vector<double>> factors;  // by the parameter's name, row-major
  double error = 0;                                    // |W - W~|, Frobenius
};

struct Method {
  std::string_view name;  // as in --method, and the kind of layer that it makes
  bool takes_modes;       // uses in, out and cores of a request
  bool fits_tables;       // may replace a token table, which is read row by row
  // Throws ConfigError that says what is possible for a request that no matrix [in, out] can meet.
  void (*check)(const LinearShape& size, const DecompositionRequest& request);
  // Decomposes w [in, out]. Throws as check does, and NonFiniteError for entries that are not
  // finite.
  Decomposition (*decompose)(const Matrix& w, const DecompositionRequest& request);
};

std::span<const Method> methods();

// The functions of each method.
void check_svd(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_svd(const Matrix& w, const DecompositionRequest& request);
void check_ttm(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_ttm(const Matrix& w, const DecompositionRequest& request);

// The number of weights (rounded down) that a share of a dense layer amounts to. Throws ConfigError
// with the smallest possible share if that is below `least`, the fewest that the method needs.
std::int64_t check_share(const LinearShape& size, double share, std::int64_t least);

}  // namespace ty

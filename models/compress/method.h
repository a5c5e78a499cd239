// Ways to cut a trained weight into factors.
//
// A method is two functions in a file of its own and one entry of methods(): from a matrix on the
// host, in double, to the exact spec of the layer that takes its place and that layer's parameters
// by name. It knows neither models nor files.
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

// How large the factors become.
struct RankBudget {
  std::int64_t rank;  // of every bond, cut to what the matrix can use
};
struct ShareBudget {
  double share;  // at most so many weights, as a share of the dense layer's
};
struct ErrorBudget {
  double eps;  // |W - W~| <= eps |W|, with the lowest ranks that keep to it
};
using Budget = std::variant<RankBudget, ShareBudget, ErrorBudget>;

struct DecompositionRequest {
  Budget budget;
  std::vector<std::int64_t> in = {}, out = {};  // modes of a tensor train; none: chosen
  std::int64_t cores = 3;                       // at most so many, where modes are chosen
};

struct Decomposition {
  LinearSpec spec;                                     // exact
  std::map<std::string, std::vector<double>> factors;  // by the parameter's name, row-major
  double error = 0;                                    // |W - W~|, Frobenius
};

struct Method {
  std::string_view name;  // as in --method, and the kind of layer that it makes
  bool takes_modes;       // in, out and cores of a request mean something
  bool fits_tables;       // may stand for a token table, which is read row by row
  // Throws ConfigError, with what would be right, for a request that no matrix [in, out] can meet.
  void (*check)(const LinearShape& size, const DecompositionRequest& request);
  // w [in, out]. Throws as check does, and NonFiniteError for such entries.
  Decomposition (*decompose)(const Matrix& w, const DecompositionRequest& request);
};

std::span<const Method> methods();

// The functions of each method.
void check_svd(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_svd(const Matrix& w, const DecompositionRequest& request);
void check_ttm(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_ttm(const Matrix& w, const DecompositionRequest& request);

// The whole weights in a share of a dense layer, of which a method needs at least `least`. Throws
// ConfigError, with the least share, if there are fewer.
std::int64_t check_share(const LinearShape& size, double share, std::int64_t least);

}  // namespace ty

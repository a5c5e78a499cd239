#include "core/metrics/perplexity.h"

#include <cmath>

#include "core/base/error.h"

namespace ty {

double perplexity(double total_nll, std::int64_t count) {
  TY_CHECK(count > 0, "perplexity over {} tokens or words; want at least one", count);
  return std::exp(total_nll / static_cast<double>(count));
}

}  // namespace ty

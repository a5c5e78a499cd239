// Runs one kernel call on the reference and on the backend that a test program is for, and holds
// their outputs together: close to each other, and the same bits for any number of workers.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/unit/backend/arrays.h"

namespace ty::test {

// How many workers share a kernel: threads of the CPU, blocks of a GPU.
enum class Workers { few, many };
// What is tested; each test program defines its own (tested_cpu.cpp, tested_cuda.cpp).
std::unique_ptr<Backend> tested_backend(Workers workers = Workers::few);

// Half a unit in the last place of the dtype and some rounding on the way.
inline double tolerance(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return 0x1p-8;
    case DType::f16:
      return 0x1p-11 * 1.5;
    case DType::f64:
      return 1e-13;
    default:
      return 2e-6;
  }
}

inline void expect_close(const Array& got, const Array& want, double magnitude) {
  const std::vector<double> g = got.values(), w = want.values();
  ASSERT_EQ(g.size(), w.size());
  const double relative = tolerance(want.view().dtype);
  for (std::size_t i = 0; i < w.size(); ++i) {
    if (std::isnan(w[i]) && std::isnan(g[i])) continue;
    if (g[i] == w[i]) continue;
    ASSERT_NEAR(g[i], w[i], relative * (std::abs(w[i]) + magnitude))
        << "element " << i << " of " << want.view().shape.str() << " "
        << name_of(want.view().dtype);
  }
}

inline void expect_same_bits(const Array& got, const Array& want) {
  const std::vector<double> g = got.values(), w = want.values();
  std::size_t differ = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    differ += std::bit_cast<std::uint64_t>(g[i]) != std::bit_cast<std::uint64_t>(w[i]);
  }
  EXPECT_EQ(differ, 0u) << "of " << w.size() << " elements change with the number of workers";
}

using Outputs = std::vector<Array>;
// OpenBLAS cuts large products by the number of threads, and its kernels round differently at cuts.
enum class MoreWorkers { change_nothing, may_round };
using Call = std::function<Outputs(Backend&)>;

// `call` makes fresh outputs, runs the kernel and returns them. Errors may be tolerance(dtype)
// times the value plus `magnitude`, the size of the terms that are added up to make it.
inline void expect_like_reference(const Call& call, double magnitude = 1.0,
                                  MoreWorkers more = MoreWorkers::change_nothing) {
  const auto reference = make_reference_backend();
  const Outputs want = call(*reference);
  const auto on = [&](Workers workers) {
    const auto backend = tested_backend(workers);
    Outputs outputs = call(*backend);
    backend->synchronize();
    return outputs;
  };
  const Outputs few = on(Workers::few), many = on(Workers::many);
  for (std::size_t i = 0; i < want.size(); ++i) {
    expect_close(few[i], want[i], magnitude);
    if (more == MoreWorkers::may_round) {
      expect_close(many[i], want[i], magnitude);
    } else {
      expect_same_bits(many[i], few[i]);
    }
  }
}

// Expects ShapeError: at the call, or when a device is next waited for.
inline void expect_refused(Backend& backend, const std::function<void()>& call) {
  EXPECT_THROW(
      {
        call();
        backend.synchronize();
      },
      ShapeError);
}

// Tests that run for every float type.
class Kernels : public ::testing::TestWithParam<DType> {
 protected:
  DType dtype() const { return GetParam(); }
  Array random(const Shape& shape, std::uint64_t seed, double low = -1, double high = 1) const {
    return Array::random(dtype(), shape, seed, low, high);
  }
};

inline std::string dtype_name(const ::testing::TestParamInfo<DType>& info) {
  return std::string(name_of(info.param));
}

#define TY_FOR_ALL_FLOATS(Suite) \
  INSTANTIATE_TEST_SUITE_P(      \
      All, Suite, ::testing::Values(DType::f32, DType::f64, DType::bf16, DType::f16), dtype_name)

}  // namespace ty::test

// Small tensors for tests: fixed random values, the same on every run.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/tensor/tensor.h"

namespace ty::test {

// Standard normal values, fp64 unless told; `name` picks the stream.
inline Tensor random_tensor(Backend& backend, const Shape& shape, std::string_view name,
                            DType dtype = DType::f64) {
  const RandomStream stream(42, site_id(name));
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = normal(stream, 0, i);
  const Tensor x = Tensor::from<double>(backend, shape, values);
  return dtype == DType::f64 ? x : x.to(dtype);
}

// int32 values in [0, limit).
inline Tensor random_ids(Backend& backend, const Shape& shape, std::int32_t limit,
                         std::string_view name = "ids") {
  const RandomStream stream(42, site_id(name));
  std::vector<std::int32_t> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::int32_t>(stream.word(0, i) % static_cast<std::uint32_t>(limit));
  }
  return Tensor::from<std::int32_t>(backend, shape, values);
}

// All values as double.
inline std::vector<double> doubles(const Tensor& x) { return x.to(DType::f64).values<double>(); }

}  // namespace ty::test

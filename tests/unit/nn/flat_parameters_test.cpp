// Parameters that are sliced, frozen or not trained at all, and their flat memory.
#include "core/nn/flat_parameters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/autograd/graph.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

class Flat : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_cpu_backend();

  // The initial values of a parameter declared like this.
  std::vector<double> drawn(Shape shape, const Init& init, Placement placement = {}) {
    ParameterStore store;
    store.declare("before", {5}, Init::constant(3.0));
    store.declare("w", shape, init, placement);
    FlatParameters flat(store, plan_flat_layout(store, 1, 1), *backend_, {});
    backend_->fill(flat.weight_of(1).view(), NAN);
    flat.initialise(11);
    return doubles(flat.weight_of(1));
  }
};

// Elements [first, first + part[dim]) along one dimension of a row-major array.
std::vector<double> part_of(const std::vector<double>& whole, Shape shape, int dim,
                            std::int64_t first, std::int64_t count) {
  const auto backend = make_reference_backend();
  const Tensor all = Tensor::from<double>(*backend, shape, whole);
  return all.alias(all.view().slice(dim, first, count)).contiguous().values<double>();
}

TEST_F(Flat, ASliceDrawsWhatTheWholeWould) {
  const Shape whole = {4, 6, 5};
  const auto compute = [](std::uint64_t seed) {
    std::vector<double> values(120);
    std::iota(values.begin(), values.end(), static_cast<double>(seed));
    return values;
  };
  for (const Init& init : {Init::normal(0.5), Init::constant(2.0), Init::computed(compute)}) {
    const std::vector<double> all = drawn(whole, init);
    for (int dim = 0; dim < 3; ++dim) {
      for (std::int64_t first = 0; first < whole[dim]; ++first) {
        for (std::int64_t count = 1; first + count <= whole[dim]; ++count) {
          Shape part = whole;
          part[dim] = count;
          const Placement placement = {.slice = {dim, first, whole[dim]}};
          ASSERT_EQ(drawn(part, init, placement), part_of(all, whole, dim, first, count))
              << "dimension " << dim << ", [" << first << ", +" << count << ")";
        }
      }
    }
  }
}

TEST_F(Flat, WhatASliceHoldsBeyondTheWholeIsZero) {
  const Shape whole = {4, 6, 5};
  const auto compute = [](std::uint64_t) { return std::vector<double>(120, 7.0); };
  for (const Init& init : {Init::normal(0.5), Init::constant(2.0), Init::computed(compute)}) {
    const std::vector<double> all = drawn(whole, init);
    for (int dim = 0; dim < 3; ++dim) {
      for (const std::int64_t first :
           {std::int64_t{1}, whole[dim] - 1, whole[dim], whole[dim] + 3}) {
        Shape part = whole;  // so long that it runs past the whole
        const std::int64_t inside = std::max<std::int64_t>(whole[dim] - first, 0);
        const Tensor wanted = Tensor::full(*backend_, part, DType::f64, 0.0);
        part[dim] = inside;
        if (inside > 0) {
          backend_->copy(
              wanted.view().slice(dim, 0, inside),
              Tensor::from<double>(*backend_, part, part_of(all, whole, dim, first, inside))
                  .view());
        }
        const Placement placement = {.slice = {dim, first, whole[dim]}};
        ASSERT_EQ(drawn(whole, init, placement), doubles(wanted))
            << "dimension " << dim << " from " << first;
      }
    }
  }
}

TEST_F(Flat, ABucketHoldsOneKindOfPartialSums) {
  ParameterStore store;
  const Placement both = {.partial = {Axis::data, Axis::tensor}};
  for (int i = 0; i < 6; ++i) {
    store.declare("p" + std::to_string(i), {10}, Init::constant(0),
                  i % 2 == 0 ? both : Placement{});
  }
  const FlatLayout layout = plan_flat_layout(store, 30, 2);
  ASSERT_EQ(layout.bucket_of, (std::vector<int>{0, 2, 0, 2, 1, 3}));
  std::int64_t end = 0;
  for (std::size_t b = 0; b < layout.buckets.size(); ++b) {
    EXPECT_EQ(layout.buckets[b].partial, b < 2 ? both.partial : AxisSet{Axis::data});
    EXPECT_EQ(layout.buckets[b].range.first, end);
    EXPECT_EQ(layout.buckets[b].range.count % 32, 0);
    end += layout.buckets[b].range.count;
  }
  EXPECT_EQ(layout.trained, end);
}

TEST_F(Flat, FrozenParametersHaveNoGradientAndNoMasterWeight) {
  ParameterStore store;
  store.declare("frozen", {1000}, Init::normal(1.0)).trainable = false;
  store.declare("trained", {100}, Init::normal(1.0));
  const FlatLayout layout = plan_flat_layout(store, 1, 1);
  EXPECT_EQ(layout.bucket_of, (std::vector<int>{-1, 0}));
  FlatParameters flat(store, layout, *backend_, {.compute = DType::bf16, .weights = DType::f32});
  flat.initialise(1);
  const MemoryStats& memory = backend_->memory().stats();
  EXPECT_LT(memory.of(MemoryClass::gradient), 4 * 200);
  EXPECT_LT(memory.of(MemoryClass::optimizer), 4 * 200);
  EXPECT_FALSE(store.find("frozen")->value.requires_grad());
  EXPECT_TRUE(store.find("trained")->value.requires_grad());
  EXPECT_EQ(flat.weight_of(0).dtype(), DType::bf16);
  EXPECT_EQ(flat.weight_of(1).dtype(), DType::f32);
  EXPECT_NE(doubles(flat.weight_of(0))[0], 0.0);
  flat.clear_gradients();
  flat.fill_missing_gradients();
  EXPECT_EQ(pieces_in(layout, layout.bucket_ranges()).size(), 1u);
  EXPECT_EQ(flat.first_non_finite_weight(), "");
  backend_->fill(store.find("frozen")->value.view(), NAN);
  EXPECT_EQ(flat.first_non_finite_weight(), "frozen");
}

// One weight, but what flows back from the second reader is a gradient of its own until it is
// joined.
TEST_F(Flat, ASecondReaderHasAGradientOfItsOwn) {
  ParameterStore store;
  store.declare("table", {3, 5}, Init::normal(1.0)).has_second_reader = true;
  store.declare("other", {100}, Init::normal(1.0));
  FlatParameters flat(store, plan_flat_layout(store, 1, 1), *backend_, {});
  flat.initialise(1);
  const Parameter& table = *store.find("table");
  EXPECT_EQ(doubles(table.second_value), doubles(table.value));
  EXPECT_EQ(store.find("other")->second_value.edge(), store.find("other")->value.edge());
  flat.clear_gradients();
  const auto send = [&](const Tensor& reader, double gradient) {
    Leaf& leaf = leaf_of(reader);
    leaf.add(Gradient(Tensor::full(*backend_, {3, 5}, DType::f32, gradient)), *backend_, {});
  };
  send(table.value, 2.0);
  send(table.second_value, 3.0);
  EXPECT_EQ(doubles(grad_of(table.value)), std::vector<double>(15, 2.0));
  EXPECT_EQ(doubles(grad_of(table.second_value)), std::vector<double>(15, 3.0));
  flat.join_second_gradients();
  EXPECT_EQ(doubles(grad_of(table.value)), std::vector<double>(15, 5.0));
  flat.clear_gradients();
  flat.fill_missing_gradients();
  EXPECT_EQ(doubles(grad_of(table.second_value)), std::vector<double>(15, 0.0));
}

TEST_F(Flat, AModelThatIsOnlyRunHasWeightsAndNothingElse) {
  ParameterStore store;
  store.declare("w", {1000}, Init::normal(1.0));
  FlatParameters flat(store, plan_flat_layout(store, 1, 1), *backend_,
                      {.compute = DType::bf16, .weights = DType::f32, .gradients = false});
  flat.initialise(1);
  EXPECT_LE(backend_->memory().stats().total_live, 2 * 1024);
  EXPECT_FALSE(store.find("w")->value.requires_grad());
  EXPECT_EQ(flat.weight_of(0).dtype(), DType::bf16);
}

}  // namespace
}  // namespace ty::test

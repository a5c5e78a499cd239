// What every communicator must do, as functions of a world; run on self, threads and MPI.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "parallel/comm/tree.h"
#include "parallel/mesh/mesh.h"

namespace ty::test {

inline View flat(std::vector<double>& x) {
  return contiguous_view(x.data(), DType::f64, {static_cast<std::int64_t>(x.size())});
}

template <typename T>
void reduces(const Group& world, std::int64_t n) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = T(static_cast<float>((i + 1) * (world.rank() + 1) % 7));
  const auto view = [&](std::vector<T>& v) {
    return contiguous_view(v.data(), DTypeOf<T>::value, {static_cast<std::int64_t>(v.size())});
  };
  const auto expected = [&](std::size_t i, ReduceOp op) {
    float value = 0;
    for (int r = 0; r < world.size(); ++r) {
      const auto term = static_cast<float>((i + 1) * (r + 1) % 7);
      value = r == 0                ? term
              : op == ReduceOp::sum ? value + term
              : op == ReduceOp::max ? std::max(value, term)
                                    : std::min(value, term);
    }
    return value;
  };
  for (ReduceOp op : {ReduceOp::sum, ReduceOp::max, ReduceOp::min}) {
    std::vector<T> y = x;
    world.all_reduce(view(y), op).wait();
    for (std::size_t i = 0; i < y.size(); ++i)
      ASSERT_EQ(static_cast<float>(y[i]), expected(i, op)) << i;
  }
  std::vector<T> all;
  for (int r = 0; r < world.size(); ++r) all.insert(all.end(), x.begin(), x.end());
  std::vector<T> own(x.size());
  world.reduce_scatter(view(own), view(all), ReduceOp::sum).wait();
  for (std::size_t i = 0; i < own.size(); ++i)
    ASSERT_EQ(static_cast<float>(own[i]), expected(i, ReduceOp::sum));
  // Gather from inside the target, as sharded weights do.
  std::fill(all.begin(), all.end(), T(-1.0f));
  const View target = view(all);
  const View inside = target.slice(0, n * world.rank(), n);
  std::copy(x.begin(), x.end(), inside.template as<T>());
  world.all_gather(target, inside).wait();
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(static_cast<float>(all[i]),
              static_cast<float>((i % x.size() + 1) * (i / x.size() + 1) % 7));
  }
}

inline void check_collectives(const Group& world) {
  for (std::int64_t n : {0, 1, 3, 1000}) {
    reduces<float>(world, n);
    reduces<double>(world, n);
    reduces<bf16>(world, n);
    reduces<f16>(world, n);
  }
  reduces<float>(world, 300'001);  // beyond the eager limit
  std::vector<double> x = {world.rank() == world.size() - 1 ? 42.0 : 0.0};
  world.broadcast(flat(x), world.size() - 1).wait();
  EXPECT_EQ(x[0], 42.0);
  world.barrier();
  const auto texts =
      world.all_gather_text(std::string(static_cast<std::size_t>(world.rank()) * 3, 'a') + "z");
  ASSERT_EQ(static_cast<int>(texts.size()), world.size());
  for (int r = 0; r < world.size(); ++r)
    EXPECT_EQ(texts[static_cast<std::size_t>(r)],
              std::string(static_cast<std::size_t>(r) * 3, 'a') + "z");
  EXPECT_EQ(world.all_reduce(world.rank() + 1.0, ReduceOp::sum),
            world.size() * (world.size() + 1) / 2.0);
}

// Several reductions under way at once, finished in another order.
inline void check_overlap(const Group& world) {
  std::vector<std::vector<double>> data(4, std::vector<double>(5000, world.rank() + 1.0));
  std::vector<Work> works;
  for (auto& x : data) works.push_back(world.all_reduce(flat(x), ReduceOp::sum));
  for (std::size_t i = works.size(); i-- > 0;) {
    works[i].test();
    works[i].wait();
  }
  for (const auto& x : data) EXPECT_EQ(x[4999], world.size() * (world.size() + 1) / 2.0);
}

inline void check_messages_are_fifo(const Group& world) {
  if (world.size() == 1) return;
  const int next = (world.rank() + 1) % world.size();
  const int previous = (world.rank() + world.size() - 1) % world.size();
  std::vector<std::vector<double>> out, in(3, std::vector<double>(1));
  std::vector<Work> works;
  for (int i = 0; i < 3; ++i) out.push_back({world.rank() * 10.0 + i});
  for (auto& x : out) works.push_back(world.send(flat(x), next, 5));
  for (auto& x : in) works.push_back(world.receive(flat(x), previous, 5));
  for (Work& work : works) work.wait();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(in[static_cast<std::size_t>(i)][0], previous * 10.0 + i);
}

inline void check_split(const Group& world) {
  const Group half = world.split(world.rank() % 2, -world.rank());  // order reversed by the key
  const int members = (world.size() + 1 - world.rank() % 2) / 2;
  EXPECT_EQ(half.size(), members);
  EXPECT_EQ(half.rank(), members - 1 - world.rank() / 2);
  double expected = 0;
  for (int r = world.rank() % 2; r < world.size(); r += 2) expected += r;
  EXPECT_EQ(half.all_reduce(world.rank(), ReduceOp::sum), expected);
}

// The same bits as one rank that adds all leaves in the tree's order.
inline void check_tree(const Group& world) {
  if ((world.size() & (world.size() - 1)) != 0) {
    EXPECT_THROW(tree_all_reduce(world, 1.0), ConfigError);
    return;
  }
  const std::int64_t leaves = 12;
  const auto leaf = [](std::int64_t i) {
    return std::sqrt(static_cast<double>(i) + 2.0) * std::pow(10.0, static_cast<double>(i % 5));
  };
  const auto sum = [&](std::int64_t first, std::int64_t count) {
    std::vector<double> stack;
    for (std::int64_t i = 0; i < count; ++i) {
      double newest = leaf(first + i);
      for (auto merges = tree_merges_after(i, count); merges > 0; --merges) {
        newest = stack.back() + newest;
        stack.pop_back();
      }
      stack.push_back(newest);
    }
    EXPECT_EQ(stack.size(), 1u);
    return stack[0];
  };
  const std::int64_t own = leaves / world.size();
  const double mine = sum(own * world.rank(), own);
  EXPECT_EQ(tree_all_reduce(world, mine), sum(0, leaves));
  const auto backend = make_reference_backend();
  std::vector<double> x = {mine, -mine};
  tree_all_reduce(world, *backend, flat(x));
  EXPECT_EQ(x, (std::vector<double>{sum(0, leaves), -sum(0, leaves)}));
}

inline void check_mesh(const Group& world) {
  const Mesh mesh(world, resolve({}, world.size()));
  EXPECT_EQ(mesh.data().size(), world.size());
  EXPECT_EQ(mesh.data().rank(), world.rank());
}

inline void check_everything(const Group& world) {
  check_collectives(world);
  check_overlap(world);
  check_messages_are_fifo(world);
  check_split(world);
  check_tree(world);
  check_mesh(world);
}

}  // namespace ty::test

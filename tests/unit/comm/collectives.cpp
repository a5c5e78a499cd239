#include "tests/unit/comm/collectives.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "core/base/error.h"
#include "parallel/comm/tree.h"
#include "parallel/mesh/mesh.h"

namespace ty::test {
namespace {

// Small whole numbers: every dtype holds them and their sums exactly.
template <typename T>
T term(std::int64_t i, int rank) {
  return T(static_cast<float>((i + 1) * (rank + 1) % 7 - 3));
}

template <typename T>
std::vector<T> terms(std::int64_t n, int rank) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) x[i] = term<T>(i, rank);
  return x;
}

template <typename T>
double reduced(std::int64_t i, int ranks, ReduceOp op) {
  double value = static_cast<double>(term<T>(i, 0));
  for (int r = 1; r < ranks; ++r) {
    const double other = static_cast<double>(term<T>(i, r));
    value = op == ReduceOp::sum   ? value + other
            : op == ReduceOp::max ? std::max(value, other)
                                  : std::min(value, other);
  }
  return value;
}

constexpr ReduceOp kOps[] = {ReduceOp::sum, ReduceOp::max, ReduceOp::min};
// Nothing, one, odd, some; for one dtype also beyond 1 MiB and one piece of the MPI tests.
template <typename T>
std::vector<std::int64_t> sizes() {
  if (DTypeOf<T>::value == DType::f32) return {0, 1, 3, 1000, 300'001};
  return {0, 1, 3, 1000};
}

// Calls body(element) for each dtype.
template <typename Body>
void for_each_dtype(Body body) {
  body(float{});
  body(double{});
  body(bf16{});
  body(f16{});
  body(std::int32_t{});
  body(std::int64_t{});
}

void all_reduces(const Group& world) {
  for_each_dtype([&](auto t) {
    using T = decltype(t);
    for (std::int64_t n : sizes<T>()) {
      for (ReduceOp op : kOps) {
        std::vector<T> x = terms<T>(n, world.rank());
        world.all_reduce(flat(x), op).wait();
        for (std::int64_t i = 0; i < n; ++i) {
          ASSERT_EQ(static_cast<double>(x[i]), reduced<T>(i, world.size(), op)) << i;
        }
      }
    }
  });
}

void reduce_scatters(const Group& world) {
  for_each_dtype([&](auto t) {
    using T = decltype(t);
    for (std::int64_t n : sizes<T>()) {
      for (ReduceOp op : kOps) {
        std::vector<T> all = terms<T>(n * world.size(), world.rank());
        std::vector<T> own(static_cast<std::size_t>(n));
        world.reduce_scatter(flat(own), flat(all), op).wait();
        for (std::int64_t i = 0; i < n; ++i) {
          ASSERT_EQ(static_cast<double>(own[i]),
                    reduced<T>(n * world.rank() + i, world.size(), op));
        }
      }
    }
  });
}

void all_gathers(const Group& world) {
  for_each_dtype([&](auto t) {
    using T = decltype(t);
    for (std::int64_t n : sizes<T>()) {
      for (bool inside : {false, true}) {  // from inside the target, as sharded weights do
        std::vector<T> own = terms<T>(n, world.rank());
        std::vector<T> all(static_cast<std::size_t>(n * world.size()), T(99.0f));
        const View part = flat(all).slice(0, n * world.rank(), n);
        if (inside) std::copy(own.begin(), own.end(), part.template as<T>());
        world.all_gather(flat(all), inside ? part : flat(own)).wait();
        for (std::int64_t i = 0; i < n * world.size(); ++i) {
          ASSERT_EQ(static_cast<double>(all[i]),
                    static_cast<double>(term<T>(i % n, static_cast<int>(i / n))))
              << i;
        }
      }
    }
  });
}

void broadcasts(const Group& world) {
  for_each_dtype([&](auto t) {
    using T = decltype(t);
    for (std::int64_t n : sizes<T>()) {
      for (int root = 0; root < world.size(); ++root) {
        std::vector<T> x = terms<T>(n, world.rank());
        world.broadcast(flat(x), root).wait();
        for (std::int64_t i = 0; i < n; ++i) {
          ASSERT_EQ(static_cast<double>(x[i]), static_cast<double>(term<T>(i, root)));
        }
      }
    }
  });
}

// Sums that are not exact: whatever the order of additions, all ranks hold the same bits.
void ranks_agree_on_every_bit(const Group& world) {
  std::vector<float> x(10'007);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::sin(static_cast<float>(i) * static_cast<float>(world.rank() + 1));
  }
  world.all_reduce(flat(x), ReduceOp::sum).wait();
  std::vector<float> first = x;
  world.broadcast(flat(first), 0).wait();
  EXPECT_EQ(x, first);
}

// Whichever rank brings it; one that overlooked it would go on while the others stop.
void max_and_min_keep_nan(const Group& world) {
  for (int bad = 0; bad < world.size(); ++bad) {
    for (ReduceOp op : {ReduceOp::max, ReduceOp::min}) {
      const float value = world.rank() == bad ? std::numeric_limits<float>::quiet_NaN() : 1.0f;
      std::vector<float> f = {value};
      std::vector<double> d = {value};
      std::vector<bf16> b = {bf16(value)};
      std::vector<f16> h = {f16(value)};
      world.all_reduce(flat(f), op).wait();
      world.all_reduce(flat(d), op).wait();
      world.all_reduce(flat(b), op).wait();
      world.all_reduce(flat(h), op).wait();
      EXPECT_TRUE(std::isnan(f[0]) && std::isnan(d[0])) << bad;
      EXPECT_TRUE(std::isnan(static_cast<float>(b[0])) && std::isnan(static_cast<float>(h[0])));
    }
  }
}

void texts_and_numbers_travel(const Group& world) {
  const auto text_of = [](int rank) {
    return std::string(static_cast<std::size_t>(rank) * 3, 'a');
  };
  const auto texts = world.all_gather_text(text_of(world.rank()));
  ASSERT_EQ(static_cast<int>(texts.size()), world.size());
  for (int r = 0; r < world.size(); ++r) EXPECT_EQ(texts[r], text_of(r));
  EXPECT_EQ(world.all_reduce(world.rank() + 1.0, ReduceOp::sum),
            world.size() * (world.size() + 1) / 2.0);
}

// Several calls are under way at once and are waited for in another order.
void calls_overlap(const Group& world) {
  std::vector<std::vector<double>> data(4, std::vector<double>(5000, world.rank() + 1.0));
  std::vector<Work> works;
  for (auto& x : data) works.push_back(world.all_reduce(flat(x), ReduceOp::sum));
  for (std::size_t i = works.size(); i-- > 0;) {
    (void)works[i].test();
    works[i].wait();
    EXPECT_TRUE(works[i].test());
  }
  for (const auto& x : data) EXPECT_EQ(x[4999], world.size() * (world.size() + 1) / 2.0);
}

// One rank may finish a call before another waits for it.
void no_rank_waits_for_another_to_wait(const Group& world) {
  const int next = (world.rank() + 1) % world.size();
  const int previous = (world.rank() + world.size() - 1) % world.size();
  std::vector<double> x = {1.0}, out = {world.rank() + 0.5}, in = {0.0};
  Work sum = world.all_reduce(flat(x), ReduceOp::sum);
  if (world.rank() == 0) sum.wait();
  Work sent = world.send(flat(out), next, 1);
  Work received = world.receive(flat(in), previous, 1);
  received.wait();
  sent.wait();
  sum.wait();
  EXPECT_EQ(x[0], world.size());
  EXPECT_EQ(in[0], previous + 0.5);
}

// Receives are posted before anything is sent and waited for in reverse; two tags do not mix.
void messages_are_first_in_first_out(const Group& world) {
  const int next = (world.rank() + 1) % world.size();  // a group of one sends to itself
  const int previous = (world.rank() + world.size() - 1) % world.size();
  const auto value = [](int rank, int tag, int i) { return rank * 100.0 + tag * 10.0 + i; };
  std::vector<std::vector<double>> in(6, std::vector<double>(1)), out;
  std::vector<Work> received, sent;
  for (int i = 0; i < 6; ++i) received.push_back(world.receive(flat(in[i]), previous, i % 2));
  for (int i : {1, 3, 5, 0, 2, 4}) out.push_back({value(world.rank(), i % 2, i)});
  for (std::size_t k = 0; k < out.size(); ++k) {
    sent.push_back(world.send(flat(out[k]), next, k < 3 ? 1 : 0));
  }
  for (std::size_t i = received.size(); i-- > 0;) received[i].wait();
  for (Work& work : sent) work.wait();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(in[i][0], value(previous, i % 2, i));
}

void messages_of_all_sizes_arrive(const Group& world) {
  const int peer = world.size() - 1 - world.rank();  // itself in the middle of an odd group
  for_each_dtype([&](auto t) {
    using T = decltype(t);
    for (std::int64_t n : sizes<T>()) {
      std::vector<T> out = terms<T>(n, world.rank()), in(static_cast<std::size_t>(n));
      Work received = world.receive(flat(in), peer, 0);
      Work sent = world.send(flat(out), peer, 0);
      received.wait();
      sent.wait();
      for (std::int64_t i = 0; i < n; ++i) {
        ASSERT_EQ(static_cast<double>(in[i]), static_cast<double>(term<T>(i, peer)));
      }
    }
  });
}

void a_message_of_another_length_is_refused(const Group& world) {
  std::vector<double> out(3), in(4);
  Work sent = world.send(flat(out), world.rank(), 0);
  Work received = world.receive(flat(in), world.rank(), 0);
  EXPECT_THROW(received.wait(), CommError);
  sent.wait();
}

void split_orders_by_key_and_leaves_out(const Group& world) {
  const int color = world.rank() % 2;
  const Group half = world.split(color, -world.rank());  // order reversed by the key
  const int members = (world.size() + 1 - color) / 2;
  EXPECT_EQ(half.size(), members);
  EXPECT_EQ(half.rank(), members - 1 - world.rank() / 2);
  double expected = 0;
  for (int r = color; r < world.size(); r += 2) expected += r;
  EXPECT_EQ(half.all_reduce(world.rank(), ReduceOp::sum), expected);
  // Groups of groups; messages and calls of one do not meet those of another.
  const Group same = half.split(0, half.rank());
  EXPECT_EQ(same.all_reduce(world.rank(), ReduceOp::sum), expected);

  const Group others = world.split(world.rank() == 0 ? -1 : 0, 0);
  if (world.rank() == 0) {
    EXPECT_EQ(others.size(), 1);
  } else {
    EXPECT_EQ(others.size(), world.size() - 1);
    EXPECT_EQ(others.rank(), world.rank() - 1);
  }
}

void subgroup_keeps_the_order_of_its_list(const Group& world) {
  std::vector<int> everybody;
  for (int r = world.size() - 1; r >= 0; --r) everybody.push_back(r);
  const Group reversed = world.subgroup(everybody);
  EXPECT_EQ(reversed.rank(), world.size() - 1 - world.rank());
  const int alone[] = {world.rank()};
  EXPECT_EQ(world.subgroup(alone).size(), 1);
  const int stranger[] = {world.size()};
  EXPECT_THROW((void)world.subgroup(stranger), CommError);
}

void a_late_rank_is_a_named_error_and_not_a_hang(const Group& world) {
  if (world.size() == 1) return;
  std::vector<float> x(3, 1.0f);
  const int last = world.size() - 1;
  if (world.rank() != last) {
    Work work = world.all_reduce(flat(x), ReduceOp::sum);
    try {
      work.wait(0.05);
      ADD_FAILURE() << "the last rank has not called yet";
    } catch (const CommError& e) {
      const std::string message = e.what();
      EXPECT_NE(message.find("all_reduce"), std::string::npos) << message;
      EXPECT_NE(message.find("3 x fp32"), std::string::npos) << message;
      EXPECT_EQ(message.find(fmt::format("rank {} is late: ", last)), 0u) << message;
    }
    work.wait();  // the call itself is not lost
  } else {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    world.all_reduce(flat(x), ReduceOp::sum).wait();
  }
  EXPECT_EQ(x[2], static_cast<float>(world.size()));
}

// The same bits as one rank that adds all leaves in the tree's order.
void tree_sum_has_the_bits_of_one_rank(const Group& world) {
  const auto backend = make_reference_backend();
  if ((world.size() & (world.size() - 1)) != 0) {
    std::vector<double> x(1);
    EXPECT_THROW(tree_all_reduce(world, *backend, flat(x)), ConfigError);
    return;
  }
  const auto leaf = [](std::int64_t i) {
    return std::sqrt(static_cast<double>(i) + 2.0) * std::pow(10.0, static_cast<double>(i % 5));
  };
  const auto sum = [&](std::int64_t first, std::int64_t count) {
    TreeSum<double> total(count);
    for (std::int64_t i = 0; i < count; ++i) total.put(i, leaf(first + i), std::plus<>());
    return total.take();
  };
  for (std::int64_t leaves : {4, 12, 20, 64, 100}) {
    const std::int64_t own = leaves / world.size();
    const double mine = sum(own * world.rank(), own);
    std::vector<double> x = {mine, -mine};
    tree_all_reduce(world, *backend, flat(x));
    EXPECT_EQ(x, (std::vector<double>{sum(0, leaves), -sum(0, leaves)})) << leaves;
  }
}

// One number per axis that only the right members produce.
void mesh_groups_hold_the_right_ranks(const Group& world) {
  MeshShape shape = {1, world.size(), 1};
  if (world.size() == 4) shape = {2, 1, 2};
  if (world.size() == 3) shape = {3, 1, 1};
  const Mesh mesh(world, shape);
  const auto check = [&](const Group& group, Axis axis, int index) {
    const std::vector<int> ranks = ranks_along(axis, world.rank(), shape);
    EXPECT_EQ(group.size(), static_cast<int>(ranks.size()));
    EXPECT_EQ(group.rank(), index);
    double expected = 0;
    for (int r : ranks) expected += std::pow(10.0, r);
    EXPECT_EQ(group.all_reduce(std::pow(10.0, world.rank()), ReduceOp::sum), expected);
  };
  check(mesh.tensor(), Axis::tensor, mesh.at().tensor);
  check(mesh.data(), Axis::data, mesh.at().data);
  check(mesh.pipeline(), Axis::pipeline, mesh.at().pipeline);
  EXPECT_THROW(Mesh(world, {1, world.size() + 1, 1}), ConfigError);
}

}  // namespace

const std::vector<Check>& communicator_checks() {
  static const std::vector<Check> checks = {
      {"AllReduces", all_reduces},
      {"ReduceScatters", reduce_scatters},
      {"AllGathers", all_gathers},
      {"Broadcasts", broadcasts},
      {"RanksAgreeOnEveryBit", ranks_agree_on_every_bit},
      {"MaxAndMinKeepNan", max_and_min_keep_nan},
      {"TextsAndNumbersTravel", texts_and_numbers_travel},
      {"CallsOverlap", calls_overlap},
      {"NoRankWaitsForAnotherToWait", no_rank_waits_for_another_to_wait},
      {"MessagesAreFirstInFirstOut", messages_are_first_in_first_out},
      {"MessagesOfAllSizesArrive", messages_of_all_sizes_arrive},
      {"AMessageOfAnotherLengthIsRefused", a_message_of_another_length_is_refused},
      {"SplitOrdersByKeyAndLeavesOut", split_orders_by_key_and_leaves_out},
      {"SubgroupKeepsTheOrderOfItsList", subgroup_keeps_the_order_of_its_list},
      {"ALateRankIsANamedErrorAndNotAHang", a_late_rank_is_a_named_error_and_not_a_hang},
      {"WhatDoesNotFitIsRefused", what_does_not_fit_is_refused_before_anything_is_sent},
      {"CallsAreCountedAsOnAPhantom", calls_are_counted_as_on_a_phantom},
      {"TreeSumHasTheBitsOfOneRank", tree_sum_has_the_bits_of_one_rank},
      {"MeshGroupsHoldTheRightRanks", mesh_groups_hold_the_right_ranks},
  };
  return checks;
}

}  // namespace ty::test

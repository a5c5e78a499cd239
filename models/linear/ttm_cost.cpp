#include "models/linear/ttm_cost.h"

#include <algorithm>

#include "models/linear/chain_program.h"

namespace ty {

namespace {

constexpr double kBytes = 4;  // of a number in fp32, the type of the arithmetic

// Adds up kernels and remembers the largest sum of live buffers.
class Meter {
 public:
  explicit Meter(const CostModel& model) : model_(model) {}

  void gemm(std::int64_t m, std::int64_t n, std::int64_t k, double times = 1) {
    const auto part = [](std::int64_t x, double half) {
      return static_cast<double>(x) / (static_cast<double>(x) + half);
    };
    const double flops =
        2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    const double rate = model_.flops_per_second * part(m, model_.half_rows) *
                        part(n, model_.half_columns) * part(k, model_.half_inner);
    cost_.flops += times * flops;
    cost_.seconds += times * (flops / rate + model_.call_seconds);
  }
  void copy(std::int64_t numbers, double times = 1) {
    cost_.seconds += times * (2 * kBytes * static_cast<double>(numbers) / model_.bytes_per_second +
                              model_.call_seconds);
  }
  void live(std::int64_t numbers) {
    cost_.workspace = std::max(cost_.workspace, numbers * static_cast<std::int64_t>(kBytes));
  }
  const PassCost& cost() const { return cost_; }

 private:
  CostModel model_;
  PassCost cost_;
};

// Merging cores [first, last) and arranging the result; for backward, the way back too.
std::int64_t merge(Meter& meter, const TtmShape& shape, int first, int last, Direction direction) {
  std::int64_t size = first < last ? shape.core_size(first) : 1;
  for (int k = first + 1; k < last; ++k) {
    const std::int64_t bond = shape.ranks[static_cast<std::size_t>(k)];
    const std::int64_t rows = size / bond, columns = shape.core_size(k) / bond;
    meter.gemm(rows, columns, bond);
    if (direction == Direction::backward) {
      meter.gemm(bond, columns, rows);
      meter.gemm(rows, bond, columns);
    }
    size = rows * columns;
  }
  meter.copy(size, direction == Direction::backward ? 2 : 1);
  return size;
}

PassCost cost(const ChainPass& pass, Direction direction, const TtmMap& map, std::int64_t rows,
              const CostModel& model) {
  Meter meter(model);
  const ChainProgram program = chain_program(map.shape, pass);
  std::int64_t fixed = 0;
  int core = 0;
  for (const int count : pass.groups) {
    fixed += merge(meter, map.shape, core, core + count, direction);
    core += count;
  }
  const std::int64_t piece = pass.tokens == 0 ? rows : std::min(pass.tokens, rows);
  const double pieces = piece == 0 ? 0 : static_cast<double>(rows) / static_cast<double>(piece);
  const bool back = direction == Direction::backward;
  std::int64_t operands = 0, widest = 0;
  for (const ChainStep& step : program.steps) {
    const std::int64_t width = piece * row_size(step.operand),
                       result = piece * row_size(step.result);
    const std::int64_t m = width / step.contracted;
    const bool last = &step == &program.steps.back();
    if (moves_elements(step.source, step.operand)) meter.copy(width, pieces * (back ? 2 : 1));
    if (!back || !last) meter.gemm(m, step.columns, step.contracted, pieces);
    if (back) {
      meter.gemm(step.contracted, step.columns, m, pieces);
      meter.gemm(m, step.contracted, step.columns, pieces);
    }
    operands += width;
    widest = std::max(widest, width + result);
  }
  if (moves_elements(program.steps.back().result, program.output)) {
    meter.copy(piece * row_size(program.output), pieces);
  }
  meter.live(fixed * (back ? 2 : 1) + (back ? operands + widest : widest));
  return meter.cost();
}

PassCost cost(const DensePass& pass, Direction direction, const TtmMap& map, std::int64_t rows,
              const CostModel& model) {
  Meter meter(model);
  const TtmShape& shape = map.shape;
  const std::int64_t left = merge(meter, shape, 0, pass.split, direction);
  const std::int64_t right = merge(meter, shape, pass.split, shape.num_cores(), direction);
  const std::int64_t bond = shape.ranks[static_cast<std::size_t>(pass.split)];
  const std::int64_t blocks = shape.out[0];
  const std::int64_t block_rows = left / bond / blocks, block_columns = right / bond;
  const std::int64_t panel = map.shape.padded_in() * map.shape.padded_out() / pass.panels;
  const std::int64_t width = map.out / pass.panels;
  const auto all = static_cast<double>(blocks);
  meter.gemm(block_rows, block_columns, bond, all);
  meter.copy(block_rows * block_columns, all);
  if (direction == Direction::forward) {
    meter.gemm(rows, width, map.in, pass.panels);
    meter.live(left + right + panel + block_rows * block_columns);
    return meter.cost();
  }
  meter.gemm(rows, map.in, width, pass.panels);
  meter.gemm(map.in, width, rows, pass.panels);
  meter.copy(block_rows * block_columns, all);
  meter.gemm(block_rows, bond, block_columns, all);
  meter.gemm(bond, block_columns, block_rows, all);
  meter.live(2 * (left + right) + panel + block_rows * block_columns);
  return meter.cost();
}

}  // namespace

PassCost cost_of(const TtmPass& pass, Direction direction, const TtmMap& map, std::int64_t rows,
                 const CostModel& model) {
  return std::visit([&](const auto& each) { return cost(each, direction, map, rows, model); },
                    pass);
}

PassCost dense_layer_cost(Direction direction, const TtmMap& map, std::int64_t rows,
                          const CostModel& model) {
  Meter meter(model);
  if (direction == Direction::forward) {
    meter.gemm(rows, map.out, map.in);
  } else {
    meter.gemm(rows, map.in, map.out);
    meter.gemm(map.in, map.out, rows);
    meter.live(map.in * map.out);
  }
  return meter.cost();
}

}  // namespace ty

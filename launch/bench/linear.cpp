// One linear layer made of different things, side by side: time forward and backward, bytes at the
// worst moment, and bytes kept between the passes beyond input and output.
#include "models/linear/base/linear.h"

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "core/autograd/backward.h"
#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "core/nn/flat_parameters.h"
#include "launch/bench/bench.h"
#include "launch/process/world.h"
#include "launch/report/text.h"
#include "launch/run/model_setup.h"
#include "models/linear/dense/dense.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/choose_shape.h"
#include "models/linear/ttm/ttm.h"
#include "models/linear/ttm/ttm_planner.h"

namespace ty::bench {

namespace {

struct Request {
  TtmLayer layer;
  std::int64_t svd_rank = 0;
  std::int64_t tokens = 0;  // rows of one pass
  std::int64_t passes = 1;  // per optimizer step
  bool all_plans = false;
  bool is_seed = false;  // the baselines of the seed experiment too
};

// A layer with memory of its own, so that its bytes are its own.
class TimedLayer {
 public:
  using Apply = std::function<Tensor(const Tensor& x)>;

  TimedLayer(const Request& request, const LinearSpec& spec)
      : kind(kind_name(spec)),
        backend_(make_backend(DeviceChoice::cpu)),
        map_(make_linear(
            Scope(store_, "layer"),
            {.in = request.layer.in, .out = request.layer.out, .bias = false, .weight_std = 0.02},
            spec, Split::none, {})),
        flat_(store_, plan_flat_layout(store_, 1, 1), *backend_, {}) {
    flat_.initialise(1);
    apply_ = [this](const Tensor& x) { return map_->forward(x); };
    const auto random = [&](std::int64_t width, const char* name) {
      Tensor x =
          Tensor::empty(*backend_, {request.tokens, width}, DType::f32, MemoryClass::activation);
      backend_->random_normal(x.view(), RandomStream(1, site_id(name)), 0, width, 1.0);
      return x;
    };
    x_ = random(request.layer.in, "x");
    dy_ = random(request.layer.out, "dy");
    passes_ = request.passes;
  }

  // The same TTM parameters, applied in another way.
  void apply_by(std::string name,
                std::function<Tensor(const Tensor&, const std::vector<Tensor>&)> f) {
    plan = std::move(name);
    apply_ = [this, f = std::move(f)](const Tensor& x) {
      std::vector<Tensor> cores;
      for (const Parameter& parameter : store_.all()) cores.push_back(parameter.value);
      return f(x, cores);
    };
  }

  // One optimizer step's worth of passes.
  void run(bool measured) {
    flat_.clear_gradients();
    double forward = 0, backward_seconds = 0;
    if (shares_map) backward_seconds += seconds_of([&] { map_->begin_step(); });
    for (std::int64_t pass = 0; pass < passes_; ++pass) {
      const Tensor x = as_result();
      const std::int64_t before = live();
      Tensor y;
      forward += seconds_of([&] { y = apply_(x); });
      kept_bytes = live() - before - static_cast<std::int64_t>(y.view().bytes());
      live_bytes = static_cast<std::int64_t>(x_.view().bytes() + y.view().bytes()) + kept_bytes;
      backward_seconds += seconds_of([&] {
        backward(y, dy_, {.on_leaf_complete = {}, .release_shared = pass + 1 == passes_});
      });
    }
    if (shares_map) map_->end_step();
    if (!measured) return;
    forward_.push_back(forward);
    backward_.push_back(backward_seconds);
    both_.push_back(forward + backward_seconds);
  }

  std::int64_t parameters() const { return store_.count(); }
  std::int64_t peak_bytes() const { return backend_->memory().stats().total_peak; }
  Spread forward() const { return spread_of(forward_); }
  Spread backward_spread() const { return spread_of(backward_); }
  const std::vector<double>& rounds() const { return both_; }

  std::string kind, plan;
  bool shares_map = false;      // prepared once for all passes
  std::int64_t kept_bytes = 0;  // between the passes, beyond x and y
  std::int64_t live_bytes = 0;  // the same with x and y

 private:
  // The input as the result of a layer before this one, which takes its gradient and drops it.
  Tensor as_result() const {
    const Tensor source = make_leaf(Tensor::empty(*backend_, {1}, DType::f32));
    return record("layer before", x_.detach(), {source},
                  [](const Tensor&) { return Grads{Gradient()}; });
  }
  std::int64_t live() const { return backend_->memory().stats().total_live; }

  std::unique_ptr<Backend> backend_;
  ParameterStore store_;
  std::unique_ptr<Linear> map_;
  FlatParameters flat_;
  Apply apply_;
  Tensor x_, dy_;
  std::int64_t passes_ = 1;
  std::vector<double> forward_, backward_, both_;
};

Request request_of(const Arguments& arguments) {
  Request request;
  const std::string preset = arguments.text("--preset", "wide");
  std::vector<std::int64_t> in = {8, 8, 16}, out = {8, 32, 16};
  std::int64_t rank = 72, tokens = 1024;
  if (preset == "seed") {
    in = {8, 8, 12, 1};
    out = {8, 8, 12, 3};
    rank = 16;
    tokens = 16384;
    request.is_seed = true;
  }
  rank = arguments.integer("--rank", rank);
  if (arguments.flag("--in")) in = arguments.integers("--in");
  if (arguments.flag("--out")) out = arguments.integers("--out");
  if (in.size() == 1 && out.size() == 1) {
    request.layer = {choose_shape(in[0], out[0], rank), in[0], out[0]};
  } else {
    const TtmShape shape = with_rank(in, out, rank);
    request.layer = {shape, shape.padded_in(), shape.padded_out()};
    validate(shape, request.layer.in, request.layer.out);
  }
  request.tokens = arguments.integer("--tokens", tokens);
  request.passes = arguments.integer("--microbatches", 1);
  request.all_plans = arguments.flag("--plans");
  // As many weights, to the nearest.
  const std::int64_t both = request.layer.in + request.layer.out;
  const std::int64_t equal = (request.layer.shape.num_parameters() + both / 2) / both;
  request.svd_rank = arguments.integer(
      "--svd-rank",
      std::clamp<std::int64_t>(equal, 1, std::min(request.layer.in, request.layer.out)));
  return request;
}

std::vector<std::unique_ptr<TimedLayer>> subjects_of(const Request& request) {
  std::vector<std::unique_ptr<TimedLayer>> result;
  const auto add = [&](const LinearSpec& spec) -> TimedLayer& {
    return *result.emplace_back(std::make_unique<TimedLayer>(request, spec));
  };
  const auto add_plan = [&](const TtmPlan& plan) {
    add(exact_spec(request.layer.shape))
        .apply_by(fmt::format("{} / {}", to_string(plan.forward), to_string(plan.backward)),
                  [&request, plan](const Tensor& x, const std::vector<Tensor>& cores) {
                    return ttm_linear(x, cores, Tensor(), request.layer, plan);
                  });
  };
  const auto add_recorded = [&](const ChainPass& pass) {
    add(exact_spec(request.layer.shape))
        .apply_by("recorded " + to_string(pass),
                  [&request, pass](const Tensor& x, const std::vector<Tensor>& cores) {
                    return ttm_linear_recorded(x, cores, Tensor(), request.layer, pass);
                  });
  };
  add(DenseSpec{});
  add(SvdSpec{.rank = request.svd_rank}).plan = fmt::format("rank {}", request.svd_rank);
  const TtmChoice choice = choose_ttm_plan(request.layer, request.tokens);
  add(exact_spec(request.layer.shape)).plan = fmt::format(
      "chosen: {} / {}", to_string(choice.plan.forward), to_string(choice.plan.backward));
  if (request.passes > 1) {
    TimedLayer& shared = add(exact_spec(request.layer.shape));
    shared.shares_map = true;
    shared.plan = "W once per step";
  }
  if (request.all_plans) {
    for (const auto& each : choice.forward) add_plan({each.pass, {each.pass}});
    for (const auto& each : choice.backward) {
      if (each.pass.input) add_plan({choice.plan.forward, each.pass});
    }
  }
  if (request.is_seed) {
    const int cores = request.layer.shape.num_cores();
    const ChainPass two = {{cores / 2, cores - cores / 2}, ChainOrder::from_left, 0};
    const ChainPass one_by_one = {std::vector<int>(static_cast<std::size_t>(cores), 1),
                                  ChainOrder::from_left, 0};
    const TtmPass dense = choice.plan.forward;
    for (const ChainPass& forward : {two, one_by_one}) {
      add_recorded(forward);
      ChainPass pieces = forward;
      pieces.tokens = 64;
      add_plan({pieces, {pieces}});
      add_plan({pieces, {dense}});
    }
  }
  return result;
}

void explain(const Request& request) {
  const TtmChoice choice = choose_ttm_plan(request.layer, request.tokens);
  fmt::print("{} -> {}, {}, {} tokens; workspace up to {}\n", request.layer.in, request.layer.out,
             to_string(request.layer.shape), request.tokens,
             human_bytes(static_cast<double>(default_workspace_limit(request.layer))));
  const auto list = [](const char* title, const PassCost& dense, const auto& candidates,
                       const auto& chosen) {
    Table table({title, "model time", "of dense", "FLOP", "workspace", ""});
    for (const auto& each : candidates) {
      table.add({to_string(each.pass), fmt::format("{:.2f} ms", each.cost.seconds * 1e3),
                 fmt::format("{:.2f}x", each.cost.seconds / dense.seconds),
                 human_count(each.cost.flops),
                 human_bytes(static_cast<double>(each.cost.workspace)),
                 each.pass == chosen ? "chosen"
                 : each.fits         ? ""
                                     : "too large"});
    }
    fmt::print("{}", table.str());
  };
  const LayerCost dense = dense_layer_cost(request.layer, request.tokens);
  list("forward", dense.forward, choice.forward, choice.plan.forward);
  list("backward", dense.backward, choice.backward, choice.plan.backward);
}

}  // namespace

ExitCode linear(const Arguments& arguments, RankStatus& status) {
  const Request request = request_of(arguments);
  const World world(status);
  const bool json = arguments.flag("--json");
  if (arguments.flag("--explain")) {
    if (json) throw UsageError("--explain: prints tables; leave out --json");
    explain(request);
  }
  const auto subjects = subjects_of(request);
  take_turns(rounds_of(arguments, 1), subjects.size(), world.is_root(),
             [&](std::size_t i, std::int64_t, bool measured) { subjects[i]->run(measured); });
  Table table(
      {"kind", "forward ms", "backward ms", "of dense", "peak", "kept", "live", "weights", "plan"});
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& subject : subjects) {
    const Spread of_dense = ratios_of(subject->rounds(), subjects[0]->rounds());
    const Spread forward = subject->forward(), backward = subject->backward_spread();
    table.add({subject->kind, fmt::format("{:.2f}", forward.median * 1e3),
               fmt::format("{:.2f}", backward.median * 1e3), format_ratio(of_dense),
               human_bytes(static_cast<double>(subject->peak_bytes())),
               human_bytes(static_cast<double>(subject->kept_bytes)),
               human_bytes(static_cast<double>(subject->live_bytes)),
               human_count(static_cast<double>(subject->parameters())), subject->plan});
    rows.push_back({{"kind", subject->kind},
                    {"plan", subject->plan},
                    {"parameters", subject->parameters()},
                    {"forward_seconds", to_json(forward)},
                    {"backward_seconds", to_json(backward)},
                    {"ratio_to_dense", to_json(of_dense)},
                    {"peak_bytes", subject->peak_bytes()},
                    {"kept_bytes", subject->kept_bytes},
                    {"live_bytes", subject->live_bytes}});
  }
  if (json) {
    fmt::print("{}\n", nlohmann::json{{"in", request.layer.in},
                                      {"out", request.layer.out},
                                      {"tokens", request.tokens},
                                      {"microbatches", request.passes},
                                      {"threads", world.threads()},
                                      {"entries", rows}}
                           .dump());
  } else {
    fmt::print("{} -> {}, {}, {} tokens x {}, {} threads, fp32\n{}", request.layer.in,
               request.layer.out, to_string(request.layer.shape), request.tokens, request.passes,
               world.threads(), table.str());
  }
  return ExitCode::ok;
}

}  // namespace ty::bench

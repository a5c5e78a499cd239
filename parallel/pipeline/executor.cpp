#include "parallel/pipeline/executor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "parallel/pipeline/transfers.h"

namespace ty {

namespace {

constexpr auto kPause = std::chrono::microseconds(20);  // between looks while nothing can run
constexpr double kPatience = 5.0;  // seconds of looks, after which a wait may name who is late
constexpr std::ptrdiff_t kShownActions = 6;  // of a program, before and after one that failed

class StageRun {
 public:
  StageRun(const Program& program, Stage& stage, const Group& pipeline, Backend& backend,
           const ExecutorOptions& options)
      : program_(program),
        stage_(stage),
        own_(pipeline.rank()),
        options_(options),
        agenda_(program, own_, options.order),
        inbox_(program, stage, pipeline, backend),
        outbox_(program.shape, pipeline) {}

  void run() {
    while (!agenda_.is_finished()) {
      current_ = next();
      run(current_);
      agenda_.done(current_);
      outbox_.tidy();
    }
    outbox_.wait();
  }

  // "F1 F2 [B1] F3": where in its program the stage is.
  std::string place() const {
    const std::vector<Action>& all = program_.stages[static_cast<std::size_t>(own_)];
    const auto at = std::find(all.begin(), all.end(), current_);
    std::string text;
    for (auto i = at - std::min(kShownActions, at - all.begin());
         i != all.end() && i - at <= kShownActions; ++i) {
      const std::string action = to_string(*i, program_.shape);
      if (!text.empty()) text += ' ';
      text += i == at ? fmt::format("[{}]", action) : action;
    }
    return text;
  }

 private:
  // What is listed next is waited for in take().
  Action next() {
    if (options_.order == ExecutionOrder::listed) return agenda_.left().front();
    const Group& team = options_.team;
    if (team.size() == 1) return next_possible();
    std::array<std::int64_t, 3> choice = {};
    static_assert(sizeof(choice) == kChoiceBytes);
    if (team.rank() == 0) {
      const Action action = next_possible();
      choice = {static_cast<std::int64_t>(action.kind), action.chunk, action.micro_batch};
    }
    team.broadcast(contiguous_view(choice.data(), DType::i64, {std::ssize(choice)}), 0).wait();
    return {static_cast<Action::Kind>(choice[0]), static_cast<int>(choice[1]),
            static_cast<int>(choice[2])};
  }

  // Waits until something can run.
  Action next_possible() {
    const auto has_arrived = [this](const Message& m) { return inbox_.has_arrived(m); };
    const Stopwatch watch;
    while (watch.seconds() < kPatience) {
      if (const auto action = agenda_.next(has_arrived)) return *action;
      outbox_.tidy();
      std::this_thread::sleep_for(kPause);
    }
    return agenda_.left().front();
  }

  void run(const Action& action) {
    Tensors in;
    if (const auto message = received_by(action, own_, program_.shape)) in = inbox_.take(*message);
    Span span = {action, now(), 0.0};
    Tensors out;
    switch (action.kind) {
      case Action::Kind::forward:
        out = stage_.forward(action.chunk, action.micro_batch, std::move(in));
        break;
      case Action::Kind::recompute:
        stage_.recompute(action.chunk, action.micro_batch);
        break;
      case Action::Kind::backward:
        out = stage_.backward(action.chunk, action.micro_batch, std::move(in));
        break;
    }
    span.end = now();
    if (const auto message = sent_by(action, own_, program_.shape)) {
      outbox_.send(*message, std::move(out));
    }
    if (options_.on_span) options_.on_span(span);
  }

  double now() const { return watch_.started_at() + watch_.seconds(); }

  const Program& program_;
  Stage& stage_;
  int own_;
  const ExecutorOptions& options_;
  Agenda agenda_;
  Inbox inbox_;
  Outbox outbox_;
  Action current_ = {};
  Stopwatch watch_;
};

}  // namespace

void execute(const Program& program, Stage& stage, const Group& pipeline, Backend& backend,
             const ExecutorOptions& options) {
  TY_CHECK(program.shape.stages == pipeline.size(), "a program of {} stages on {} ranks",
           program.shape.stages, pipeline.size());
  StageRun run(program, stage, pipeline, backend, options);
  try {
    run.run();
  } catch (const CommError& e) {
    throw CommError("{} (stage {} of {}, at {})", e.what(), pipeline.rank() + 1,
                    program.shape.stages, run.place());
  }
}

}  // namespace ty

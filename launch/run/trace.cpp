#include "launch/run/trace.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/stopwatch.h"
#include "parallel/pipeline/messages.h"

namespace ty {

namespace {

constexpr int kRounds = 5;  // of messages that compare clocks; the quickest one counts

double clock_seconds() { return Stopwatch().started_at(); }

// What to add to this rank's clock to read rank 0's. Rank 0 asks one rank after the other for the
// time; half of what the answer took is the error at most.
double offset_to_root(const Group& world) {
  double value = 0.0;
  const View view = contiguous_view(&value, DType::f64, {1});
  double offset = 0.0;
  for (int rank = 1; rank < world.size(); ++rank) {
    double quickest = 1e300;
    for (int round = 0; round < kRounds; ++round) {
      if (world.rank() == rank) {
        world.receive(view, 0).wait();
        value = clock_seconds();
        world.send(view, 0).wait();
      } else if (world.rank() == 0) {
        const double asked = clock_seconds();
        world.send(view, rank).wait();
        world.receive(view, rank).wait();
        const double answered = clock_seconds();
        if (answered - asked < quickest) {
          quickest = answered - asked;
          offset = (asked + answered) / 2 - value;
        }
      }
    }
    if (world.rank() == 0) {
      world.send(contiguous_view(&offset, DType::f64, {1}), rank).wait();
    } else if (world.rank() == rank) {
      world.receive(contiguous_view(&offset, DType::f64, {1}), 0).wait();
    }
  }
  return world.rank() == 0 ? 0.0 : offset;
}

// One message of one step between two stages, the same at both ends.
std::string name_of(const Message& message, std::int64_t step) {
  return fmt::format("{}{}.{}.{}", message.kind == Message::Kind::activation ? "a" : "g", step,
                     message.virtual_stage, message.micro_batch);
}

}  // namespace

Trace::Trace(const Mesh& mesh, std::int64_t steps) : mesh_(&mesh), steps_(steps) {
  if (steps_ > 0) offset_ = offset_to_root(mesh.world());
}

double Trace::now() const { return clock_seconds() + offset_; }

void Trace::begin_step(std::int64_t step) {
  if (first_ < 0) first_ = step;
  step_ = step < first_ + steps_ ? step : -1;
  step_begin_ = now();
}

void Trace::add(const Span& span, const PipeShape& shape) {
  if (step_ < 0) return;
  Event event = {
      to_string(span.action, shape), span.begin + offset_, span.end + offset_, step_, "", ""};
  const int stage = mesh_->at().pipeline;
  if (const auto m = received_by(span.action, stage, shape)) event.receives = name_of(*m, step_);
  if (const auto m = sent_by(span.action, stage, shape)) event.sends = name_of(*m, step_);
  events_.push_back(std::move(event));
}

bool Trace::end_step() {
  if (step_ < 0) return false;
  events_.push_back({fmt::format("step {}", step_ + 1), step_begin_, now(), step_, "", ""});
  return step_ + 1 == first_ + steps_;
}

std::string Trace::take() {
  const int rank = mesh_->world().rank();
  const MeshCoordinate& at = mesh_->at();
  nlohmann::json own = nlohmann::json::array();
  own.push_back({{"ph", "M"},
                 {"pid", rank},
                 {"name", "process_name"},
                 {"args", {{"name", fmt::format("rank {} ({})", rank, to_string(at))}}}});
  // Stages of one copy of a pipeline are linked, tensor rank by tensor rank.
  const std::string copy = fmt::format(".{}.{}", at.data, at.tensor);
  for (const Event& event : std::exchange(events_, {})) {
    const bool is_step = event.name.starts_with("step");
    const nlohmann::json place = {{"pid", rank}, {"tid", is_step ? 0 : 1}};
    nlohmann::json span = place;
    span.update({{"ph", "X"},
                 {"name", event.name},
                 {"ts", event.begin * 1e6},
                 {"dur", (event.end - event.begin) * 1e6},
                 {"args", {{"step", event.step + 1}}}});
    own.push_back(std::move(span));
    const auto flow = [&](const char* phase, const std::string& message, double time) {
      if (message.empty()) return;
      nlohmann::json arrow = place;
      arrow.update({{"ph", phase},
                    {"bp", "e"},
                    {"cat", "message"},
                    {"name", "message"},
                    {"id", message + copy},
                    {"ts", time * 1e6}});
      own.push_back(std::move(arrow));
    };
    flow("f", event.receives, event.begin);
    flow("s", event.sends, event.end);
  }
  nlohmann::json all = nlohmann::json::array();
  for (const std::string& text : mesh_->world().all_gather_text(own.dump())) {
    if (rank > 0) return "";
    for (auto& event : nlohmann::json::parse(text)) all.push_back(std::move(event));
  }
  return nlohmann::json{{"traceEvents", all}, {"displayTimeUnit", "ms"}}.dump();
}

}  // namespace ty

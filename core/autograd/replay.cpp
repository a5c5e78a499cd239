#include "core/autograd/replay.h"

#include <utility>

#include "core/base/error.h"

namespace ty {

// What the first run of a function made for its replay. While the function around it is itself
// replayed, the values come from that one's tape.
class OnceTape {
 public:
  enum class Kind : std::uint8_t { once, dear, unread };

  explicit OnceTape(Recomputed recomputed) : recomputed_(recomputed) {}
  Tensor value(Kind kind, const std::function<Tensor()>& make);

  // The tape of the function that runs in this thread; null outside of all.
  static thread_local OnceTape* t_current;

  // Makes a tape the current one for the object's lifetime.
  class Use {
   public:
    Use(OnceTape& tape, bool replays) : tape_(tape) {
      tape.replays_ = replays;
      tape.next_ = 0;
      tape.outer_ = std::exchange(t_current, &tape);
    }
    ~Use() { t_current = tape_.outer_; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    OnceTape& tape_;
  };

 private:
  // The value, or (unread) what it looks like.
  struct Entry {
    SavedTensor value = {};
    Backend* backend = nullptr;
    Shape shape = {};
    DType dtype = DType::f32;
  };
  Tensor made(Kind kind, const std::function<Tensor()>& make) const;
  Tensor replayed();

  Recomputed recomputed_;
  std::vector<Entry> entries_;
  std::size_t next_ = 0;
  bool replays_ = false;
  OnceTape* outer_ = nullptr;
};

thread_local OnceTape* OnceTape::t_current = nullptr;

Tensor OnceTape::made(Kind kind, const std::function<Tensor()>& make) const {
  return (outer_ != nullptr ? outer_->value(kind, make) : make()).detach();
}

Tensor OnceTape::replayed() {
  TY_CHECK(next_ < entries_.size(), "a replayed function asks for value {} of {}", next_ + 1,
           entries_.size());
  Entry& entry = entries_[next_++];
  if (entry.backend != nullptr) return Tensor::empty(*entry.backend, entry.shape, entry.dtype);
  return entry.value.take();  // the replay's alone from now on
}

Tensor OnceTape::value(Kind kind, const std::function<Tensor()>& make) {
  if (kind == Kind::dear && recomputed_ == Recomputed::all) return made(kind, make);
  if (replays_) return replayed();
  const Tensor value = made(kind, make);
  entries_.push_back(kind == Kind::unread
                         ? Entry{{}, &value.backend(), value.shape(), value.dtype()}
                         : Entry{saved(value)});
  return value;
}

namespace {

Tensor on_tape(OnceTape::Kind kind, const std::function<Tensor()>& make) {
  OnceTape* tape = OnceTape::t_current;
  return tape != nullptr ? tape->value(kind, make) : make().detach();
}

}  // namespace

Tensor once(const std::function<Tensor()>& make) { return on_tape(OnceTape::Kind::once, make); }
Tensor dear(const std::function<Tensor()>& make) { return on_tape(OnceTape::Kind::dear, make); }
Tensor unread(const std::function<Tensor()>& make) { return on_tape(OnceTape::Kind::unread, make); }

Replay::Replay(Fn fn, std::vector<Tensor> inputs, Recomputed recomputed)
    : fn_(std::move(fn)), tape_(std::make_unique<OnceTape>(recomputed)) {
  const NoGrad no_grad;
  // Which leaves the function reads, so that backward knows when a leaf has received everything.
  LeafUses uses;
  const OnceTape::Use use(*tape_, false);
  outputs_ = fn_(inputs);
  leaves_ = uses.take();
  for (const Tensor& input : inputs) {
    inputs_.push_back(saved(input));
    wants_gradient_.push_back(input.requires_grad());
  }
}

Replay::~Replay() = default;
Replay::Replay(Replay&&) noexcept = default;
Replay& Replay::operator=(Replay&&) noexcept = default;

void Replay::run() {
  if (!replayed_.empty()) return;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    again_.push_back(wants_gradient_[i] ? make_leaf(*inputs_[i], MemoryClass::workspace)
                                        : inputs_[i]->detach());
  }
  const GradMode grad(true);
  const OnceTape::Use use(*tape_, true);
  replayed_ = fn_(again_);
}

std::vector<Tensor> Replay::backward(std::span<const Tensor> dys, const BackwardOptions& options) {
  run();
  ty::backward(replayed_, dys, options);
  return input_gradients();
}

std::vector<Tensor> Replay::input_gradients() const {
  std::vector<Tensor> gradients(again_.size());
  for (std::size_t i = 0; i < again_.size(); ++i) {
    if (wants_gradient_[i]) gradients[i] = grad_of(again_[i]);
  }
  return gradients;
}

std::vector<Tensor> recompute(Replay::Fn fn, std::vector<Tensor> inputs, Recomputed recomputed) {
  if (!grad_enabled()) return fn(inputs);
  const auto replay = std::make_shared<Replay>(std::move(fn), inputs, recomputed);
  std::vector<Tensor> outputs = std::exchange(replay->outputs(), {});
  const std::size_t count = inputs.size();
  std::vector<Tensor> edges = std::move(inputs);
  edges.insert(edges.end(), replay->leaves().begin(), replay->leaves().end());
  const std::size_t edge_count = edges.size();
  return record("recompute", std::move(outputs), std::move(edges),
                [=](std::span<const Tensor> dys) {
                  Grads gradients(edge_count);
                  std::vector<Tensor> of_inputs = replay->backward(dys);
                  for (std::size_t i = 0; i < count; ++i) {
                    gradients[i] = Gradient(std::move(of_inputs[i]));
                  }
                  return gradients;
                });
}

Tensor recompute(std::function<Tensor(std::span<const Tensor>)> fn, std::vector<Tensor> inputs,
                 Recomputed recomputed) {
  const Replay::Fn of_many = [fn = std::move(fn)](std::span<const Tensor> in) {
    return std::vector<Tensor>{fn(in)};
  };
  return recompute(of_many, std::move(inputs), recomputed)[0];
}

}  // namespace ty

#include "parallel/comm/staged/staged.h"

#include <vector>

namespace ty {

namespace {

using Bytes = std::vector<std::byte>;

View view_of(Bytes& bytes, const View& x) {
  return contiguous_view(bytes.data(), x.dtype, {x.numel()});
}

// A call on the host whose result goes to `target` once; null data: it has none here.
class Staged final : public Work::State {
 public:
  Staged(const CommMemory& memory, const View& target) : memory_(memory), target_(target) {}

  Bytes in, out;  // what the call reads and writes
  Work work;

  bool test() override {
    if (!work.test()) return false;
    finish();
    return true;
  }
  void wait(double patience_seconds) override {
    work.wait(patience_seconds);
    finish();
  }

 private:
  void finish() {
    if (target_.data != nullptr) memory_.write(target_, out.data());
    target_.data = nullptr;
  }

  CommMemory memory_;
  View target_;
};

}  // namespace

Work StagedCommunicator::do_all_reduce(const View& x, ReduceOp op) {
  auto state = std::make_unique<Staged>(memory_, x);
  state->out = memory_.bytes_of(x);
  state->work = control_.all_reduce(view_of(state->out, x), op);
  return {std::move(state), *patience_};
}

Work StagedCommunicator::do_all_gather(const View& all, const View& own) {
  auto state = std::make_unique<Staged>(memory_, all);
  state->in = memory_.bytes_of(own);
  state->out.resize(all.bytes());
  state->work = control_.all_gather(view_of(state->out, all), view_of(state->in, own));
  return {std::move(state), *patience_};
}

Work StagedCommunicator::do_reduce_scatter(const View& own, const View& all, ReduceOp op) {
  auto state = std::make_unique<Staged>(memory_, own);
  state->in = memory_.bytes_of(all);
  state->out.resize(own.bytes());
  state->work = control_.reduce_scatter(view_of(state->out, own), view_of(state->in, all), op);
  return {std::move(state), *patience_};
}

Work StagedCommunicator::do_broadcast(const View& x, int root) {
  auto state = std::make_unique<Staged>(memory_, x);
  state->out = memory_.bytes_of(x);
  state->work = control_.broadcast(view_of(state->out, x), root);
  return {std::move(state), *patience_};
}

Work StagedCommunicator::do_send(const View& x, int peer, int tag) {
  auto state = std::make_unique<Staged>(memory_, View{});
  state->in = memory_.bytes_of(x);
  state->work = control_.send(view_of(state->in, x), peer, tag);
  return {std::move(state), *patience_};
}

Work StagedCommunicator::do_receive(const View& x, int peer, int tag) {
  auto state = std::make_unique<Staged>(memory_, x);
  state->out.resize(x.bytes());
  state->work = control_.receive(view_of(state->out, x), peer, tag);
  return {std::move(state), *patience_};
}

std::shared_ptr<Communicator> StagedCommunicator::do_split(int color, int key) {
  return std::make_shared<StagedCommunicator>(control_.split(color, key), memory_, patience_);
}

}  // namespace ty

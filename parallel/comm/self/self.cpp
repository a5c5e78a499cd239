#include "parallel/comm/self/self.h"

#include "core/base/error.h"

namespace ty {

namespace {
class Receive final : public Work::State {
 public:
  Receive(std::shared_ptr<Mailbox> mail, const CommMemory& memory, const View& x, int tag)
      : mail_(std::move(mail)), memory_(memory), ticket_(mail_->post_receive({0, 0, tag})), x_(x) {}
  bool test() override {
    if (done_) return true;
    if (!mail_->has(ticket_)) return false;
    mail_->take(ticket_, x_, memory_);
    return done_ = true;
  }
  void wait(double) override {
    if (test()) return;
    throw CommError("receive: a group of one rank waits for message {} with tag {} from itself",
                    ticket_.number, ticket_.address.tag);
  }

 private:
  std::shared_ptr<Mailbox> mail_;
  CommMemory memory_;
  Mailbox::Ticket ticket_;
  View x_;
  bool done_ = false;
};

}  // namespace

std::shared_ptr<Communicator> make_self_communicator() {
  return std::make_shared<SelfCommunicator>();
}

Work SelfCommunicator::do_all_gather(const View& all, const View& own) {
  memory_.copy(all, own);
  return {};
}

Work SelfCommunicator::do_reduce_scatter(const View& own, const View& all, ReduceOp) {
  memory_.copy(own, all);
  return {};
}

Work SelfCommunicator::do_send(const View& x, int, int tag) {
  mail_->put({0, 0, tag}, x.dtype, memory_.bytes_of(x));
  return {};
}

Work SelfCommunicator::do_receive(const View& x, int, int tag) {
  return {std::make_unique<Receive>(mail_, memory_, x, tag), 0.0};
}

std::shared_ptr<Communicator> SelfCommunicator::do_split(int, int) {
  return std::make_shared<SelfCommunicator>(memory_);
}

std::shared_ptr<Communicator> SelfCommunicator::do_on(Backend& backend) {
  return std::make_shared<SelfCommunicator>(CommMemory(backend));
}

}  // namespace ty

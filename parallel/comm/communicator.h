// Communicator: what ranks can say to each other. Group: the copyable handle that everything above
// passes around; a default one is a group of one rank.
//
// Every rank of a group makes the same calls in the same order. Views are contiguous and stay alive
// and untouched until the returned Work is done. Sums of bf16 and fp16 are taken in float. Calls
// are not differentiable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/view.h"

namespace ty {

enum class ReduceOp : std::uint8_t { sum, max, min };
std::string_view name_of(ReduceOp op);

// An operation under way. wait() must be called, once, before the data is used.
class Work {
 public:
  class State {
   public:
    virtual ~State() = default;
    // Makes progress; true when done.
    virtual bool test() = 0;
    virtual void wait() = 0;
  };

  Work() = default;  // already done
  explicit Work(std::unique_ptr<State> state) : state_(std::move(state)) {}
  bool test() { return state_ == nullptr || state_->test(); }
  void wait() {
    if (state_ != nullptr) state_->wait();
    state_.reset();
  }

 private:
  std::unique_ptr<State> state_;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // x = op over all ranks' x.
  virtual Work all_reduce(const View& x, ReduceOp op) = 0;
  // all = the ranks' own, one after the other; all holds size() times own's elements. own may be
  // this rank's part of all.
  virtual Work all_gather(const View& all, const View& own) = 0;
  // own = this rank's part of the op over all ranks' all. all may be overwritten.
  virtual Work reduce_scatter(const View& own, const View& all, ReduceOp op) = 0;
  virtual Work broadcast(const View& x, int root) = 0;
  // Messages between two ranks with equal tags arrive in the order in which they were sent.
  virtual Work send(const View& x, int peer, int tag) = 0;
  virtual Work receive(const View& x, int peer, int tag) = 0;
  virtual void barrier() = 0;
  // Ranks of equal color form a group, ordered by key; a collective call.
  virtual std::shared_ptr<Communicator> split(int color, int key) = 0;
};

class Group {
 public:
  Group();  // this rank alone
  explicit Group(std::shared_ptr<Communicator> communicator)
      : communicator_(std::move(communicator)) {}
  int rank() const { return communicator_->rank(); }
  int size() const { return communicator_->size(); }
  Work all_reduce(const View& x, ReduceOp op) const { return communicator_->all_reduce(x, op); }
  Work all_gather(const View& all, const View& own) const {
    return communicator_->all_gather(all, own);
  }
  Work reduce_scatter(const View& own, const View& all, ReduceOp op) const {
    return communicator_->reduce_scatter(own, all, op);
  }
  Work broadcast(const View& x, int root) const { return communicator_->broadcast(x, root); }
  Work send(const View& x, int peer, int tag = 0) const {
    return communicator_->send(x, peer, tag);
  }
  Work receive(const View& x, int peer, int tag = 0) const {
    return communicator_->receive(x, peer, tag);
  }
  void barrier() const { communicator_->barrier(); }
  Group split(int color, int key) const { return Group(communicator_->split(color, key)); }

  // Every rank's text, by rank.
  std::vector<std::string> all_gather_text(const std::string& own) const;
  // The op over all ranks' values.
  double all_reduce(double value, ReduceOp op) const;

 private:
  std::shared_ptr<Communicator> communicator_;
};

// Throws CommError unless the views are contiguous and their sizes fit a collective of `size`
// ranks.
void check_whole(const char* call, const View& x);
void check_parts(const char* call, const View& all, const View& own, int size);

// y = op(y, x), element by element, on host memory.
void combine(ReduceOp op, const View& y, const View& x);

}  // namespace ty

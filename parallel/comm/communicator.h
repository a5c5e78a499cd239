// Communicator: what ranks can say to each other. Group: the copyable handle that everything above
// passes around; a default one is a group of one rank.
//
// Every rank of a group makes the same calls in the same order. Views are contiguous and stay alive
// and untouched until the returned Work is done. All ranks bring equal counts: shards are even.
// Each addition of bf16 or fp16 is made in float and rounded; max and min keep NaN, so that no two
// ranks can disagree on it. Calls are not differentiable. After a CommError a group is of no use.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/view.h"

namespace ty {

enum class ReduceOp : std::uint8_t { sum, max, min };
std::string_view name_of(ReduceOp op);

// How long a rank waits for the others unless it is told otherwise, in seconds.
inline constexpr double kDefaultPatience = 600.0;
// Message tags of callers are in [0, kReservedTags); those above are this folder's own.
inline constexpr int kReservedTags = 1 << 14;

// An operation under way. wait() must be called before the data is used.
class [[nodiscard]] Work {
 public:
  class State {
   public:
    virtual ~State() = default;
    // Makes progress; true when done.
    virtual bool test() = 0;
    // Throws CommError, which names the late ranks, if it is not done in time; may be called again
    // then.
    virtual void wait(double patience_seconds) = 0;
  };

  Work() = default;  // already done
  Work(std::unique_ptr<State> state, double patience_seconds)
      : state_(std::move(state)), patience_seconds_(patience_seconds) {}
  // True when done. Throws CommError if it failed.
  bool test() { return state_ == nullptr || state_->test(); }
  // Blocks until it is done; throws CommError if a peer failed or patience has ended.
  void wait() { wait(patience_seconds_); }
  void wait(double patience_seconds) {
    if (state_ != nullptr) state_->wait(patience_seconds);
    state_.reset();
  }

 private:
  std::unique_ptr<State> state_;
  double patience_seconds_ = 0.0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // See Group::set_patience().
  virtual void set_patience(double) {}

  // x = op over all ranks' x.
  virtual Work all_reduce(const View& x, ReduceOp op) = 0;
  // all = the ranks' own, one after the other; all holds size() times own's elements. own may be
  // this rank's part of all.
  virtual Work all_gather(const View& all, const View& own) = 0;
  // own = this rank's part of the op over all ranks' all. all may be overwritten; own lies outside.
  virtual Work reduce_scatter(const View& own, const View& all, ReduceOp op) = 0;
  virtual Work broadcast(const View& x, int root) = 0;
  // Messages between two ranks with equal tags arrive in the order in which they were sent, in the
  // order in which receives were posted. A rank may send to itself.
  virtual Work send(const View& x, int peer, int tag) = 0;
  virtual Work receive(const View& x, int peer, int tag) = 0;
  virtual void barrier() = 0;
  // Ranks of equal color form a group, ordered by key, then rank; a collective call. A rank with a
  // negative color is left out of all: it gets a group of its own.
  virtual std::shared_ptr<Communicator> split(int color, int key) = 0;
  // The group of these ranks of ours, in this order. A collective call: every rank brings the list
  // that names itself, and lists are equal or have no rank in common.
  virtual std::shared_ptr<Communicator> subgroup(std::span<const int> members);
};

// This rank alone: what a serial run is made of (self/).
std::shared_ptr<Communicator> make_self_communicator();

class Group {
 public:
  Group() : Group(make_self_communicator()) {}  // this rank alone
  explicit Group(std::shared_ptr<Communicator> communicator)
      : communicator_(std::move(communicator)) {}
  int rank() const { return communicator_->rank(); }
  int size() const { return communicator_->size(); }
  // How long this rank's calls that begin from now on, in this group and all others of its world,
  // wait for the others before the late ones are named in a CommError.
  void set_patience(double seconds) const { communicator_->set_patience(seconds); }
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
  Group subgroup(std::span<const int> members) const {
    return Group(communicator_->subgroup(members));
  }

  // Every rank's text, by rank.
  std::vector<std::string> all_gather_text(const std::string& own) const;
  // The op over all ranks' values.
  double all_reduce(double value, ReduceOp op) const;

 private:
  std::shared_ptr<Communicator> communicator_;
};

// Checks of arguments, before anything is sent; each throws CommError. A view must be contiguous,
// all must hold own once per rank, a rank or tag must exist.
void check_whole(const char* call, const View& x);
void check_parts(const char* call, const View& all, const View& own, int size);
void check_rank(const char* call, int rank, int size);
void check_message(const char* call, const View& x, int peer, int tag, int size);

// y = op(y, x), element by element, on host memory.
void combine(ReduceOp op, const View& y, const View& x);

}  // namespace ty

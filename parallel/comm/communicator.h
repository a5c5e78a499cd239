// Communicator: what ranks can say to each other. Group: the copyable handle that everything above
// passes around; a default one is a group of one rank.
//
// Every rank of a group makes the same calls in the same order. Views are contiguous and stay alive
// and untouched until the returned Work is done. All ranks bring equal counts: shards are even.
// Each addition of bf16 or fp16 is made in float and rounded; max and min keep NaN, so that no two
// ranks can disagree on it. Calls are not differentiable. After a CommError a group is of no use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/view.h"
#include "parallel/comm/counts.h"
#include "parallel/comm/work.h"

namespace ty {

class Backend;
class Watch;

enum class ReduceOp : std::uint8_t { sum, max, min };
std::string_view name_of(ReduceOp op);

// Message tags of callers are in [0, kReservedTags); those above are this folder's own.
inline constexpr int kReservedTags = 1 << 14;

// Calls are checked and counted here, once for all transports; a transport implements do_*(), whose
// arguments are good.
class Communicator {
 public:
  virtual ~Communicator() = default;
  int rank() const { return rank_; }
  int size() const { return size_; }
  // See Group::set_patience().
  virtual void set_patience(double) {}
  // By which a transport that stands on this one finds out who is late; null: by nothing.
  virtual std::shared_ptr<Watch> watch() { return nullptr; }

  // All calls throw CommError, before anything is sent, for a view that is not contiguous, parts
  // that do not make up the whole, and a rank or tag that does not exist.

  // x = op over all ranks' x.
  Work all_reduce(const View& x, ReduceOp op);
  // all = the ranks' own, one after the other; all holds size() times own's elements. own may be
  // this rank's part of all.
  Work all_gather(const View& all, const View& own);
  // own = this rank's part of the op over all ranks' all. all may be overwritten; own lies outside.
  Work reduce_scatter(const View& own, const View& all, ReduceOp op);
  Work broadcast(const View& x, int root);
  // Messages between two ranks with equal tags arrive in the order in which they were sent, in the
  // order in which receives were posted. A rank may send to itself.
  Work send(const View& x, int peer, int tag);
  Work receive(const View& x, int peer, int tag);
  void barrier();
  // Ranks of equal color form a group, ordered by key, then rank; a collective call. A rank with a
  // negative color is left out of all: it gets a group of its own.
  std::shared_ptr<Communicator> split(int color, int key) { return do_split(color, key); }
  // The group of these ranks of ours, in this order. A collective call: every rank brings the list
  // that names itself, and lists are equal or have no rank in common. Throws CommError if they are
  // not.
  std::shared_ptr<Communicator> subgroup(std::span<const int> members);
  // See Group::on(). A group of its own, with counts of its own.
  std::shared_ptr<Communicator> on(Backend& backend);
  // From now on, on(backend) is `plane`: the same ranks in the same order.
  void set_plane(Backend& backend, std::shared_ptr<Communicator> plane);

  // Of this rank's calls in this group, since it was made.
  const CommCounts& counts(CommCall call) const { return counts_[static_cast<std::size_t>(call)]; }

 protected:
  Communicator(int rank, int size) : rank_(rank), size_(size) {}

 private:
  virtual Work do_all_reduce(const View& x, ReduceOp op) = 0;
  virtual Work do_all_gather(const View& all, const View& own) = 0;
  virtual Work do_reduce_scatter(const View& own, const View& all, ReduceOp op) = 0;
  virtual Work do_broadcast(const View& x, int root) = 0;
  virtual Work do_send(const View& x, int peer, int tag) = 0;
  virtual Work do_receive(const View& x, int peer, int tag) = 0;
  virtual void do_barrier() = 0;
  virtual std::shared_ptr<Communicator> do_split(int color, int key) = 0;
  // `own` is this rank's place in `members`.
  virtual std::shared_ptr<Communicator> do_subgroup(std::span<const int> members, int own);
  // A transport that knows host memory alone throws CommError.
  virtual std::shared_ptr<Communicator> do_on(Backend& backend);

  void count(CommCall call, std::int64_t bytes);

  int rank_, size_;
  std::array<CommCounts, kCommCalls.size()> counts_{};
  std::map<Backend*, std::shared_ptr<Communicator>> planes_;
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
  // The same ranks, for views in this backend's memory: tensors go over group.on(backend), numbers
  // and texts of the host over the group that Mesh made. The group itself if that memory is the
  // host's. A collective call. Throws CommError if the transport does not reach that memory.
  Group on(Backend& backend) const;
  // From now on, on(backend) is `plane` (see Mesh::carry_over()).
  void set_plane(Backend& backend, const Group& plane) const {
    communicator_->set_plane(backend, plane.communicator_);
  }
  // See Communicator::watch().
  std::shared_ptr<Watch> watch() const { return communicator_->watch(); }
  // See Communicator::counts().
  const CommCounts& counts(CommCall call) const { return communicator_->counts(call); }
  // The bytes of all kinds of calls.
  std::int64_t sent_bytes() const;

  // Every rank's text, by rank. This and the next one speak of host memory.
  std::vector<std::string> all_gather_text(const std::string& own) const;
  // The op over all ranks' values.
  double all_reduce(double value, ReduceOp op) const;

 private:
  std::shared_ptr<Communicator> communicator_;
};

// y = op(y, x), element by element, on host memory.
void combine(ReduceOp op, const View& y, const View& x);

}  // namespace ty

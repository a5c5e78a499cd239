// MessageChannel: messages of one tag from one rank to another, in the order in which they are
// sent.
//
// NCCL knows no tags, and runs what one communicator has been given in one order; a receive that is
// posted ahead would hold up all that comes after it. So a channel is a communicator of its own, of
// two ranks, with a stream of its own. It is made at the first message: the receiver draws an id
// and sends it over the host's group, then both join, without waiting for each other: what is
// posted until then is launched by a later progress().
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>

#include "core/base/view.h"
#include "parallel/comm/communicator.h"
#include "parallel/comm/nccl/nccl_comm.h"

namespace ty {

class MessageChannel final : public GpuProgress {
 public:
  enum class End { sends, receives };

  // This rank's end of the channel to `peer` of the host's group.
  MessageChannel(std::shared_ptr<GpuSession> session, const Group& control, int peer, int tag,
                 End end);
  MessageChannel(const MessageChannel&) = delete;
  MessageChannel& operator=(const MessageChannel&) = delete;
  ~MessageChannel() override { session_->remove(this); }

  // x is not empty.
  void post(const View& x, const std::shared_ptr<GpuCall>& call);
  void progress() override;

 private:
  static constexpr int kIdWords = NCCL_UNIQUE_ID_BYTES / sizeof(std::int32_t);
  struct Posted {
    View x;
    std::shared_ptr<GpuCall> call;
    GpuEvent ready;  // the kernels before it
  };
  void join();
  bool is_open();
  void launch(const Posted& message);

  std::shared_ptr<GpuSession> session_;
  End end_;
  std::array<std::int32_t, kIdWords> id_ = {};
  Work id_transfer_;
  std::unique_ptr<NcclComm> comm_;  // null: not joined yet
  bool is_open_ = false;
  cudaStream_t stream_ = nullptr;
  std::deque<Posted> posted_;
};

}  // namespace ty

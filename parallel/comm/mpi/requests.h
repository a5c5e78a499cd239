// A pending MPI call, and waiting for it with limited patience.
#pragma once

#include <memory>
#include <vector>

#include "parallel/comm/communicator.h"
#include "parallel/comm/mpi/alarm.h"
#include "parallel/comm/mpi/mpi_call.h"
#include "parallel/comm/pending_call.h"

namespace ty {

// One call and its requests; there are several if the message is sent in pieces.
class Requests final : public Work::State {
 public:
  Requests(const PendingCall& what, std::vector<MPI_Request> requests, std::shared_ptr<Alarm> alarm)
      : what_(what), requests_(std::move(requests)), alarm_(std::move(alarm)) {}

  // For a receive: the lengths that its pieces must have.
  void expect_counts(std::vector<int> counts) { expected_ = std::move(counts); }

  bool test() override;
  void wait(double patience_seconds) override;

 private:
  // Needed because MPI accepts messages that are shorter than requested.
  void check_lengths(const std::vector<MPI_Status>& statuses) const;

  PendingCall what_;
  std::vector<MPI_Request> requests_;
  std::vector<int> expected_;
  std::shared_ptr<Alarm> alarm_;
  bool done_ = false;
};

}  // namespace ty

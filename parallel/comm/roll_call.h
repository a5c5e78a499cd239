// Finds out who is late. A rank whose patience ends asks all others where they are; those that are
// waiting too answer with the call they wait in, and those that do not answer are late. Independent
// of the transport.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace ty {

class RollCall {
 public:
  // A roll call among these ranks of the world; `own` has waited for `waited_seconds` in `call`.
  RollCall(std::vector<int> ranks, int own, const std::string& call, double waited_seconds);
  // A rank has answered that it is waiting in this call.
  void answer(int rank, const std::string& call) { calls_[rank] = call; }
  bool is_complete() const { return calls_.size() == ranks_.size(); }
  // The message for the user: "rank 1 is late: ...", or that all are waiting, and in which calls.
  std::string verdict() const;

 private:
  std::vector<int> late() const;
  std::string places() const;

  std::vector<int> ranks_;
  double waited_seconds_;
  std::map<int, std::string> calls_;  // of the ranks that have answered
};

}  // namespace ty

#include "parallel/comm/mpi/alarm.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "parallel/comm/roll_call.h"

namespace ty {

namespace {

constexpr double kCollecting = 0.7;  // seconds

}  // namespace

// Short enough that a send never waits for its receiver.
struct Alarm::Message {
  enum class Kind : int { question, answer, verdict };

  Kind kind = Kind::question;
  int from = 0;
  int number = 0;  // of the asking rank's roll call
  std::array<char, 500> text = {};

  Message() = default;
  Message(Kind k, int sender, int roll_call, const std::string& words)
      : kind(k), from(sender), number(roll_call) {
    words.copy(text.data(), text.size() - 1);
  }
};

struct Alarm::Letter {
  Message message;
  MPI_Request request = MPI_REQUEST_NULL;
};

Alarm::Alarm(MPI_Comm world) {
  TY_MPI_CALL(MPI_Comm_dup(world, &comm_));
  TY_MPI_CALL(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN));
  TY_MPI_CALL(MPI_Comm_rank(comm_, &rank_));
  TY_MPI_CALL(MPI_Comm_size(comm_, &size_));
}

Alarm::~Alarm() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized == 0) MPI_Comm_free(&comm_);
}

void Alarm::send(int rank, const Message& message) {
  letters_.remove_if([](Letter& letter) {
    int done = 0;
    MPI_Test(&letter.request, &done, MPI_STATUS_IGNORE);
    return done != 0;
  });
  Letter& letter = letters_.emplace_back(Letter{message, MPI_REQUEST_NULL});
  TY_MPI_CALL(
      MPI_Isend(&letter.message, sizeof(Message), MPI_BYTE, rank, 0, comm_, &letter.request));
}

bool Alarm::receive(Message& message) {
  int there = 0;
  MPI_Status status;
  TY_MPI_CALL(MPI_Iprobe(MPI_ANY_SOURCE, 0, comm_, &there, &status));
  if (there == 0) return false;
  TY_MPI_CALL(MPI_Recv(&message, sizeof(Message), MPI_BYTE, status.MPI_SOURCE, 0, comm_,
                       MPI_STATUS_IGNORE));
  message.text.back() = '\0';
  return true;
}

void Alarm::reply(const Message& message, const std::string& call) {
  const std::pair question(message.from, message.number);
  if (message.kind == Message::Kind::question) {
    answered_.insert(question);
    send(message.from, {Message::Kind::answer, rank_, message.number, call});
  } else if (message.kind == Message::Kind::verdict && answered_.contains(question)) {
    throw CommError("{}", message.text.data());
  }
}

void Alarm::attend(const std::string& call) {
  for (Message message; receive(message);) reply(message, call);
}

void Alarm::raise(const std::string& call, double waited_seconds,
                  const std::function<bool()>& done) {
  std::vector<int> ranks(static_cast<std::size_t>(size_));
  std::iota(ranks.begin(), ranks.end(), 0);
  RollCall roll(ranks, rank_, call, waited_seconds);
  std::vector<int> awake;
  ++raised_;
  for (const int rank : ranks) {
    if (rank != rank_) send(rank, {Message::Kind::question, rank_, raised_, call});
  }
  for (const Stopwatch watch; watch.seconds() < kCollecting; sched_yield()) {
    if (done()) return;
    Message message;
    if (roll.is_complete() || !receive(message)) continue;
    reply(message, call);
    if (message.kind != Message::Kind::answer || message.number != raised_) continue;
    roll.answer(message.from, message.text.data());
    awake.push_back(message.from);
  }
  const std::string verdict = roll.verdict();
  for (const int rank : awake) send(rank, {Message::Kind::verdict, rank_, raised_, verdict});
  throw CommError("{}", verdict);
}

}  // namespace ty

#include "launch/rank.h"

#include <chrono>
#include <filesystem>
#include <new>
#include <system_error>
#include <thread>

#include "core/io/file.h"
#include "launch/output.h"

namespace ty {

namespace {

// How long the first rank has to say what is wrong, and to end the job, before another rank does.
constexpr std::chrono::seconds kFirstWord(1);

Failure failure_of(const std::filesystem::filesystem_error& error) {
  return {ExitCode::io, "", io_error_text(error.path1(), "use it", error.code().value())};
}

}  // namespace

Failure current_failure() {
  try {
    throw;
  } catch (const Error& e) {
    return {e.code(), e.key(), e.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::out_of_memory, "",
            "the system has no memory left; lower data.batch, raise parallel.microbatches or "
            "recompute"};
  } catch (const std::filesystem::filesystem_error& e) {
    return failure_of(e);
  } catch (const std::system_error& e) {
    const std::string lost = lost_results();  // the formatting library throws this too
    return {ExitCode::io, "",
            lost.empty() ? fmt::format("the system refused: {}", e.what()) : lost};
  } catch (const std::exception& e) {
    return {ExitCode::internal, "", e.what()};
  }
}

void rethrow(const Failure& failure) {
  const std::size_t said = failure.key.empty() ? 0 : failure.key.size() + 2;  // "KEY: "
  throw Error(failure.code, Key{failure.key}, failure.reason.substr(said));
}

int report_failure(const RankStatus& status, const Failure& failure) {
  // Ranks that fail alike do so at about the same time, and the first rank ends the job before the
  // others get to speak; what only they have found they say a little later.
  if (status.rank > 0) std::this_thread::sleep_for(kFirstWord);
  std::string where;
  if (status.size > 1 || status.step >= 0) {
    where = fmt::format("[rank {}", status.rank);
    if (status.step >= 0) where += fmt::format(" step {}", status.step);
    where += "] ";
  }
  remark(fmt::format("trainyard: {}{}", where, failure.reason));
  if (status.size > 1 && status.abort_job != nullptr) {
    status.abort_job(static_cast<int>(failure.code));
  }
  return static_cast<int>(failure.code);
}

}  // namespace ty

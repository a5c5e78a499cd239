#include "launch/process/failure.h"

#include <filesystem>
#include <new>
#include <system_error>

#include "core/io/file.h"
#include "launch/process/output.h"

namespace ty {

namespace {

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
            "the system has no memory left; in training lower data.batch, raise "
            "parallel.microbatches or recompute"};
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

}  // namespace ty

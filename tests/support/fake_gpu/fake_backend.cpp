#include "tests/support/fake_gpu/fake_backend.h"

#include <sched.h>

#include <cmath>
#include <cstring>
#include <optional>

namespace ty::test {

// Of memory that may be freed before it is read, as late as the stream allows.
class FakeBackend::LateCopy final : public HostCopy {
 public:
  LateCopy(FakeBackend& backend, const View& x)
      : backend_(backend), bytes_(std::make_shared<std::vector<std::byte>>(x.bytes())) {
    backend.put("late read",
                [=, bytes = bytes_] { std::memcpy(bytes->data(), x.data, bytes->size()); },
                {fake_read(x)});
    FakeGpu::get().record(done_, *backend.stream_);
  }
  void take(void* host) override {
    backend_.wait_for(done_);
    std::memcpy(host, bytes_->data(), bytes_->size());
  }

 private:
  FakeBackend& backend_;
  std::shared_ptr<std::vector<std::byte>> bytes_;
  FakeEvent done_;
};

FakeBackend::~FakeBackend() {
  constexpr double kPatience = 5.0;  // seconds
  FakeGpu::get().leave(stream_->rank, kPatience);
}

void FakeBackend::put(const char* name, std::function<void()> run,
                      const std::vector<FakeAccess>& accesses) {
  FakeGpu::get().put(*stream_, {.name = name, .run = std::move(run)}, accesses);
}

void FakeBackend::wait_for(const FakeEvent& event) {
  ++synchronizations_;
  if (observer_ != nullptr) observer_->begin();
  while (!FakeGpu::get().reach(event.target)) {
    if (observer_ != nullptr) observer_->look();
    sched_yield();
  }
  FakeGpu::get().host_has_seen(event);
}

void FakeBackend::synchronize() {
  FakeEvent all;
  FakeGpu::get().record(all, *stream_);
  wait_for(all);
}

void FakeBackend::read(void* host, const View& x) {
  DeclaringBackend::read(host, x);
  synchronize();
}

void FakeBackend::write(const View& y, const void* host) {
  DeclaringBackend::write(y, host);
  synchronize();
}

void FakeBackend::clip_factor(const View& factor, const View& squares, const View& loss,
                              double limit, double scale) {
  put_views("clip_factor",
            [=] {
              const double norm = std::sqrt(*squares.as<double>()) / scale;
              const bool is_finite = std::isfinite(norm) && std::isfinite(*loss.as<double>()) &&
                                     std::isfinite(*factor.as<double>());
              const double clipped = limit > 0.0 && norm > limit ? limit / (norm + 1e-6) : 1.0;
              *factor.as<double>() = is_finite ? clipped / scale : std::nan("");
            },
            {factor}, {squares, loss});
}

namespace {

// `options` with the factor that is there when the step runs; nothing if it forbids the step.
template <typename Options>
std::optional<Options> scaled(Options options, const View& factor) {
  if (factor.data == nullptr) return options;
  options.gradient_scale *= *factor.as<double>();
  return std::isnan(options.gradient_scale) ? std::nullopt : std::optional(options);
}

}  // namespace

void FakeBackend::adamw(const View& w, const View& m, const View& v, const View& low,
                        const View& gradient, const AdamW& options) {
  put_views("adamw",
            [=, this, factor = factor_] {
              if (const auto o = scaled(options, factor)) math_.adamw(w, m, v, low, gradient, *o);
            },
            {w, m, v, low}, {gradient, factor_});
}

void FakeBackend::sgd(const View& w, const View& v, const View& low, const View& gradient,
                      const Sgd& options) {
  put_views("sgd",
            [=, this, factor = factor_] {
              const auto o = scaled(options, factor);
              if (o) math_.sgd(w, v, low, gradient, options.is_clipped ? *o : options);
            },
            {w, v, low}, {gradient, factor_});
}

std::unique_ptr<HostCopy> FakeBackend::start_read(const View& x) {
  return std::make_unique<LateCopy>(*this, x);
}

}  // namespace ty::test

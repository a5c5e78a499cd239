// A backend that counts: the reference's arithmetic on host memory, which it gives out as a
// device's own if told so. What is to travel in that memory must then be read, written or copied by
// it; what is not, must leave the counts alone.
#pragma once

#include "core/backend/reference/reference_backend.h"

namespace ty::test {

class CountingBackend : public ReferenceBackend {
 public:
  explicit CountingBackend(bool has_host_memory = true) : has_host_memory_(has_host_memory) {}

  std::int64_t copies = 0;   // read(), write() and copy()
  std::int64_t reads = 0;    // read()
  std::int64_t updates = 0;  // adamw() and sgd()
  std::int64_t sums = 0;     // sum_squares()

  bool has_host_memory() const override { return has_host_memory_; }
  void read(void* host, const View& x) override {
    ++copies;
    ++reads;
    ReferenceBackend::read(host, x);
  }
  void write(const View& y, const void* host) override {
    ++copies;
    ReferenceBackend::write(y, host);
  }
  void copy(const View& y, const View& x) override {
    ++copies;
    ReferenceBackend::copy(y, x);
  }
  void sum_squares(const View& y, const View& x) override {
    ++sums;
    ReferenceBackend::sum_squares(y, x);
  }
  void adamw(const View& w, const View& m, const View& v, const View& low, const View& gradient,
             const AdamW& options) override {
    ++updates;
    ReferenceBackend::adamw(w, m, v, low, gradient, options);
  }
  void sgd(const View& w, const View& v, const View& low, const View& gradient,
           const Sgd& options) override {
    ++updates;
    ReferenceBackend::sgd(w, v, low, gradient, options);
  }

 private:
  bool has_host_memory_;
};

}  // namespace ty::test

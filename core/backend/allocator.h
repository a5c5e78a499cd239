// Allocator: every byte that a backend hands out, counted by purpose.
//
// Freed blocks are cached for reuse (fresh pages are what makes large outputs slow). Counts are of
// live requested bytes, so they are exact, repeatable and equal on every machine. Thread-safe. Each
// backend has its own allocator, so ranks that share a process are counted separately.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

namespace ty {

enum class MemoryClass : std::uint8_t {
  parameter,      // weights (and the low-precision copies of them)
  gradient,       // of parameters
  optimizer,      // moments, master weights
  activation,     // kept from forward for backward, and model inputs
  workspace,      // everything transient: op outputs nobody keeps, scratch
  communication,  // buffers of collectives and transfers
};
inline constexpr std::size_t kMemoryClasses = 6;
std::string_view name_of(MemoryClass memory_class);

struct MemoryStats {
  std::array<std::int64_t, kMemoryClasses> live{};     // bytes now
  std::array<std::int64_t, kMemoryClasses> peak{};     // most ever live in this class
  std::array<std::int64_t, kMemoryClasses> at_peak{};  // live per class when the total was largest
  std::int64_t total_live = 0;
  std::int64_t total_peak = 0;
  std::int64_t of(MemoryClass c) const { return live[static_cast<std::size_t>(c)]; }
  std::int64_t peak_of(MemoryClass c) const { return peak[static_cast<std::size_t>(c)]; }
};

class Allocator {
 public:
  virtual ~Allocator() = default;
  Allocator() = default;
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  // At least `bytes` bytes, 64-byte aligned, uninitialised. Throws OutOfMemoryError.
  void* allocate(std::size_t bytes, MemoryClass memory_class);
  // Returns a block of allocate(); size and class as currently counted.
  void release(void* block, std::size_t bytes, MemoryClass memory_class) noexcept;
  // Counts a live block under another class from now on.
  void reclassify(std::size_t bytes, MemoryClass from, MemoryClass to);

  MemoryStats stats() const;
  // Resets the peaks to what is live now.
  void reset_peak();

 protected:
  // Real memory; nullptr when there is none.
  virtual void* obtain(std::size_t bytes) = 0;
  virtual void give_back(void* block, std::size_t bytes) noexcept = 0;
  // Derived destructors call this while their give_back still exists.
  void drop_cached() noexcept;

 private:
  void add(std::int64_t bytes, MemoryClass memory_class);

  mutable std::mutex mutex_;
  MemoryStats stats_;
  std::multimap<std::size_t, void*> cached_;  // capacity -> block
};

// Host memory; blocks of 4 MiB and more ask for huge pages.
class HostAllocator final : public Allocator {
 public:
  ~HostAllocator() override { drop_cached(); }

 protected:
  void* obtain(std::size_t bytes) override;
  void give_back(void* block, std::size_t bytes) noexcept override;
};

// Addresses without memory behind them: a dry run can count the bytes of any model on any machine.
class PhantomAllocator final : public Allocator {
 public:
  ~PhantomAllocator() override { drop_cached(); }

 protected:
  void* obtain(std::size_t bytes) override;
  void give_back(void* block, std::size_t bytes) noexcept override;

 private:
  std::uintptr_t next_ = std::uintptr_t{1} << 48;  // above every address of a user process
};

}  // namespace ty

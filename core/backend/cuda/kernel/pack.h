// Packs: adjacent elements that one thread reads or writes at once, 16 bytes where all allows it.
#pragma once

#include <algorithm>

#include "core/backend/cuda/kernel/numbers.h"
#include "core/backend/cuda/kernel/portable.h"

namespace ty::cuda::kernel {

inline constexpr std::int64_t kPackBytes = 16;

template <typename C, int V>
struct Pack {
  C v[V];
  TY_DEVICE C& operator[](int i) { return v[i]; }
  TY_DEVICE const C& operator[](int i) const { return v[i]; }
};

// V elements as they lie in memory, aligned to their common size.
template <typename T, int V>
struct alignas(sizeof(T) * V) Stored {
  T v[V];
};

// p aligned to V elements.
template <typename C, int V, typename T>
TY_DEVICE Pack<C, V> load(const T* p) {
  Pack<C, V> pack;
  if constexpr (std::is_same_v<T, Nothing>) {
    TY_UNROLL for (int i = 0; i < V; ++i) pack[i] = C(0);
  } else {
    const auto stored = *reinterpret_cast<const Stored<T, V>*>(p);
    TY_UNROLL for (int i = 0; i < V; ++i) pack[i] = widen<C>(stored.v[i]);
  }
  return pack;
}
template <int V, typename T, typename C>
TY_DEVICE void store(T* p, const Pack<C, V>& pack) {
  Stored<T, V> stored;
  TY_UNROLL for (int i = 0; i < V; ++i) stored.v[i] = narrow<T>(pack[i]);
  *reinterpret_cast<Stored<T, V>*>(p) = stored;
}
// One element, V times.
template <typename C, int V, typename T>
TY_DEVICE Pack<C, V> repeat(const T* p) {
  Pack<C, V> pack;
  const C value = load<C, 1>(p)[0];
  TY_UNROLL for (int i = 0; i < V; ++i) pack[i] = value;
  return pack;
}

// How many elements of these types make a pack. fp64, in which things are checked and not trained,
// goes one by one.
template <typename... T>
inline constexpr int kPack = (std::is_same_v<T, double> || ...)
                                 ? 1
                                 : static_cast<int>(kPackBytes / std::max({kSize<T>...}));

}  // namespace ty::cuda::kernel

#include "parallel/data/replica_check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/io/hash.h"

namespace ty {

namespace {

constexpr std::size_t kDigits = 12;  // of a hash in a message
constexpr std::size_t kHashLength = 32;
constexpr std::size_t kIndexLength = 8;

void add(ContentHash& hash, Backend& backend, const View& view, std::vector<std::byte>& host) {
  host.resize(view.bytes());
  backend.read(host.data(), view);
  hash.update(host);
}

// By parameter, in the store's order.
std::vector<std::string> hashes_of(const FlatParameters& parameters, bool is_sharded) {
  std::vector<std::string> hashes;
  std::vector<std::byte> host;
  for (std::size_t i = 0; i < parameters.store().all().size(); ++i) {
    ContentHash hash;
    const View read = parameters.store().all()[i].value.view();
    add(hash, parameters.backend(), read, host);
    const View updated = parameters.weight_of(i).view();
    if (updated.data != read.data && !is_sharded) add(hash, parameters.backend(), updated, host);
    hashes.push_back(hash.hex());
  }
  return hashes;
}

std::string hash_at(const std::string& list, std::size_t i) {
  return list.substr(i * kHashLength, kHashLength);
}

// "3f2a.. on ranks 0 and 2, 77c1.. on rank 1", by first rank.
std::string who_holds_what(const std::vector<std::string>& lists, std::size_t at,
                           const std::vector<int>& ranks) {
  std::vector<std::string> parts;
  for (std::size_t first = 0; first < lists.size(); ++first) {
    const std::string hash = hash_at(lists[first], at);
    std::vector<int> holders;
    std::size_t earlier = 0;
    for (std::size_t r = 0; r < lists.size(); ++r) {
      if (hash_at(lists[r], at) != hash) continue;
      holders.push_back(ranks[r]);
      if (r < first) ++earlier;
    }
    if (earlier > 0) continue;
    parts.push_back(fmt::format("{} on rank{} {}", hash.substr(0, kDigits),
                                holders.size() > 1 ? "s" : "", fmt::join(holders, " and ")));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// The first of these parameters that differs along an axis, as its index with leading zeros and a
// text; "" if none does. All ranks of the group get the same digests, and so they agree on whether
// the lists, which are longer, are sent.
std::string first_difference(const Group& group, const std::vector<int>& ranks,
                             const ParameterStore& store, const std::vector<std::string>& hashes,
                             const std::vector<std::size_t>& compared) {
  std::string own;
  for (const std::size_t i : compared) own += hashes[i];
  const auto digests = group.all_gather_text(content_hash(std::as_bytes(std::span(own))));
  if (std::equal(digests.begin() + 1, digests.end(), digests.begin())) return "";
  const std::vector<std::string> lists = group.all_gather_text(own);
  for (std::size_t k = 0; k < compared.size(); ++k) {
    const bool differs = std::any_of(lists.begin(), lists.end(), [&](const std::string& list) {
      return hash_at(list, k) != hash_at(lists[0], k);
    });
    if (!differs) continue;
    return fmt::format("{:0{}}weight {} is not the same on ranks that share it: {}", compared[k],
                       kIndexLength, store.all()[compared[k]].name,
                       who_holds_what(lists, k, ranks));
  }
  return "";
}

}  // namespace

void check_replicas(const FlatParameters& parameters, const Mesh& mesh, bool is_sharded,
                    std::int64_t step) {
  const ParameterStore& store = parameters.store();
  const std::vector<std::string> hashes = hashes_of(parameters, is_sharded);
  std::vector<std::size_t> all, whole, tied;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    all.push_back(i);
    if (store.all()[i].placement.slice.dim < 0) whole.push_back(i);
    if (store.all()[i].placement.partial.has(Axis::pipeline)) tied.push_back(i);
  }
  const int rank = mesh.world().rank();
  // Every rank asks along all axes whatever it finds along the first, and nobody throws before all
  // ranks know: each axis is a collective of its own group.
  std::string found = first_difference(mesh.data(), ranks_along(Axis::data, rank, mesh.shape()),
                                       store, hashes, all);
  const std::string along_tensor = first_difference(
      mesh.tensor(), ranks_along(Axis::tensor, rank, mesh.shape()), store, hashes, whole);
  const std::string between_ends = first_difference(
      mesh.ends(), ends_along(Axis::pipeline, rank, mesh.shape()), store, hashes, tied);
  for (const std::string& text : {along_tensor, between_ends}) {
    if (found.empty() || (!text.empty() && text < found)) found = text;
  }
  std::string first;
  for (const std::string& text : mesh.world().all_gather_text(found)) {
    if (!text.empty() && (first.empty() || text < first)) first = text;
  }
  if (first.empty()) return;
  throw InternalError(
      "after step {}: {}; memory or network of one of them is at fault, or this program: resume "
      "from an earlier checkpoint",
      step, first.substr(kIndexLength));
}

}  // namespace ty

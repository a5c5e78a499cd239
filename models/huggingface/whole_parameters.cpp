// Gathering whole parameters, one at a time, on rank 0 of a tensor group.
//
// Rank 0 says by broadcast which parameter it wants; then every other rank sends where its part
// lies and the part, and rank 0 receives them in rank order. kDone ends it, whether the writer is
// through or has failed. So all ranks make the same calls, and none but rank 0 need know in which
// order a file wants its tensors, or that a disk is full.
#include <algorithm>
#include <array>
#include <exception>
#include <memory>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/base/host_copy.h"
#include "models/huggingface/host_tensor.h"
#include "models/huggingface/model_writer.h"

namespace ty {

namespace {

constexpr std::int64_t kDone = -1;

// Where a part lies: dimension, first, count without padding, size of the whole.
using PartPlace = std::array<std::int64_t, 4>;

View view_of(PartPlace& place) {
  return contiguous_view(place.data(), DType::i64, {std::ssize(place)});
}

class Gathering {
 public:
  Gathering(const FlatParameters& parameters, Content content, const Group& tensor)
      : parameters_(parameters), content_(content), tensor_(tensor) {}

  // Rank 0.
  void gather(std::size_t i, const View& whole) const {
    const Parameter& parameter = parameters_.store().all()[i];
    const Slice& cut = parameter.placement.slice;
    const Tensor value = value_of(i);
    if (cut.dim < 0) return value.backend().read(whole.data, value.view());
    announce(static_cast<std::int64_t>(i));
    PartPlace place = place_of(parameter);
    host_copy(own_part(i)->view, whole.slice(cut.dim, place[1], place[2]));
    std::int64_t found = place[2];
    for (int rank = 1; rank < tensor_.size(); ++rank) {
      tensor_.receive(view_of(place), rank).wait();
      TY_CHECK(place[0] == cut.dim && place[3] == cut.whole,
               "{}: tensor rank {} cuts dimension {} of {}, rank 0 dimension {} of {}",
               parameter.name, rank, place[0], place[3], cut.dim, cut.whole);
      if (place[2] == 0) continue;
      Shape shape = parameter.shape;
      shape[cut.dim] = place[2];
      const HostTensor part(whole.dtype, shape);
      tensor_.receive(part.view, rank).wait();
      host_copy(part.view, whole.slice(cut.dim, place[1], place[2]));
      found += place[2];
    }
    TY_CHECK(found == cut.whole, "{}: the parts of {} tensor ranks hold {} of {}", parameter.name,
             tensor_.size(), found, cut.whole);
  }
  void finish() const { announce(kDone); }

  // The other ranks.
  void serve() const {
    for (std::int64_t i = announce(kDone); i != kDone; i = announce(kDone)) {
      const auto index = static_cast<std::size_t>(i);
      PartPlace place = place_of(parameters_.store().all()[index]);
      tensor_.send(view_of(place), 0).wait();
      if (place[2] > 0) tensor_.send(own_part(index)->view, 0).wait();
    }
  }

  Tensor value_of(std::size_t i) const {
    return content_ == Content::weights ? parameters_.weight_of(i)
                                        : leaf_of(parameters_.store().all()[i].value).grad;
  }

 private:
  // Rank 0's value, on all ranks.
  std::int64_t announce(std::int64_t value) const {
    tensor_.broadcast(contiguous_view(&value, DType::i64, {1}), 0).wait();
    return value;
  }
  static PartPlace place_of(const Parameter& parameter) {
    const Slice& cut = parameter.placement.slice;
    const std::int64_t count = unpadded_shape(parameter.shape, cut)[cut.dim];
    return {cut.dim, count == 0 ? 0 : cut.first, count, cut.whole};
  }
  // This rank's part on the host, contiguous, without padding.
  std::unique_ptr<HostTensor> own_part(std::size_t i) const {
    const Parameter& parameter = parameters_.store().all()[i];
    const Tensor value = value_of(i);
    auto padded = std::make_unique<HostTensor>(value.dtype(), parameter.shape);
    value.backend().read(padded->view.data, value.view());
    const Slice& cut = parameter.placement.slice;
    const Shape shape = unpadded_shape(parameter.shape, cut);
    if (shape == parameter.shape) return padded;
    auto part = std::make_unique<HostTensor>(value.dtype(), shape);
    host_copy(padded->view.slice(cut.dim, 0, shape[cut.dim]), part->view);
    return part;
  }

  const FlatParameters& parameters_;
  Content content_;
  const Group& tensor_;
};

}  // namespace

void with_whole_parameters(const FlatParameters& parameters, Content content, const Group& tensor,
                           const std::function<void(std::span<const OutgoingParameter>)>& write) {
  const Gathering gathering(parameters, content, tensor);
  if (tensor.rank() != 0) return gathering.serve();
  const auto& all = parameters.store().all();
  std::vector<OutgoingParameter> outgoing;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].placement.counted) continue;
    outgoing.push_back({all[i].name, gathering.value_of(i).dtype(), all[i].whole(),
                        [&gathering, i](const View& to) { gathering.gather(i, to); }});
  }
  std::exception_ptr failure;
  try {
    write(outgoing);
  } catch (...) {
    failure = std::current_exception();
  }
  gathering.finish();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace ty

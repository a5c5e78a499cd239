// A linear layer that is watched: what it was given, and the gradient that came back to it.
//
//   x [N, in] ---> layer ---> y [N, out]         gradient of the weight, of whatever it is made:
//             <---       <--- dy                 x^T dy
//
// Backward reaches a watched layer even if no parameter is trained, and goes no further than the
// first of them. Layers that nobody watches are not wrapped and cost nothing.
#pragma once

#include <memory>
#include <string>

#include "models/linear/base/linear.h"

namespace ty {

class LinearObserver {
 public:
  virtual ~LinearObserver() = default;
  // Whether the layer at this path is to be watched; asked once, where it is built.
  virtual bool watches(const std::string& path) const = 0;
  // Called in backward, with the layer at that path, x [.., in] and dy [.., out]; neither may be
  // written to.
  virtual void seen(const std::string& path, const Linear& layer, const Tensor& x,
                    const Tensor& dy) = 0;
};

// The same layer, watched; the observer must outlive it. For layers that one rank has whole.
std::unique_ptr<Linear> observed(std::string path, std::unique_ptr<Linear> layer,
                                 LinearObserver& observer);

}  // namespace ty

// cuDNN, opened when the first of its functions is called: what links this instead of the library
// loads and runs where there is none. The functions then say that they are not initialised.
#pragma once

namespace ty::cudnn {

bool is_library_here();

}  // namespace ty::cudnn

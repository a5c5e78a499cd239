#include "core/tensor/storage.h"

namespace ty {

Storage::Storage(Backend& backend, std::size_t bytes, MemoryClass memory_class)
    : backend_(&backend),
      data_(backend.memory().allocate(bytes, memory_class)),
      bytes_(bytes),
      class_(memory_class) {}

Storage::~Storage() { backend_->memory().release(data_, bytes_, class_); }

void Storage::set_class(MemoryClass memory_class) {
  backend_->memory().reclassify(bytes_, class_, memory_class);
  class_ = memory_class;
}

void Storage::keep() {
  if (keepers_++ == 0 && class_ == MemoryClass::workspace) set_class(MemoryClass::activation);
}

void Storage::unkeep() {
  if (--keepers_ == 0 && class_ == MemoryClass::activation) set_class(MemoryClass::workspace);
}

}  // namespace ty

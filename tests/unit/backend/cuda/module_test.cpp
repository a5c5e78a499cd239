// The built module opens, and answers on a machine with or without a device.
#include "core/backend/cuda/module.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/backend/backend.h"

namespace ty::cuda {
namespace {

const ModuleTable* table() {
  void* handle = dlopen(TY_CUDA_MODULE, RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(handle, nullptr) << dlerror();
  if (handle == nullptr) return nullptr;
  const auto entry = reinterpret_cast<ModuleEntry>(dlsym(handle, kModuleEntry));
  return entry == nullptr ? nullptr : entry();
}

// Without cuDNN, which is opened when a device's attention is first asked for.
TEST(Module, OpensAndNamesItsVersion) {
  ASSERT_NE(table(), nullptr);
  EXPECT_EQ(dlopen("libcudnn.so.9", RTLD_LAZY | RTLD_NOLOAD), nullptr);
  EXPECT_EQ(table()->version, kModuleVersion);
  EXPECT_EQ(table()->size, sizeof(ModuleTable));
}

TEST(Module, WithoutADeviceItSaysWhy) {
  ASSERT_NE(table(), nullptr);
  ModuleReport report{};
  table()->report(&report);
  EXPECT_GE(report.toolkit, 12000);
  EXPECT_GE(report.cublas, 120000);
  const ModuleOptions options{};
  char problem[kTextBytes] = {};
  const std::unique_ptr<Backend> backend(table()->make_backend(&options, problem));
  if (backend != nullptr) {
    EXPECT_EQ(backend->name(), "cuda");
    EXPECT_EQ(std::string(report.problem), "");
    return;
  }
  EXPECT_EQ(report.devices, 0);
  EXPECT_NE(std::string(report.problem), "");
  EXPECT_EQ(std::string(problem), std::string(report.problem));
}

TEST(Module, ADeviceThatIsNotThereIsRefused) {
  ASSERT_NE(table(), nullptr);
  const ModuleOptions options{.device = 1000, .tf32 = false, .repeatable = true, .graphs = false};
  char problem[kTextBytes] = {};
  EXPECT_EQ(table()->make_backend(&options, problem), nullptr);
  EXPECT_NE(std::string(problem), "");
}

}  // namespace
}  // namespace ty::cuda

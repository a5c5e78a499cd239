// A libcuda.so.1 without a device: enough of the driver's interface for cuDNN to finish its plans.
//
// Nearly every call says that there is no driver (34, as the toolkit's stub does). Loading code,
// looking functions up in it and setting their attributes succeed and do nothing: so a plan is
// compiled, and nothing can be run. For tests, which put its folder on LD_LIBRARY_PATH; never on
// any other path.
#include <dlfcn.h>

namespace {

constexpr int kSuccess = 0, kStubLibrary = 34;
constexpr int kVersion = 13000;  // CUDA 13.0

// A handle that nobody looks into.
int hand_out(void** handle) {
  static int thing = 0;
  *handle = &thing;
  return kSuccess;
}
int refuse() { return kStubLibrary; }

}  // namespace

extern "C" {

int cuInit(unsigned) { return kStubLibrary; }
int cuDriverGetVersion(int* version) {
  *version = kVersion;
  return kSuccess;
}
int cuGetErrorString(int, const char** text) {
  *text = "this driver does nothing";
  return kSuccess;
}
int cuGetErrorName(int, const char** text) {
  *text = "NULL_DRIVER";
  return kSuccess;
}

// What loads code, and looks functions up in it.
int cuLibraryLoadData(void** library) { return hand_out(library); }
int cuLibraryLoadFromFile(void** library) { return hand_out(library); }
int cuLibraryGetKernel(void** kernel) { return hand_out(kernel); }
int cuLibraryGetModule(void** module) { return hand_out(module); }
int cuModuleLoadData(void** module) { return hand_out(module); }
int cuModuleLoadDataEx(void** module) { return hand_out(module); }
int cuModuleGetFunction(void** function) { return hand_out(function); }
int cuKernelGetFunction(void** function) { return hand_out(function); }
int cuLibraryUnload() { return kSuccess; }
int cuModuleUnload() { return kSuccess; }
int cuKernelSetAttribute() { return kSuccess; }
int cuFuncSetAttribute() { return kSuccess; }

// What cuDNN wants to find, and is refused.
#define TY_REFUSED(name) \
  int name() { return kStubLibrary; }
TY_REFUSED(cuCtxGetCurrent)
TY_REFUSED(cuCtxGetLimit)
TY_REFUSED(cuCtxPopCurrent)
TY_REFUSED(cuCtxPushCurrent)
TY_REFUSED(cuDeviceGet)
TY_REFUSED(cuDeviceGetCount)
TY_REFUSED(cuKernelGetAttribute)
TY_REFUSED(cuLaunchCooperativeKernel)
TY_REFUSED(cuLaunchKernel)
TY_REFUSED(cuLaunchKernelEx)
TY_REFUSED(cuLinkAddData)
TY_REFUSED(cuLinkComplete)
TY_REFUSED(cuLinkCreate)
TY_REFUSED(cuLinkDestroy)
TY_REFUSED(cuOccupancyMaxPotentialClusterSize)
TY_REFUSED(cuStreamGetCtx)

// The functions above by name, and for all other names one that refuses.
int cuGetProcAddress_v2(const char* name, void** function, int, unsigned long long, int* status) {
  if (status != nullptr) *status = 0;
  *function = dlsym(RTLD_DEFAULT, name);
  if (*function == nullptr) *function = reinterpret_cast<void*>(&refuse);
  return kSuccess;
}
int cuGetProcAddress(const char* name, void** function, int version, unsigned long long flags) {
  return cuGetProcAddress_v2(name, function, version, flags, nullptr);
}

}  // extern "C"

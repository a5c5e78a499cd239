// The device that a job computes on: run.device.
#pragma once

#include <memory>
#include <string>

#include "core/backend/backend.h"
#include "launch/job/job_config.h"

namespace ty {

// Throws ConfigError if the device is not available.
void check_device(DeviceChoice device);
// The backend of a job; throws as check_device() does. Canonical reduction requires products whose
// bits do not depend on the number of threads.
std::unique_ptr<Backend> make_backend(DeviceChoice device, Reduction reduction = Reduction::fast);
// Why `auto` means the CPU, where this build or machine lets one expect a GPU; empty otherwise.
std::string device_note(DeviceChoice device);

}  // namespace ty

// The device that a job computes on: run.device.
#pragma once

#include <memory>
#include <string>

#include "core/backend/backend.h"
#include "launch/job/job_config.h"
#include "launch/process/world.h"

namespace ty {

// Throws ConfigError if the device is not available.
void check_device(DeviceChoice device);
// Throws as check_device() does. Canonical reduction requires products whose bits do not depend on
// the number of threads. Of several cards the rank takes card_of(place).
std::unique_ptr<Backend> make_backend(DeviceChoice device, Reduction reduction = Reduction::fast,
                                      const MachinePlace& place = {});
// Of a job, with all that it says about its device.
std::unique_ptr<Backend> make_backend(const JobConfig& job, const MachinePlace& place);

// Which of a machine's cards a rank takes: one each, in turn. By the rank's place on its machine,
// never by its number in the job, which says nothing about the cards that it sees.
int card_of(const MachinePlace& place, int cards);

// Why `auto` means the CPU, where this build or machine lets one expect a GPU; empty otherwise.
std::string device_note(DeviceChoice device);
// What follows for transport where the ranks of a machine have fewer cards than they are; empty
// otherwise.
std::string sharing_note(const MachinePlace& place, int cards);
// The same of a job that has this backend.
std::string sharing_note(const Backend& backend, const MachinePlace& place);

}  // namespace ty

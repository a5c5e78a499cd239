// Spectra as a picture.
#pragma once

#include <string>
#include <vector>

#include "launch/inspect/group_test.h"

namespace ty {

// Shares of a layer's energy that the largest 1, 2, .. of its values hold.
struct EnergyCurve {
  std::string path;  // of the layer
  std::vector<double> shares;
  bool of_inputs = false;  // of the layer's inputs, not of its weight
};

// The shares of a descending list of energies.
EnergyCurve energy_curve(const std::string& path, const std::vector<double>& energies);

// A curve per layer over the share of ranks, coloured by what the layer is for, dashed for inputs;
// beside them, if there are groups, the loss without each of them.
std::string spectrum_svg(const std::vector<EnergyCurve>& curves, const GroupTest& test);

}  // namespace ty

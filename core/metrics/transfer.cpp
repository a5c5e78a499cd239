#include "core/metrics/transfer.h"

#include "core/base/error.h"

namespace ty {

TransferScores transfer_scores(std::span<const double> sta, std::span<const double> sim,
                               std::span<const double> fl) {
  TY_CHECK(sta.size() == sim.size() && sim.size() == fl.size() && !sta.empty(),
           "{} numbers of style, {} of similarity, {} of fluency; want equally many, at least one",
           sta.size(), sim.size(), fl.size());
  TransferScores scores;
  for (std::size_t i = 0; i < sta.size(); ++i) {
    scores.sta += sta[i];
    scores.sim += sim[i];
    scores.fl += fl[i];
    scores.j += sta[i] * sim[i] * fl[i];
  }
  for (double* sum : {&scores.sta, &scores.sim, &scores.fl, &scores.j}) {
    *sum /= static_cast<double>(sta.size());
  }
  return scores;
}

}  // namespace ty

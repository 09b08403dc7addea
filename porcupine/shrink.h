// Few operations that are not linearizable, out of many.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_SHRINK_H_
#define PORCUPINE_SHRINK_H_

#include <cstddef>
#include <vector>

#include "porcupine/elements.h"
#include "porcupine/operations.h"
#include "porcupine/outcome.h"

namespace porcupine {

// Takes away operations as long as what is left is not linearizable: reads, and
// writes that no read left shows, or whose text can be taken out of what the
// reads left show (parts.h). Both make nothing illegal that was not. Returns
// the places of what is left; when the budget ends, as far as it has come.
// REQUIRES: the operations are not linearizable from any of the `starts`.
std::vector<size_t> Shrink(const Operations& operations,
                           const std::vector<State>& starts,
                           const Elements& elements, Budget* budget);

}  // namespace porcupine

#endif  // PORCUPINE_SHRINK_H_

// Parts of a history that are not linearizable only if the whole is not: what
// counterexamples are made of.
//
// Thread safety: compatible.

#ifndef PORCUPINE_PARTS_H_
#define PORCUPINE_PARTS_H_

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "porcupine/elements.h"
#include "porcupine/operations.h"

namespace porcupine {

// Operations with texts of their own.
struct Part {
  Operations operations;
  std::deque<std::string> texts;
};

// What had been called by the time `moment`; what had not returned is pending.
Operations Before(const Operations& operations, Rank moment);

// The operations at these places of the list, as they would look if the others
// had not been there:
//   - where values are unique, the texts of the other writes are taken out of
//     what is read (`elements` are those of `operations`);
//   - where versions are, the versions that are left are numbered from 1.
// REQUIRES: with every read that shows something of a put's epoch that put is
// there, and with every version the operations that may have created it.
Part PartOf(const Operations& operations, const std::vector<size_t>& places,
            const Elements& elements);

// Says whether some order of the operations is possible from some start; tries
// them all, without any of the search's ideas. For few operations.
bool HasOrder(const Operations& operations, const std::vector<State>& starts);

}  // namespace porcupine

#endif  // PORCUPINE_PARTS_H_

#include "porcupine/decide.h"

#include <utility>
#include <vector>

#include "porcupine/search.h"

namespace porcupine {

Decision Decide(const Operations& operations, const std::vector<State>& starts,
                Budget* budget) {
  SearchResult result = Search(operations, starts, budget);
  return {result.outcome, std::move(result.order)};
}

}  // namespace porcupine

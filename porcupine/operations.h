// The operations of one key, as all checks see them: what each demands of the
// state in which it is executed, and what it makes of it.
//
// Times are ranks: the calls and returns of a key in order of time, calls
// before returns where times are equal, numbered. So no two are equal. Parts of
// a history keep the ranks of the whole.
//
// Thread safety: plain data. Strings are those of the history.

#ifndef PORCUPINE_OPERATIONS_H_
#define PORCUPINE_OPERATIONS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "porcupine/history.h"

namespace porcupine {

using Rank = uint32_t;
inline constexpr Rank kNever = std::numeric_limits<Rank>::max();

enum class Write : uint8_t { kNone, kPut, kAppend };
enum class VersionRule : uint8_t { kAny, kIs, kIsNot };

struct Operation {
  size_t place = 0;  // in the history
  Rank call = 0;
  Rank returned = kNever;
  bool optional = false;  // it may as well not have been executed

  bool reads = false;  // only in a state with the value `result`
  std::string_view result;
  VersionRule rule = VersionRule::kAny;  // on the state's version and `version`
  uint64_t version = 0;

  Write write = Write::kNone;
  std::string_view argument;
};

// In order of their calls.
using Operations = std::vector<Operation>;

// Returns the operations at these places of a history, which are all of one
// key. Pending reads are left out: they show nothing.
Operations MakeOperations(const History& history,
                          const std::vector<size_t>& places);

// The most operations that are in progress at once.
size_t WidthOf(const Operations& operations);

}  // namespace porcupine

#endif  // PORCUPINE_OPERATIONS_H_

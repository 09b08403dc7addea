// Findings in words.
//
// Thread safety: functions of their arguments.

#ifndef PORCUPINE_WORDS_H_
#define PORCUPINE_WORDS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "porcupine/history.h"
#include "porcupine/log_order.h"
#include "porcupine/operations.h"
#include "porcupine/rules.h"

namespace porcupine {

// "100", "1.250 ms".
std::string NameOf(int64_t time, Unit unit);

// "client 3's append (100 to 120)".
std::string NameOf(const Record& record, Unit unit);

// The value in quotes, without control characters; of a long one what is around
// the byte `at`, with dots for the rest.
std::string Quote(std::string_view value, size_t at);
// The end of a long one.
std::string Quote(std::string_view value);

// One sentence, without a full stop.
std::string SentenceOf(const History& history, const Operations& operations,
                       const Finding& finding, Unit unit);
std::string SentenceOf(const History& history, const Operations& operations,
                       const LogFault& fault, Unit unit);
// When no rule says more; `from_window`: they begin in the possible states of
// the window.
std::string SentenceOf(size_t operations, bool from_window);

}  // namespace porcupine

#endif  // PORCUPINE_WORDS_H_

#include "porcupine/report.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "porcupine/words.h"

namespace porcupine {
namespace {

// Longer lists end with how many there are besides.
constexpr size_t kMaxLines = 40;
constexpr size_t kMaxKeys = 10;

std::string What(const Record& record) {
  std::string text = NameOf(record.kind);
  const bool is_read =
      record.kind == Kind::kGet || record.kind == Kind::kVersionedGet;
  if (record.kind == Kind::kCas) {
    absl::StrAppend(&text, " ", Quote(record.result), " ->");
  }
  if (!is_read) absl::StrAppend(&text, " ", Quote(record.argument));
  if (record.kind == Kind::kVersionedPut) {
    absl::StrAppend(&text, " if version ", record.version);
  }
  if (!record.returned.has_value()) return text;
  if (record.answer != Answer::kOk) {
    return absl::StrCat(text, " -> ", NameOf(record.answer));
  }
  if (is_read || record.kind == Kind::kGetAndAppend) {
    absl::StrAppend(&text, " -> ", Quote(record.result));
  }
  if (record.kind == Kind::kVersionedGet) {
    absl::StrAppend(&text, " version ", record.result_version);
  }
  return text;
}

std::string Line(const Record& record, Unit unit) {
  const std::string end =
      record.returned.has_value() ? NameOf(*record.returned, unit) : "pending";
  return absl::StrFormat(
      "  %12s %12s  client %-4d %s%s\n", NameOf(record.call, unit), end,
      record.client, What(record),
      record.log_index == 0 ? ""
                            : absl::StrCat("  (log ", record.log_index, ")"));
}

std::string Lines(const History& history, const std::vector<size_t>& places,
                  Unit unit) {
  std::string text;
  // The end of a long list is what matters.
  const size_t skipped =
      places.size() > kMaxLines ? places.size() - kMaxLines : 0;
  if (skipped > 0) absl::StrAppend(&text, "  ... ", skipped, " earlier ones\n");
  for (size_t i = skipped; i < places.size(); ++i) {
    text += Line(history[places[i]], unit);
  }
  return text;
}

std::string TextOf(const History& history, const Explanation& explanation,
                   Unit unit) {
  std::string text = absl::StrCat(
      "key ", Quote(explanation.key), ": ", NameOf(explanation.violation), ": ",
      explanation.sentence, "\n\nThese operations contradict each other",
      explanation.proven ? ", in whatever order (all were tried)" : "", ":\n",
      Lines(history, explanation.counterexample, unit));
  absl::StrAppend(&text, "\nFirst impossible when ",
                  NameOf(history[explanation.first_impossible], unit),
                  " returned.\n");
  if (!explanation.log_note.empty()) {
    absl::StrAppend(&text, "In the log: ", explanation.log_note, ".\n");
  }
  absl::StrAppend(&text,
                  "\nSince no operation was in progress for the last "
                  "time, ",
                  explanation.window.size(), " were called:\n",
                  Lines(history, explanation.window, unit));
  for (const State& state : explanation.possible_states) {
    absl::StrAppend(&text, "  from ", Quote(state.value), ", written ",
                    state.version, " times\n");
  }
  return text;
}

// Those that are not linearizable, but for the first ones, which are explained.
std::string OthersOf(const Verdict& verdict) {
  std::vector<std::string> others;
  size_t illegal = 0;
  for (const KeyVerdict& key : verdict.keys) {
    if (key.outcome != Outcome::kIllegal) continue;
    if (++illegal > verdict.explanations.size()) {
      others.push_back(Quote(key.key));
    }
  }
  if (others.empty()) return "";
  const size_t count = others.size();
  if (count > kMaxKeys) {
    others.resize(kMaxKeys);
    others.push_back("...");
  }
  return absl::StrCat("\nNot explained: ", count, " more of the keys that are ",
                      "not linearizable: ", absl::StrJoin(others, ", "), "\n");
}

}  // namespace

const char* NameOf(Violation violation) {
  switch (violation) {
    case Violation::kLostWrite:
      return "lost write";
    case Violation::kStaleRead:
      return "stale read";
    case Violation::kDuplicateExecution:
      return "duplicate execution";
    case Violation::kReordering:
      return "reordering";
    case Violation::kValueFromNowhere:
      return "value from nowhere";
    case Violation::kReadFromTheFuture:
      return "read from the future";
    case Violation::kNoOrder:
      break;
  }
  return "no possible order";
}

std::string ReportOf(const History& history, const Verdict& verdict) {
  size_t counts[3] = {};
  size_t width = 0;
  for (const KeyVerdict& key : verdict.keys) {
    ++counts[static_cast<size_t>(key.outcome)];
    width = std::max(width, key.width);
  }
  const char* const words[] = {"ok", "illegal", "unknown"};
  std::string text = absl::StrCat(
      words[static_cast<size_t>(verdict.outcome)], ": ", history.size(),
      " operations on ", verdict.keys.size(), " keys, up to ", width,
      " at once on a key; ", counts[0], " keys linearizable, ", counts[1],
      " not, ", counts[2], " undecided\n");
  for (const KeyVerdict& key : verdict.keys) {
    if (key.outcome != Outcome::kUnknown) continue;
    absl::StrAppend(&text, "undecided: key ", Quote(key.key), " with ",
                    key.operations, " operations, up to ", key.width,
                    " at once, after ", key.steps, " steps\n");
  }
  for (const Explanation& explanation : verdict.explanations) {
    absl::StrAppend(&text, "\n", TextOf(history, explanation, verdict.unit));
  }
  return text + OthersOf(verdict);
}

}  // namespace porcupine

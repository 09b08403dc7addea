#include "porcupine/words.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace porcupine {
namespace {

// Of a long value: bytes before and after the place that matters.
constexpr size_t kBefore = 32;
constexpr size_t kAfter = 24;

class Sentence {
 public:
  Sentence(const History& history, const Operations& operations,
           const Finding& finding, Unit unit)
      : history_(history),
        operations_(operations),
        finding_(finding),
        unit_(unit) {}

  std::string Text() const {
    const std::string read = Name(finding_.read);
    const std::string write = Name(finding_.write);
    const std::string other = Name(finding_.other);
    const std::string_view shown = At(finding_.read).result;
    const std::string written = Quote(At(finding_.write).argument);
    switch (finding_.rule) {
      case Rule::kForeign:
        return absl::StrCat(read, " shows ", Quote(shown),
                            ", which no writes of any client make");
      case Rule::kDuplicate:
        return absl::StrCat(read, " shows ", written, " twice, in ",
                            Quote(shown, shown.rfind(Written())), "; ", write,
                            " was called once");
      case Rule::kFuture:
        return absl::StrCat(read, " shows ", written, ", but ", write,
                            " was called only after it had returned");
      case Rule::kMissing:
        return absl::StrCat(read, " shows ", Quote(shown), ", without ",
                            written, ", but ", write,
                            " had returned before it was called");
      case Rule::kShrinks:
        return absl::StrCat(read, " shows ", Quote(shown), ", without ",
                            written, ", which ", other, " had shown before");
      case Rule::kDiverges:
        return absl::StrCat(read, " shows ",
                            Quote(shown, shown.find(Written())), ", but ",
                            other, " shows ", Quote(At(finding_.other).result));
      case Rule::kOrder:
        return absl::StrCat(read, " shows ", written, " after ",
                            Quote(At(finding_.other).argument), ", in ",
                            Quote(shown, shown.find(Written())), ", but ",
                            write, " had returned before ", other,
                            " was called");
      case Rule::kBetween:
        return absl::StrCat(Effect(finding_.read), ", as ",
                            Effect(finding_.other), " before, but ",
                            Effect(finding_.write), " in between");
      default:
        return OfVersions(read, write, other);
    }
  }

 private:
  std::string OfVersions(const std::string& read, const std::string& write,
                         const std::string& other) const {
    const uint64_t version = At(finding_.read).version;
    switch (finding_.rule) {
      case Rule::kVersionTwice:
        return absl::StrCat(write, " and ", other, " both replaced version ",
                            version, "; one of the two is lost");
      case Rule::kVersionUnknown:
        return absl::StrCat(read, " has version ", version,
                            ", which no put can have created");
      case Rule::kVersionValue:
        return absl::StrCat(read, " shows ", Quote(At(finding_.read).result),
                            " as version ", version, ", but ",
                            version == 0 ? "a key of version 0 holds ''"
                                         : Effect(finding_.write));
      case Rule::kVersionOrder:
        return absl::StrCat(Effect(finding_.read),
                            ", but before it was called, ",
                            Effect(finding_.other));
      default:
        return absl::StrCat(read, " was refused, but the key had version ",
                            version, ", which it was to replace");
    }
  }

  // "client 3's get (1 to 2) has shown version 4" and the like.
  std::string Effect(size_t i) const {
    const Operation& operation = At(i);
    const bool versioned = operation.rule != VersionRule::kAny;
    if (operation.write == Write::kNone) {
      return absl::StrCat(
          Name(i), " shows ", Quote(operation.result),
          versioned ? Version(" of version ", operation.version) : "");
    }
    return absl::StrCat(
        Name(i), " wrote ", Quote(operation.argument),
        versioned ? Version(" as version ", operation.version + 1) : "");
  }
  static std::string Version(const char* what, uint64_t version) {
    return absl::StrCat(what, version);
  }

  const Operation& At(size_t i) const { return operations_[i]; }
  std::string Name(size_t i) const {
    return NameOf(history_[At(i).place], unit_);
  }
  std::string_view Written() const { return At(finding_.write).argument; }

  const History& history_;
  const Operations& operations_;
  const Finding& finding_;
  const Unit unit_;
};

}  // namespace

// Milliseconds, for what clients wait is that long; to the microsecond.
std::string NameOf(int64_t time, Unit unit) {
  if (unit == Unit::kUnknown) return absl::StrCat(time);
  if (std::abs(time) < 1000) return absl::StrCat(time, " ns");
  return absl::StrFormat("%.3f ms", static_cast<double>(time) / 1e6);
}

std::string NameOf(const Record& record, Unit unit) {
  const std::string end =
      record.returned.has_value()
          ? absl::StrCat(" to ", NameOf(*record.returned, unit))
          : ", pending";
  return absl::StrCat("client ", record.client, "'s ", NameOf(record.kind),
                      " (", NameOf(record.call, unit), end, ")");
}

std::string Quote(std::string_view value, size_t at) {
  at = std::min(at, value.size());
  const bool long_before = at > kBefore + 4;
  const size_t begin = long_before ? at - kBefore : 0;
  const bool long_after = value.size() - at > kAfter + 4;
  const size_t end = long_after ? at + kAfter : value.size();
  return absl::StrCat(
      "'", long_before ? "... " : "",
      absl::CHexEscape(std::string(value.substr(begin, end - begin))),
      long_after ? " ..." : "", "'");
}

std::string Quote(std::string_view value) { return Quote(value, value.size()); }

std::string SentenceOf(const History& history, const Operations& operations,
                       const Finding& finding, Unit unit) {
  return Sentence(history, operations, finding, unit).Text();
}

std::string SentenceOf(const History& history, const Operations& operations,
                       const LogFault& fault, Unit unit) {
  const Record& record = history[operations[fault.operation].place];
  const Record& other = history[operations[fault.other].place];
  const std::string name = NameOf(record, unit);
  switch (fault.what) {
    case LogFault::What::kMissing:
      return absl::StrCat(name,
                          " was answered, but its place in the log is "
                          "not known");
    case LogFault::What::kTwice:
      return absl::StrCat(name, " and ", NameOf(other, unit),
                          " both are at index ", record.log_index);
    case LogFault::What::kRealTime:
      return absl::StrCat(name, ", at index ", record.log_index,
                          ", had returned before ", NameOf(other, unit),
                          ", at index ", other.log_index, ", was called");
    case LogFault::What::kResult:
      break;
  }
  return absl::StrCat(name, ", at index ", record.log_index,
                      ", does not show what the operations before it in the "
                      "log have made");
}

std::string SentenceOf(size_t operations, bool from_window) {
  return absl::StrCat(
      "no order of ",
      operations == 1 ? "this operation"
                      : absl::StrCat("these ", operations, " operations"),
      from_window ? ", after any state that was possible before," : "",
      " explains what they show");
}

}  // namespace porcupine

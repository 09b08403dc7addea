#include "porcupine/history.h"

#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace porcupine {
namespace {

constexpr const char* kKinds[] = {
    "get", "put",           "append",       "get_and_append",
    "cas", "versioned_get", "versioned_put"};
constexpr const char* kAnswers[] = {"ok", "err_no_key", "err_version",
                                    "err_maybe"};

template <typename Enum, size_t kCount>
std::optional<Enum> Find(const char* const (&names)[kCount],
                         const std::string& name) {
  for (size_t i = 0; i < kCount; ++i) {
    if (name == names[i]) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

bool IsRead(Kind kind) {
  return kind == Kind::kGet || kind == Kind::kVersionedGet;
}

bool CanAnswer(Kind kind, Answer answer) {
  switch (answer) {
    case Answer::kOk:
      return true;
    case Answer::kErrNoKey:
      return IsRead(kind) || kind == Kind::kVersionedPut;
    case Answer::kErrVersion:
      return kind == Kind::kVersionedPut;
    case Answer::kErrMaybe:
      return !IsRead(kind);
  }
  return false;
}

absl::Status TooLarge(const char* what, size_t bytes, size_t limit) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the ", what, " has ", bytes, " bytes; at most ", limit, " are checked"));
}

}  // namespace

absl::Status Validate(const Record& record) {
  if (record.key.size() > kMaxKeyBytes) {
    return TooLarge("key", record.key.size(), kMaxKeyBytes);
  }
  for (const std::string* value : {&record.argument, &record.result}) {
    if (value->size() > kMaxValueBytes) {
      return TooLarge("value", value->size(), kMaxValueBytes);
    }
  }
  if (record.returned.has_value() && *record.returned < record.call) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the operation returns at ", *record.returned, ", before its call at ",
        record.call, "; take both times from one monotonic clock"));
  }
  if (record.returned.has_value() && !CanAnswer(record.kind, record.answer)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a ", NameOf(record.kind), " is not answered ", NameOf(record.answer)));
  }
  return absl::OkStatus();
}

absl::Status Validate(const History& history) {
  if (history.size() > kMaxOperations) {
    return absl::InvalidArgumentError(
        absl::StrCat("the history has ", history.size(),
                     " operations; at most ", kMaxOperations, " are checked"));
  }
  for (size_t i = 0; i < history.size(); ++i) {
    const absl::Status status = Validate(history[i]);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("operation ", i, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

const char* NameOf(Kind kind) { return kKinds[static_cast<size_t>(kind)]; }

std::optional<Kind> KindOf(const std::string& name) {
  return Find<Kind>(kKinds, name);
}

const char* NameOf(Answer answer) {
  return kAnswers[static_cast<size_t>(answer)];
}

std::optional<Answer> AnswerOf(const std::string& name) {
  return Find<Answer>(kAnswers, name);
}

}  // namespace porcupine

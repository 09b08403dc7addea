#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "porcupine/read_history.h"

namespace porcupine {
namespace {

using Json = nlohmann::json;

absl::Status Bad(const std::string& problem) {
  return absl::InvalidArgumentError(problem);
}

// The fields of one line; the first fault is kept.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  // Each reads a field into `to`; it must be there if it is `needed`.
  void Read(const char* name, bool needed, std::string* to) {
    const Json* field = Find(name, needed);
    if (field == nullptr) return;
    if (!field->is_string()) return Fail(name, "a string");
    *to = field->get<std::string>();
  }
  void Read(const char* name, bool needed, int64_t* to) {
    const Json* field = Find(name, needed);
    if (field == nullptr) return;
    const bool fits = field->is_number_integer() &&
                      (!field->is_number_unsigned() ||
                       field->get<uint64_t>() <= uint64_t{INT64_MAX});
    if (!fits) return Fail(name, "an integer of 64 bits");
    *to = field->get<int64_t>();
  }
  void Read(const char* name, bool needed, uint64_t* to) {
    const Json* field = Find(name, needed);
    if (field == nullptr) return;
    if (!field->is_number_unsigned()) {
      return Fail(name, "a number from 0 to 2^64 - 1");
    }
    *to = field->get<uint64_t>();
  }

  // Says what is wrong, or which field is none that was asked for.
  absl::Status status() const {
    if (!status_.ok()) return status_;
    for (const auto& [name, value] : object_.items()) {
      if (known_.count(name) > 0) continue;
      return Bad(absl::StrCat("unknown field '", name,
                              "' of this operation; remove it"));
    }
    return absl::OkStatus();
  }

 private:
  const Json* Find(const char* name, bool needed) {
    known_.insert(name);
    const auto field = object_.find(name);
    if (field != object_.end() && !field->is_null()) return &*field;
    if (needed) Fail(name, "there");
    return nullptr;
  }
  void Fail(const char* name, const char* must_be) {
    if (!status_.ok()) return;
    status_ = Bad(absl::StrCat("the field '", name, "' must be ", must_be));
  }

  const Json& object_;
  std::set<std::string> known_;
  absl::Status status_;
};

absl::StatusOr<Kind> ReadKind(Fields* fields) {
  std::string name;
  fields->Read("op", true, &name);
  const std::optional<Kind> kind = KindOf(name);
  if (kind.has_value()) return *kind;
  return Bad(absl::StrCat("unknown operation '", name,
                          "'; the field 'op' is one of get, put, append, "
                          "get_and_append, cas, versioned_get, "
                          "versioned_put"));
}

absl::Status ReadOutcome(Fields* fields, Record* record) {
  std::string answer = "ok";
  fields->Read("answer", false, &answer);
  const std::optional<Answer> known = AnswerOf(answer);
  if (!known.has_value()) {
    return Bad(absl::StrCat("unknown answer '", answer,
                            "'; it is one of ok, err_no_key, err_version, "
                            "err_maybe"));
  }
  record->answer = *known;
  const bool done = record->returned.has_value() && *known == Answer::kOk;
  switch (record->kind) {
    case Kind::kVersionedGet:
      fields->Read("version", done, &record->result_version);
      [[fallthrough]];
    case Kind::kGet:
    case Kind::kGetAndAppend:
      fields->Read("result", done, &record->result);
      break;
    case Kind::kCas:
      fields->Read("expected", true, &record->result);
      break;
    case Kind::kVersionedPut:
      fields->Read("version", true, &record->version);
      break;
    case Kind::kPut:
    case Kind::kAppend:
      break;
  }
  return absl::OkStatus();
}

absl::StatusOr<Record> ReadRecord(const std::string& line) {
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return Bad("no JSON object; write each operation as one, on one line");
  }
  Record record;
  Fields fields(object);
  const absl::StatusOr<Kind> kind = ReadKind(&fields);
  if (!kind.ok()) return kind.status();
  record.kind = *kind;
  fields.Read("client", true, &record.client);
  fields.Read("key", true, &record.key);
  fields.Read("call", true, &record.call);
  fields.Read("index", false, &record.log_index);
  int64_t returned = INT64_MIN;
  fields.Read("return", false, &returned);
  if (returned != INT64_MIN) record.returned = returned;
  const bool is_read =
      record.kind == Kind::kGet || record.kind == Kind::kVersionedGet;
  if (!is_read) fields.Read("value", true, &record.argument);
  absl::Status status = ReadOutcome(&fields, &record);
  if (status.ok()) status = fields.status();
  if (status.ok()) status = Validate(record);
  if (!status.ok()) return status;
  return record;
}

}  // namespace

absl::StatusOr<History> ReadNdjson(std::istream& in) {
  History history;
  std::string line;
  size_t bytes = 0;
  for (size_t number = 1; std::getline(in, line); ++number) {
    bytes += line.size() + 1;
    if (bytes > kMaxFileBytes || history.size() >= kMaxOperations) {
      return Bad(absl::StrCat("line ", number, ": more than ", kMaxOperations,
                              " operations or ", kMaxFileBytes,
                              " bytes; check parts of the history, by keys"));
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    absl::StatusOr<Record> record = ReadRecord(line);
    if (!record.ok()) {
      return Bad(
          absl::StrCat("line ", number, ": ", record.status().message()));
    }
    history.push_back(*std::move(record));
  }
  return history;
}

absl::StatusOr<History> ReadHistory(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  in.peek();  // a folder opens, too
  if (in.bad() || !in.is_open()) {
    return Bad(absl::StrCat(file, ": cannot be read"));
  }
  in.clear();
  const bool is_edn =
      file.size() >= 4 && file.compare(file.size() - 4, 4, ".edn") == 0;
  absl::StatusOr<History> history = is_edn ? ReadEdn(in) : ReadNdjson(in);
  if (history.ok()) return history;
  return Bad(absl::StrCat(file, ": ", history.status().message()));
}

}  // namespace porcupine

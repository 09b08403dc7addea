#include "tests/harness/shard_client.h"

#include "absl/strings/str_cat.h"
#include "kvraft/messages.h"

namespace harness {

OperationEvent ShardClient::Begin(porcupine::Kind kind, const std::string& key,
                                  const std::string* value, Place place) {
  stage_->CheckError(place);
  porcupine::Record record =
      BeginRecord(id_, kind, key, value == nullptr ? "" : *value);
  OperationEvent operation{.client = id_,
                           .time = TimeOf(record.call),
                           .is_begin = true,
                           .kind = porcupine::NameOf(kind),
                           .key = key};
  if (value != nullptr) operation.value = *value;
  operation.number = history_->Begin(std::move(record));
  stage_->observers().Tell(&ClusterObserver::OnOperation, operation);
  return operation;
}

// An operation that was given up stays pending.
void ShardClient::End(OperationEvent operation, std::string value,
                      const absl::Status& error, Place place) {
  stage_->CheckError(place);
  if (!error.ok()) {
    Fail(Kind::kSafety, absl::StrCat("client ", id_, ": ", error.message()),
         place);
  }
  const kvraft::Reply reply = {.err = kvraft::Err::kOk,
                               .value = std::move(value),
                               .revision = clerk_->revision()};
  operation.time = TimeOf(history_->End(operation.number, reply));
  operation.is_begin = false;
  operation.answer = kvraft::Name(reply.err);
  if (!operation.value.has_value()) operation.result = reply.value;
  stage_->observers().Tell(&ClusterObserver::OnOperation, operation);
  stage_->CountOperation();
}

std::string ShardClient::Get(const std::string& key, Place place) {
  const OperationEvent operation =
      Begin(porcupine::Kind::kGet, key, nullptr, place);
  absl::StatusOr<std::string> got = clerk_->Get(key);
  const absl::Status error = got.status();
  std::string value = std::move(got).value_or("");
  End(operation, value, error, place);
  return value;
}

void ShardClient::Put(const std::string& key, const std::string& value,
                      Place place) {
  const OperationEvent operation =
      Begin(porcupine::Kind::kPut, key, &value, place);
  End(operation, "", clerk_->Put(key, value), place);
}

void ShardClient::Append(const std::string& key, const std::string& value,
                         Place place) {
  const OperationEvent operation =
      Begin(porcupine::Kind::kAppend, key, &value, place);
  End(operation, "", clerk_->Append(key, value), place);
}

std::optional<std::string> ShardClient::TryGet(const std::string& key) {
  absl::StatusOr<std::string> value = clerk_->Get(key);
  if (!value.ok()) return std::nullopt;
  return *std::move(value);
}

}  // namespace harness

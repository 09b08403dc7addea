#include "tests/harness/shard_client.h"

#include "absl/strings/str_cat.h"
#include "kvraft/messages.h"

namespace harness {

size_t ShardClient::Begin(porcupine::Kind kind, const std::string& key,
                          const std::string& value, Place place) {
  stage_->CheckError(place);
  return history_->Begin(BeginRecord(id_, kind, key, value));
}

// An operation that was given up stays pending.
void ShardClient::End(size_t operation, std::string value,
                      const absl::Status& error, Place place) {
  stage_->CheckError(place);
  if (!error.ok()) {
    Fail(Kind::kSafety, absl::StrCat("client ", id_, ": ", error.message()),
         place);
  }
  history_->End(operation, {.err = kvraft::Err::kOk,
                            .value = std::move(value),
                            .revision = clerk_->revision()});
  stage_->CountOperation();
}

std::string ShardClient::Get(const std::string& key, Place place) {
  const size_t operation = Begin(porcupine::Kind::kGet, key, "", place);
  absl::StatusOr<std::string> got = clerk_->Get(key);
  const absl::Status error = got.status();
  std::string value = std::move(got).value_or("");
  End(operation, value, error, place);
  return value;
}

void ShardClient::Put(const std::string& key, const std::string& value,
                      Place place) {
  const size_t operation = Begin(porcupine::Kind::kPut, key, value, place);
  End(operation, "", clerk_->Put(key, value), place);
}

void ShardClient::Append(const std::string& key, const std::string& value,
                         Place place) {
  const size_t operation = Begin(porcupine::Kind::kAppend, key, value, place);
  End(operation, "", clerk_->Append(key, value), place);
}

std::optional<std::string> ShardClient::TryGet(const std::string& key) {
  absl::StatusOr<std::string> value = clerk_->Get(key);
  if (!value.ok()) return std::nullopt;
  return *std::move(value);
}

}  // namespace harness

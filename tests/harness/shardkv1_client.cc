#include "tests/harness/shardkv1_client.h"

#include "absl/strings/str_cat.h"
#include "tests/harness/kv_service.h"

namespace harness {
namespace {

using shardkv1::Config;

Ends MakeEnds(ClientLinks* links, const std::vector<std::string>& servers) {
  Ends ends;
  for (const std::string& server : servers) {
    ends.push_back(links->MakeEnd(server));
  }
  return ends;
}

shardkv1::MakeEnd MakeEndBy(std::shared_ptr<ClientLinks> links) {
  return [links = std::move(links)](const std::string& server) {
    return links->MakeEnd(server);
  };
}

std::unique_ptr<ShardKV1Library> MakeLibrary(
    const std::shared_ptr<ClientLinks>& links,
    const std::vector<std::string>& store) {
  return MakeShardKV1Library(MakeEnds(links.get(), store), MakeEndBy(links));
}

kvraft::Err ErrOf(shardkv1::Err err) {
  switch (err) {
    case shardkv1::Err::kOk:
      return kvraft::Err::kOk;
    case shardkv1::Err::kNoKey:
      return kvraft::Err::kNoKey;
    case shardkv1::Err::kVersion:
      return kvraft::Err::kVersion;
    case shardkv1::Err::kMaybe:
      return kvraft::Err::kMaybe;
    case shardkv1::Err::kTooLarge:
      return kvraft::Err::kTooLarge;
    default:
      return kvraft::Err::kClosed;
  }
}

}  // namespace

std::shared_ptr<rpc::ClientEnd> ClientLinks::MakeEnd(
    const std::string& server) {
  base::MutexLock lock(&mu_);
  const std::string end = absl::StrCat(name_, "-", ends_.size(), "-", server);
  ends_.push_back(end);
  std::shared_ptr<rpc::ClientEnd> made = network_->MakeEnd(end);
  network_->Connect(end, server);
  network_->Enable(end, connected_);
  return made;
}

void ClientLinks::Connect(bool connected) {
  base::MutexLock lock(&mu_);
  connected_ = connected;
  for (const std::string& end : ends_) network_->Enable(end, connected);
}

ShardKV1Client::ShardKV1Client(ServiceStage* stage, KvHistory* history, int id,
                               const std::vector<std::string>& store)
    : stage_(stage),
      history_(history),
      id_(id),
      links_(std::make_shared<ClientLinks>(&stage->network(),
                                           absl::StrCat("C", id))),
      clerk_(MakeShardKV1Clerk(MakeEnds(links_.get(), store),
                               MakeEndBy(links_))) {}

// An operation that was given up stays pending.
kvraft::Reply ShardKV1Client::End(size_t operation, shardkv1::Reply reply,
                                  Place place) {
  stage_->CheckError(place);
  kvraft::Reply answer{.err = ErrOf(reply.err),
                       .value = std::move(reply.value),
                       .version = reply.version,
                       .revision = reply.revision};
  const bool is_given_up = answer.err == kvraft::Err::kClosed ||
                           answer.err == kvraft::Err::kTooLarge;
  if (is_given_up) {
    Fail(
        Kind::kSafety,
        absl::StrCat("client ", id_, ": the Clerk gives up: ", Name(reply.err)),
        place);
  }
  history_->End(operation, answer);
  return answer;
}

kvraft::Reply ShardKV1Client::GetVersioned(const std::string& key,
                                           Place place) {
  stage_->CheckError(place);
  const size_t operation =
      history_->Begin(BeginRecord(id_, porcupine::Kind::kVersionedGet, key));
  kvraft::Reply reply = End(operation, clerk_->Get(key), place);
  if (counts_gets_) stage_->CountOperation();
  return reply;
}

kvraft::Err ShardKV1Client::PutVersioned(const std::string& key,
                                         const std::string& value,
                                         uint64_t version, Place place) {
  stage_->CheckError(place);
  const size_t operation = history_->Begin(
      BeginRecord(id_, porcupine::Kind::kVersionedPut, key, value, version));
  const kvraft::Reply reply =
      End(operation, clerk_->Put(key, value, version), place);
  if (counts_puts_) stage_->CountOperation();
  return reply.err;
}

ShardKV1Controller::ShardKV1Controller(ServiceStage* stage, int id,
                                       const std::vector<std::string>& store)
    : stage_(stage),
      links_(std::make_shared<ClientLinks>(&stage->network(),
                                           absl::StrCat("A", id))),
      library_(MakeLibrary(links_, store)),
      other_(ClerksShareNothing()
                 ? MakeLibrary(std::make_shared<ClientLinks>(
                                   &stage->network(), absl::StrCat("Q", id)),
                               store)
                 : nullptr) {}

absl::StatusOr<Config> ShardKV1Controller::Query(Place place) {
  absl::StatusOr<Config> config = library_->Query();
  if (!config.ok() || other_ == nullptr) return config;
  absl::StatusOr<Config> known = other_->Query();
  stage_->CheckError(place);
  if (!known.ok()) return known;
  const bool is_right =
      known->num == config->num ? *known == *config : known->num > config->num;
  if (is_right) return config;
  Fail(Kind::kSafety,
       absl::StrCat("a controller says ", ToString(*config),
                    "; another one, asked later, ", ToString(*known)),
       place);
}

void ShardKV1Controller::Close() {
  library_->Close();
  if (other_ != nullptr) other_->Close();
}

}  // namespace harness

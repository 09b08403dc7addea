#include "shardkv/clerk.h"

#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "kvraft/messages.h"

namespace shardkv {
namespace {

// After the wrong group, or a round of all its servers: a shard has come before
// long, and an election takes longer.
constexpr std::chrono::milliseconds kPause(50);

absl::Status ToStatus(Err err) {
  switch (err) {
    case Err::kOk:
    case Err::kNoKey:
      return absl::OkStatus();
    case Err::kTooLarge:
      return absl::InvalidArgumentError(
          absl::StrCat("too large: a key may have ", kvraft::kMaxKeyBytes,
                       " bytes, and a key and its value 1 MiB together"));
    case Err::kClosed:
      return absl::CancelledError("the Clerk is closed");
    default:
      return absl::UnknownError("executed once or not at all");
  }
}

}  // namespace

// Null if the configuration that it knows gives the shard to no group.
rsm::GroupClient* Clerk::GroupOf(int shard) {
  const auto group =
      config_.groups.find(config_.shards[static_cast<size_t>(shard)]);
  if (group == config_.groups.end()) return nullptr;
  const auto known = groups_.find(group->second);
  if (known != groups_.end()) return &known->second;
  std::vector<std::shared_ptr<rpc::ClientEnd>> ends;
  for (const std::string& server : group->second) {
    ends.push_back(make_end_(server));
  }
  return &groups_.try_emplace(group->second, std::move(ends), &closing_)
              .first->second;
}

// Returns the first answer that is final (rsm/clerk.h).
template <typename Args, typename Reply>
Reply Clerk::Call(const rpc::Method<Args, Reply>& method, int shard,
                  const Args& args, bool* maybe) {
  while (true) {
    if (rsm::GroupClient* const group = GroupOf(shard)) {
      std::optional<Reply> reply = group->AskOnce(method, args, maybe);
      const bool is_there = reply.has_value() && reply->err != Err::kWrongGroup;
      if (is_there) return *std::move(reply);
    }
    // The first configuration is asked for at once.
    if (is_configured_ && !closing_.Pause(kPause)) return {.err = Err::kClosed};
    absl::StatusOr<shardctrler::Config> latest = ctrler_.Query();
    if (!latest.ok()) return {.err = Err::kClosed};
    config_ = *std::move(latest);
    is_configured_ = true;
  }
}

void Clerk::Close() {
  closing_.Close();
  ctrler_.Close();
}

absl::StatusOr<std::string> Clerk::Get(const std::string& key) {
  bool ignored = false;
  Reply reply = Call(kGet, ShardOf(key), {key}, &ignored);
  revision_ = reply.revision;
  if (absl::Status error = ToStatus(reply.err); !error.ok()) return error;
  return std::move(reply.value);
}

absl::Status Clerk::Put(const std::string& key, const std::string& value) {
  return Write({.key = key, .value = value});
}

absl::Status Clerk::Append(const std::string& key, const std::string& value) {
  return Write({.key = key, .value = value, .append = true});
}

absl::Status Clerk::Write(PutAppendArgs args) {
  const int shard = ShardOf(args.key);
  const Reply reply = sessions_[static_cast<size_t>(shard)].Execute(
      [this, shard] {
        bool ignored = false;
        return Call(kOpenSession, shard, {shard}, &ignored);
      },
      [this, shard, &args](uint64_t session, uint64_t number, bool* maybe) {
        args.session = session;
        args.number = number;
        return Call(kPutAppend, shard, args, maybe);
      });
  revision_ = reply.revision;
  return ToStatus(reply.err);
}

}  // namespace shardkv

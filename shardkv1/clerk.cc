#include "shardkv1/clerk.h"

#include <chrono>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"

namespace shardkv1 {
namespace {

// After the wrong group, or a round of all its servers: a change is over before
// long, and an election takes longer.
constexpr std::chrono::milliseconds kPause(20);

}  // namespace

Clerk::Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> store,
             MakeEnd make_end)
    : store_(std::move(store)), groups_(std::move(make_end), &closing_) {}

// Returns the first answer that is final (rsm/clerk.h), and sets `*maybe` if an
// attempt may have been executed all the same, by whatever group.
template <typename Args>
Reply Clerk::Call(const rpc::Method<Args, Reply>& method, const Args& args,
                  bool* maybe) {
  const auto shard = static_cast<size_t>(ShardOf(args.key));
  // The first configuration is asked for at once.
  for (bool is_first = config_.num == 0;; is_first = false) {
    if (auto* const group = groups_.Find(config_, config_.shards[shard])) {
      std::optional<Reply> reply = group->AskOnce(method, args, maybe);
      const bool is_there = reply.has_value() && reply->err != Err::kWrongGroup;
      if (is_there) return *std::move(reply);
    }
    if (!is_first && !closing_.Pause(kPause)) return {.err = Err::kClosed};
    absl::StatusOr<ConfigStore::Stored> current =
        store_.Get(ConfigStore::kCurrent);
    if (!current.ok()) return {.err = Err::kClosed};
    config_ = std::move(current->config);
  }
}

Reply Clerk::Get(const std::string& key) {
  bool ignored = false;
  return Call(kGet, {key}, &ignored);
}

// "Another version" may be what an earlier attempt of this Put has made, at
// this group or at the one from which the shard has come; and "no key" may mean
// that the shard had no group meanwhile, so that what it made is gone.
Reply Clerk::Put(const std::string& key, const std::string& value,
                 uint64_t version) {
  bool maybe = false;
  Reply reply = Call(kPut, {key, value, version}, &maybe);
  const bool is_refused =
      reply.err == Err::kVersion || reply.err == Err::kNoKey;
  if (is_refused && maybe) reply.err = Err::kMaybe;
  return reply;
}

void Clerk::Close() {
  closing_.Close();
  store_.Close();
}

}  // namespace shardkv1

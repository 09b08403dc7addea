#include "shardctrler/clerk.h"

#include <utility>

namespace shardctrler {
namespace {

absl::Status ToStatus(Err err, const std::string& why = "") {
  switch (err) {
    case Err::kOk:
      return absl::OkStatus();
    case Err::kRefused:
      return absl::InvalidArgumentError(why);
    case Err::kTooLarge:
      return absl::InvalidArgumentError("too large: a change has 1 MiB");
    case Err::kNoServers:
      return absl::FailedPreconditionError("the Clerk has no servers");
    case Err::kClosed:
      return absl::CancelledError("the Clerk is closed");
    default:
      return absl::UnknownError("executed once or not at all");
  }
}

}  // namespace

Clerk::Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> servers)
    : servers_(std::move(servers), &closing_) {}

void Clerk::Close() { closing_.Close(); }

absl::StatusOr<Config> Clerk::Query(int64_t num) {
  bool ignored = false;
  Reply reply = servers_.Ask(kQuery, {num}, &ignored);
  if (reply.err != Err::kOk) return ToStatus(reply.err, reply.why);
  return std::move(reply.config);
}

absl::Status Clerk::Join(const Groups& groups) {
  return Change(kJoin, {.groups = groups});
}

absl::Status Clerk::Leave(const std::vector<Gid>& gids) {
  return Change(kLeave, {.gids = gids});
}

absl::Status Clerk::Move(int shard, Gid gid) {
  return Change(kMove, {.shard = shard, .gid = gid});
}

template <typename Args>
absl::Status Clerk::Change(const rpc::Method<Args, Reply>& method, Args args) {
  const Reply reply = session_.Execute(
      [this] {
        bool ignored = false;
        return servers_.Ask(kOpenSession, {}, &ignored);
      },
      [this, &method, &args](uint64_t session, uint64_t number, bool* maybe) {
        args.session = session;
        args.number = number;
        return servers_.Ask(method, args, maybe);
      });
  return ToStatus(reply.err, reply.why);
}

}  // namespace shardctrler

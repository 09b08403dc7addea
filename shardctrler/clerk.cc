#include "shardctrler/clerk.h"

#include <chrono>
#include <optional>

namespace shardctrler {
namespace {

// After a round of all servers. An election takes longer, an answer does not.
constexpr std::chrono::milliseconds kPause(20);

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

// Returns the first answer that is final. Sets `*maybe` if an attempt before it
// may have been executed too: its answer was lost, or its leader deposed.
template <typename Args, typename Reply>
Reply Clerk::Call(const rpc::Method<Args, Reply>& method, const Args& args,
                  bool* maybe) {
  if (servers_.empty()) return {.err = Err::kNoServers};
  for (size_t asked = 0; TurnToNext(asked); ++asked) {
    std::optional<Reply> reply = servers_[leader_]->Call(method, args);
    const Err err = reply.has_value() ? reply->err : Err::kLost;
    if (err == Err::kLost) *maybe = true;
    if (err != Err::kLost && err != Err::kWrongLeader) {
      return *std::move(reply);
    }
  }
  return {.err = Err::kClosed};
}

// After `asked` servers that were asked in vain; false if the Clerk is closed.
bool Clerk::TurnToNext(size_t asked) {
  if (asked > 0) leader_ = (leader_ + 1) % servers_.size();
  const bool pauses = asked > 0 && asked % servers_.size() == 0;
  const auto deadline = std::chrono::steady_clock::now() + kPause;
  base::MutexLock lock(&mu_);
  while (pauses && !closed_ && close_called_.WaitUntil(&mu_, deadline)) {
  }
  return !closed_;
}

void Clerk::Close() {
  {
    base::MutexLock lock(&mu_);
    closed_ = true;
  }
  close_called_.SignalAll();
  for (const auto& server : servers_) server->Close();
}

absl::StatusOr<Config> Clerk::Query(int64_t num) {
  bool ignored = false;
  Reply reply = Call(kQuery, {num}, &ignored);
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

// A session that is forgotten executes nothing; what it has executed is not
// known any more. So a new one may only repeat what was never attempted.
template <typename Args>
absl::Status Clerk::Change(const rpc::Method<Args, Reply>& method, Args args) {
  args.number = ++number_;
  for (bool maybe = false; !maybe;) {
    if (session_ == 0) {
      bool ignored = false;
      const OpenSessionReply opened = Call(kOpenSession, {}, &ignored);
      if (opened.err != Err::kOk) return ToStatus(opened.err);
      session_ = opened.session;
    }
    args.session = session_;
    const Reply reply = Call(method, args, &maybe);
    if (reply.err != Err::kSession) return ToStatus(reply.err, reply.why);
    session_ = 0;
  }
  return ToStatus(Err::kSession);
}

}  // namespace shardctrler

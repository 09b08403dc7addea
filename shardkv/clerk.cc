#include "shardkv/clerk.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "kvraft/messages.h"

namespace shardkv {
namespace {

using base::MutexLock;

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

// Returns the first answer that is final. Sets `*maybe` if an attempt before it
// may have been executed too: its answer was lost, or its leader deposed.
template <typename Args, typename Reply>
Reply Clerk::Call(const rpc::Method<Args, Reply>& method, int shard,
                  const Args& args, bool* maybe) {
  while (true) {
    const shardctrler::Gid gid = config_.shards[static_cast<size_t>(shard)];
    std::optional<Reply> reply = AskGroup(method, gid, args, maybe);
    if (reply.has_value()) return *std::move(reply);
    if (config_.num > 0) Pause();
    absl::StatusOr<shardctrler::Config> latest = ctrler_.Query();
    if (!latest.ok() || IsClosed()) return {.err = Err::kClosed};
    config_ = *std::move(latest);
  }
}

// Nothing if the group does not serve the shard, or does not answer.
template <typename Args, typename Reply>
std::optional<Reply> Clerk::AskGroup(const rpc::Method<Args, Reply>& method,
                                     shardctrler::Gid gid, const Args& args,
                                     bool* maybe) {
  const auto group = config_.groups.find(gid);
  if (group == config_.groups.end()) return std::nullopt;
  const std::vector<std::string>& servers = group->second;
  size_t& leader = leaders_[gid];
  for (size_t asked = 0; asked < servers.size() && !IsClosed(); ++asked) {
    std::optional<Reply> reply =
        EndOf(servers[leader % servers.size()])->Call(method, args);
    const Err err = reply.has_value() ? reply->err : Err::kLost;
    if (err == Err::kLost) *maybe = true;
    if (err == Err::kWrongGroup) return std::nullopt;
    if (err != Err::kLost && err != Err::kWrongLeader) return reply;
    ++leader;
  }
  return std::nullopt;
}

bool Clerk::IsClosed() {
  MutexLock lock(&mu_);
  return closed_;
}

void Clerk::Pause() {
  const auto deadline = std::chrono::steady_clock::now() + kPause;
  MutexLock lock(&mu_);
  while (!closed_ && close_called_.WaitUntil(&mu_, deadline)) {
  }
}

std::shared_ptr<rpc::ClientEnd> Clerk::EndOf(const std::string& server) {
  {
    MutexLock lock(&mu_);
    const auto found = ends_.find(server);
    if (found != ends_.end()) return found->second;
  }
  std::shared_ptr<rpc::ClientEnd> end = make_end_(server);
  bool closed = false;
  {
    MutexLock lock(&mu_);
    ends_[server] = end;
    closed = closed_;
  }
  if (closed) end->Close();
  return end;
}

void Clerk::Close() {
  std::map<std::string, std::shared_ptr<rpc::ClientEnd>> ends;
  {
    MutexLock lock(&mu_);
    closed_ = true;
    ends = ends_;
  }
  close_called_.SignalAll();
  ctrler_.Close();
  for (const auto& [server, end] : ends) end->Close();
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

// A session that is forgotten executes nothing; what it has executed is not
// known any more. So a new one may only repeat what was never attempted.
absl::Status Clerk::Write(PutAppendArgs args) {
  const int shard = ShardOf(args.key);
  uint64_t& session = sessions_[static_cast<size_t>(shard)];
  args.number = ++number_;
  for (bool maybe = false; !maybe;) {
    if (session == 0) {
      bool ignored = false;
      const OpenSessionReply opened =
          Call(kOpenSession, shard, {shard}, &ignored);
      if (opened.err != Err::kOk) return ToStatus(opened.err);
      session = opened.session;
    }
    args.session = session;
    const Reply reply = Call(kPutAppend, shard, args, &maybe);
    revision_ = reply.revision;
    if (reply.err != Err::kSession) return ToStatus(reply.err);
    session = 0;
  }
  return ToStatus(Err::kSession);
}

}  // namespace shardkv

#include "kvraft/clerk.h"

#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"

namespace kvraft {
namespace {

// After a round of all servers. An election takes longer, an answer does not.
constexpr std::chrono::milliseconds kPause(20);

absl::Status ToStatus(Err err) {
  switch (err) {
    case Err::kOk:
    case Err::kNoKey:
      return absl::OkStatus();
    case Err::kTooLarge:
      return absl::InvalidArgumentError(
          absl::StrCat("too large: a key may have ", kMaxKeyBytes,
                       " bytes, and a key and its value 1 MiB together"));
    case Err::kNoServers:
      return absl::FailedPreconditionError("the Clerk has no servers");
    case Err::kClosed:
      return absl::CancelledError("the Clerk is closed");
    default:
      return absl::UnknownError(
          absl::StrCat("executed once or not at all: ", Name(err)));
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
    if (err != Err::kLost && err != Err::kWrongLeader) return *reply;
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

Reply Clerk::GetVersioned(const std::string& key) {
  bool maybe = false;
  Reply reply = Call(kGet, {key}, &maybe);
  revision_ = reply.revision;
  return reply;
}

absl::StatusOr<std::string> Clerk::Get(const std::string& key) {
  Reply reply = GetVersioned(key);
  if (absl::Status error = ToStatus(reply.err); !error.ok()) return error;
  return std::move(reply.value);
}

// "Another version" may be what an earlier attempt of this Put has made.
Err Clerk::PutVersioned(const std::string& key, const std::string& value,
                        uint64_t version) {
  bool maybe = false;
  const Reply reply = Call(kPut, {key, value, version}, &maybe);
  revision_ = reply.revision;
  return reply.err == Err::kVersion && maybe ? Err::kMaybe : reply.err;
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
  args.number = ++number_;
  for (bool maybe = false; !maybe;) {
    if (session_ == 0) {
      bool ignored = false;
      const OpenSessionReply opened = Call(kOpenSession, {}, &ignored);
      if (opened.err != Err::kOk) return ToStatus(opened.err);
      session_ = opened.session;
    }
    args.session = session_;
    const Reply reply = Call(kPutAppend, args, &maybe);
    revision_ = reply.revision;
    if (reply.err != Err::kSession) return ToStatus(reply.err);
    session_ = 0;
  }
  return ToStatus(Err::kMaybe);
}

}  // namespace kvraft

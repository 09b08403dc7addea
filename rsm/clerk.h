// What Clerks of replicated services have in common: they ask the servers of a
// group in turn until one answers as the leader, write in sessions
// (sessions.h), and may be closed at any moment.
//
// A service's replies have a field `err`, whose type has kOk, kWrongLeader (not
// executed), kLost (unknown), kSession (not executed in this session) and, as
// the Clerk's own answer, kClosed.

#ifndef RSM_CLERK_H_
#define RSM_CLERK_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "rpc/rpc.h"

namespace rsm {

// Ends a Clerk's calls and pauses, once and for all.
// Thread safety: safe. Lock order: mu_ is a leaf.
class Closing {
 public:
  // The end is closed with this; at once if it is closed already.
  void Add(const std::shared_ptr<rpc::ClientEnd>& end) EXCLUDES(mu_);
  bool IsClosed() EXCLUDES(mu_);
  // Returns early, with false, if this is closed.
  bool Pause(std::chrono::milliseconds duration) EXCLUDES(mu_);
  void Close() EXCLUDES(mu_);

 private:
  base::Mutex mu_;
  base::CondVar close_called_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::shared_ptr<rpc::ClientEnd>> ends_ ABSL_GUARDED_BY(mu_);
};

// A Clerk's way to the servers of one group.
// Thread safety: safe; calls at the same time share what they learn of the
// leader.
class GroupClient {
 public:
  // `closing` outlives it.
  GroupClient(std::vector<std::shared_ptr<rpc::ClientEnd>> servers,
              Closing* closing)
      : servers_(std::move(servers)), closing_(closing) {
    for (const auto& server : servers_) closing_->Add(server);
  }

  // Asks each server once, the last one that answered first, until one gives an
  // answer that is final; nothing if none does. Sets `*maybe` if an attempt may
  // have been executed all the same: its answer was lost, or its leader
  // deposed.
  template <typename Args, typename Reply>
  std::optional<Reply> AskOnce(const rpc::Method<Args, Reply>& method,
                               const Args& args, bool* maybe) {
    using Err = decltype(Reply::err);
    const size_t first = leader_;
    for (size_t i = 0; i < servers_.size() && !closing_->IsClosed(); ++i) {
      const size_t server = (first + i) % servers_.size();
      std::optional<Reply> reply = servers_[server]->Call(method, args);
      const Err err = reply.has_value() ? reply->err : Err::kLost;
      if (err == Err::kLost) *maybe = true;
      if (err == Err::kLost || err == Err::kWrongLeader) continue;
      leader_ = server;
      return reply;
    }
    return std::nullopt;
  }

  // Goes on, with a pause after each round, until there is such an answer.
  // Without servers it is kNoServers.
  template <typename Args, typename Reply>
  Reply Ask(const rpc::Method<Args, Reply>& method, const Args& args,
            bool* maybe) {
    using Err = decltype(Reply::err);
    if (servers_.empty()) return {.err = Err::kNoServers};
    do {
      std::optional<Reply> reply = AskOnce(method, args, maybe);
      if (reply.has_value()) return *std::move(reply);
    } while (closing_->Pause(kPause));
    return {.err = Err::kClosed};
  }

 private:
  // An election takes longer, an answer does not.
  static constexpr std::chrono::milliseconds kPause{20};

  const std::vector<std::shared_ptr<rpc::ClientEnd>> servers_;
  Closing* const closing_;
  std::atomic<size_t> leader_ = 0;  // the last server that answered
};

// A Clerk's session with a service.
// Thread safety: one call at a time.
class ClientSession {
 public:
  // Has a write executed once, in a session that `open()` asks for when there
  // is none; its reply has `session`. `write(session, number, &maybe)` asks the
  // service for the write itself.
  //
  // A session that is forgotten executes nothing; what it has executed is not
  // known any more. So a new one may only repeat what was never attempted:
  // otherwise the answer is kSession, and the write was executed once or not at
  // all.
  template <typename Open, typename Write>
  auto Execute(Open open, Write write) {
    using Reply = decltype(write(id_, number_, std::declval<bool*>()));
    using Err = decltype(Reply::err);
    const uint64_t number = ++number_;
    for (bool maybe = false; !maybe;) {
      if (id_ == 0) {
        const auto opened = open();
        if (opened.err != Err::kOk) return Reply{.err = opened.err};
        id_ = opened.session;
      }
      Reply reply = write(id_, number, &maybe);
      if (reply.err != Err::kSession) return reply;
      id_ = 0;
    }
    return Reply{.err = Err::kSession};
  }

 private:
  uint64_t id_ = 0;      // 0: none is open
  uint64_t number_ = 0;  // of the last write; never used again
};

}  // namespace rsm

#endif  // RSM_CLERK_H_

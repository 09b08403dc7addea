// A message between two servers of a group, decoded once for all observers.
//
// The body is a variant, and observers visit it without a default: a new RPC
// does not compile until each of them says what it makes of it.
//
// Thread safety: plain values and pure functions.

#ifndef TESTS_HARNESS_MESSAGE_H_
#define TESTS_HARNESS_MESSAGE_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "labrpc/packet.h"
#include "raft/messages.h"
#include "raft/types.h"
#include "tests/harness/link.h"

namespace harness {

// The bytes are not what the method carries.
struct Undecodable {};

using MessageBody =
    std::variant<raft::RequestVoteArgs, raft::RequestVoteReply,
                 raft::AppendEntriesArgs, raft::AppendEntriesReply,
                 raft::InstallSnapshotArgs, raft::InstallSnapshotReply,
                 Undecodable>;

struct Message {
  using Fate = labrpc::Packet::Fate;

  Link link;          // of the call: a reply travels against it
  uint64_t call = 0;  // a reply has its request's
  bool is_reply = false;
  std::string_view rpc;  // "RequestVote", "AppendEntries", ...
  Fate fate = Fate::kDelivered;
  bool is_duplicate = false;  // a request that comes a second time
  std::chrono::steady_clock::time_point sent;  // when the call was made
  std::chrono::milliseconds delay{
      0};  // how much later it arrives, if reordered
  MessageBody body;

  raft::ServerId from() const { return is_reply ? link.to : link.from; }
  raft::ServerId to() const { return is_reply ? link.from : link.to; }
};

// Nothing if it is no message between two servers, or of no service of theirs.
std::optional<Message> DecodeMessage(const labrpc::Packet& packet);

// For std::visit(): one function for each type of a variant.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace harness

#endif  // TESTS_HARNESS_MESSAGE_H_

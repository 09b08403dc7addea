#include "tests/harness/tap.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "rpc/codec.h"
#include "tests/harness/cluster.h"
#include "tests/harness/link.h"

namespace harness {
namespace {

using labrpc::Packet;
using labrpc::Ruling;

// What a Raft sends must decode; its peer dies of it otherwise.
template <typename T>
T DecodeOrDie(std::string_view bytes) {
  absl::StatusOr<T> value = rpc::Decode<T>(bytes);
  CHECK(value.ok()) << "tap: " << value.status().message();
  return *std::move(value);
}

Match OneKind(const std::string& what, bool is_reply, bool is_vote) {
  return {what, [is_reply, is_vote](const Message& message) {
            return message.is_reply == is_reply &&
                   message.vote.has_value() == is_vote;
          }};
}

}  // namespace

// --- Match -------------------------------------------------------------------

Match::Match(std::string what, Condition condition)
    : what_(std::move(what)), conditions_{std::move(condition)} {}

bool Match::operator()(const Message& message) const {
  for (const Condition& condition : conditions_) {
    if (!condition(message)) return false;
  }
  return true;
}

Match Match::Where(const std::string& what, Condition condition) const {
  Match match = *this;
  absl::StrAppend(&match.what_, " ", what);
  match.conditions_.push_back(std::move(condition));
  return match;
}

Match Match::From(raft::ServerId server) const {
  return Where(
      absl::StrCat("from S", server),
      [server](const Message& message) { return message.from == server; });
}

Match Match::NotFrom(raft::ServerId server) const {
  return Where(
      absl::StrCat("not from S", server),
      [server](const Message& message) { return message.from != server; });
}

Match Match::To(raft::ServerId server) const {
  return Where(absl::StrCat("to S", server), [server](const Message& message) {
    return message.to == server;
  });
}

Match Match::NotTo(raft::ServerId server) const {
  return Where(
      absl::StrCat("not to S", server),
      [server](const Message& message) { return message.to != server; });
}

Match Match::InTerm(raft::Term term) const {
  return Where(absl::StrCat("in T", term), [term](const Message& message) {
    return message.RequestTerm() == term;
  });
}

Match Match::After(size_t number) const {
  return Where("from now on", [number](const Message& message) {
    return message.number > number;
  });
}

Match Match::Agreeing() const {
  return Where("that agrees", [](const Message& message) {
    return message.is_reply && message.Agrees();
  });
}

Match Match::Refusing() const {
  return Where("that refuses", [](const Message& message) {
    return message.is_reply && !message.Agrees();
  });
}

Match Match::WithEntries() const {
  return Where("with entries", [](const Message& message) {
    return message.append.has_value() && !message.append->entries.empty();
  });
}

Match Match::Reaching(raft::Index index) const {
  return Where(
      absl::StrCat("up to index ", index), [index](const Message& message) {
        return message.append.has_value() && message.LastIndex() >= index;
      });
}

Match AnyMessage() {
  return {"a message", [](const Message&) { return true; }};
}

Match AnyRequest() {
  return {"a request",
          [](const Message& message) { return !message.is_reply; }};
}

Match RequestVotes() {
  return OneKind("RequestVote", /*is_reply=*/false, /*is_vote=*/true);
}

Match RequestVoteReplies() {
  return OneKind("RequestVote reply", /*is_reply=*/true, /*is_vote=*/true);
}

Match AppendEntries() {
  return OneKind("AppendEntries", /*is_reply=*/false, /*is_vote=*/false);
}

Match AppendEntriesReplies() {
  return OneKind("AppendEntries reply", /*is_reply=*/true, /*is_vote=*/false);
}

// --- Tap ---------------------------------------------------------------------

labrpc::Tap Tap::Handler() {
  return [this](const Packet& packet) { return Ask(packet); };
}

Ruling Tap::Ask(const Packet& packet) {
  base::MutexLock lock(&mu_);
  std::optional<Message> message = DecodeLocked(packet);
  if (!message.has_value()) return Ruling::kPass;
  const Ruling ruling = RuleLocked(*message);
  if (!message->is_reply) requests_[message->call] = seen_.size();
  if (ruling == Ruling::kHold) held_.push_back(*message);
  seen_.push_back(*std::move(message));
  message_seen_.SignalAll();
  return ruling;
}

// Nothing if it is no message between two of the cluster's Rafts.
std::optional<Message> Tap::DecodeLocked(const Packet& packet) {
  const std::optional<Link> link = ParseLink(packet.end);
  if (!link.has_value()) return std::nullopt;
  Message message;
  message.number = seen_.size() + 1;
  message.call = packet.call;
  message.is_reply = packet.kind == Packet::Kind::kReply;
  message.from = message.is_reply ? link->to : link->from;
  message.to = message.is_reply ? link->from : link->to;
  message.sent = packet.sent;
  const bool is_vote = packet.method == raft::kRequestVote.name;
  if (!is_vote && packet.method != raft::kAppendEntries.name) {
    return std::nullopt;
  }
  if (!message.is_reply) {
    if (is_vote) {
      message.vote = DecodeOrDie<raft::RequestVoteArgs>(packet.bytes);
    } else {
      message.append = DecodeOrDie<raft::AppendEntriesArgs>(packet.bytes);
    }
    return message;
  }
  const auto request = requests_.find(packet.call);
  if (request == requests_.end()) return std::nullopt;
  message.vote = seen_[request->second].vote;
  message.append = seen_[request->second].append;
  requests_.erase(request);
  if (is_vote) {
    message.vote_reply = DecodeOrDie<raft::RequestVoteReply>(packet.bytes);
  } else {
    message.append_reply = DecodeOrDie<raft::AppendEntriesReply>(packet.bytes);
  }
  return message;
}

Ruling Tap::RuleLocked(const Message& message) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->match(message)) return rule->ruling;
  }
  return Ruling::kPass;
}

int Tap::AddRule(const Match& match, Ruling ruling) {
  base::MutexLock lock(&mu_);
  rules_.push_back({++rules_made_, match, ruling});
  return rules_made_;
}

int Tap::Drop(const Match& match) { return AddRule(match, Ruling::kDrop); }
int Tap::Hold(const Match& match) { return AddRule(match, Ruling::kHold); }
int Tap::Duplicate(const Match& match) {
  return AddRule(match, Ruling::kDuplicate);
}

void Tap::Forget(int rule) {
  base::MutexLock lock(&mu_);
  std::erase_if(rules_, [rule](const Rule& r) { return r.number == rule; });
}

void Tap::ForgetAll() {
  base::MutexLock lock(&mu_);
  rules_.clear();
}

size_t Tap::Now() const {
  base::MutexLock lock(&mu_);
  return seen_.size();
}

std::vector<Message> Tap::Seen(const Match& match) const {
  base::MutexLock lock(&mu_);
  std::vector<Message> found;
  for (const Message& message : seen_) {
    if (match(message)) found.push_back(message);
  }
  return found;
}

Message Tap::Await(const Match& match, size_t count, Place place) {
  const Clock::time_point deadline = Clock::now() + kSceneLimit;
  {
    base::MutexLock lock(&mu_);
    size_t found = 0;
    for (size_t i = 0; Clock::now() < deadline;) {
      for (; i < seen_.size(); ++i) {
        if (match(seen_[i]) && ++found == count) return seen_[i];
      }
      message_seen_.WaitUntil(&mu_, deadline);
    }
  }
  Fail(
      Kind::kLiveness,
      absl::StrCat("scenario: waited in vain for ", count, " x ", match.what()),
      place);
}

std::vector<Message> Tap::Held(const Match& match) const {
  base::MutexLock lock(&mu_);
  std::vector<Message> found;
  for (const Message& message : held_) {
    if (match(message)) found.push_back(message);
  }
  return found;
}

Message Tap::AwaitHeld(const Match& match, Place place) {
  const Clock::time_point deadline = Clock::now() + kSceneLimit;
  {
    base::MutexLock lock(&mu_);
    while (Clock::now() < deadline) {
      for (const Message& message : held_) {
        if (match(message)) return message;
      }
      message_seen_.WaitUntil(&mu_, deadline);
    }
  }
  Fail(Kind::kLiveness,
       absl::StrCat("scenario: waited in vain to hold ", match.what()), place);
}

bool Tap::Release(Cluster* cluster, const Message& message) {
  {
    base::MutexLock lock(&mu_);
    const auto same = [&message](const Message& held) {
      return held.number == message.number;
    };
    if (std::erase_if(held_, same) == 0) return false;
  }
  return cluster->Release(message.call);
}

void Tap::ReleaseAll(Cluster* cluster, const Match& match) {
  for (const Message& message : Held(match)) Release(cluster, message);
}

}  // namespace harness

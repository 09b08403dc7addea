#include "tests/harness/tap.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/logging.h"
#include "tests/harness/raft_cluster.h"

namespace harness {
namespace {

using labrpc::Packet;
using labrpc::Ruling;

template <typename Body>
Match OneKind(const std::string& what) {
  return {what, [](const TapMessage& message) {
            return std::holds_alternative<Body>(message.body);
          }};
}

// The term of a message, of its own kind.
raft::Term TermOf(const MessageBody& body) {
  return std::visit(
      Overloaded{
          [](const Undecodable&) -> raft::Term { return 0; },
          [](const auto& message) -> raft::Term { return message.term; },
      },
      body);
}

}  // namespace

// --- TapMessage --------------------------------------------------------------

raft::Term TapMessage::RequestTerm() const { return TermOf(request); }
raft::Term TapMessage::ReplyTerm() const { return TermOf(body); }

bool TapMessage::Agrees() const {
  return std::visit(
      Overloaded{
          [](const raft::RequestVoteReply& reply) {
            return reply.vote_granted;
          },
          [](const raft::AppendEntriesReply& reply) { return reply.success; },
          [](const raft::InstallSnapshotReply& reply) {
            return reply.installed;
          },
          [](const raft::RequestVoteArgs&) { return false; },
          [](const raft::AppendEntriesArgs&) { return false; },
          [](const raft::InstallSnapshotArgs&) { return false; },
          [](const Undecodable&) { return false; },
      },
      body);
}

// --- Match -------------------------------------------------------------------

Match::Match(std::string what, Condition condition)
    : what_(std::move(what)), conditions_{std::move(condition)} {}

bool Match::operator()(const TapMessage& message) const {
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
      [server](const TapMessage& message) { return message.from() == server; });
}

Match Match::NotFrom(raft::ServerId server) const {
  return Where(
      absl::StrCat("not from S", server),
      [server](const TapMessage& message) { return message.from() != server; });
}

Match Match::To(raft::ServerId server) const {
  return Where(
      absl::StrCat("to S", server),
      [server](const TapMessage& message) { return message.to() == server; });
}

Match Match::NotTo(raft::ServerId server) const {
  return Where(
      absl::StrCat("not to S", server),
      [server](const TapMessage& message) { return message.to() != server; });
}

Match Match::ToOneOf(const std::vector<raft::ServerId>& servers) const {
  return Where(absl::StrCat("to one of S", absl::StrJoin(servers, ", S")),
               [servers](const TapMessage& message) {
                 return std::ranges::find(servers, message.to()) !=
                        servers.end();
               });
}

Match Match::InTerm(raft::Term term) const {
  return Where(absl::StrCat("in T", term), [term](const TapMessage& message) {
    return message.RequestTerm() == term;
  });
}

Match Match::After(size_t number) const {
  return Where("from now on", [number](const TapMessage& message) {
    return message.number > number;
  });
}

Match Match::Agreeing() const {
  return Where("that agrees", [](const TapMessage& message) {
    return message.is_reply && message.Agrees();
  });
}

Match Match::Refusing() const {
  return Where("that refuses", [](const TapMessage& message) {
    return message.is_reply && !message.Agrees();
  });
}

Match Match::WithEntries() const {
  return Where("with entries", [](const TapMessage& message) {
    return message.IsAppendEntries() && !message.append().entries.empty();
  });
}

Match Match::Reaching(raft::Index index) const {
  return Where(
      absl::StrCat("up to index ", index), [index](const TapMessage& message) {
        return message.IsAppendEntries() && message.LastIndex() >= index;
      });
}

Match Match::Covering(raft::Index index) const {
  return Where(absl::StrCat("up to index ", index),
               [index](const TapMessage& message) {
                 return message.IsInstallSnapshot() &&
                        message.install().last_included_index == index;
               });
}

Match Match::WithItsEnd() const {
  return Where("with its end", [](const TapMessage& message) {
    return message.IsInstallSnapshot() && message.install().done;
  });
}

Match AnyMessage() {
  return {"a message", [](const TapMessage&) { return true; }};
}

Match AnyRequest() {
  return {"a request",
          [](const TapMessage& message) { return !message.is_reply; }};
}

Match RequestVotes() { return OneKind<raft::RequestVoteArgs>("RequestVote"); }

Match RequestVoteReplies() {
  return OneKind<raft::RequestVoteReply>("RequestVote reply");
}

Match AppendEntries() {
  return OneKind<raft::AppendEntriesArgs>("AppendEntries");
}

Match AppendEntriesReplies() {
  return OneKind<raft::AppendEntriesReply>("AppendEntries reply");
}

Match InstallSnapshots() {
  return OneKind<raft::InstallSnapshotArgs>("InstallSnapshot");
}

Match InstallSnapshotReplies() {
  return OneKind<raft::InstallSnapshotReply>("InstallSnapshot reply");
}

void FailInVain(const std::string& what, const Blame& blame, Place place) {
  Fail(blame.kind,
       absl::StrCat("scenario: expected ", what, " within ",
                    kScenarioLimit.count(), " s", blame.why.empty() ? "" : "; ",
                    blame.why),
       place);
}

// --- Tap ---------------------------------------------------------------------

labrpc::Tap Tap::Handler() {
  return [this](const Packet& packet) { return Ask(packet); };
}

Ruling Tap::Ask(const Packet& packet) {
  base::MutexLock lock(&mu_);
  std::optional<TapMessage> message = DecodeLocked(packet);
  if (!message.has_value()) return Ruling::kPass;
  const Ruling ruling = RuleLocked(*message);
  if (!message->is_reply) requests_[message->call] = seen_.size();
  if (ruling == Ruling::kHold) held_.push_back(*message);
  seen_.push_back(*std::move(message));
  message_seen_.SignalAll();
  return ruling;
}

// Nothing if it is no message between two servers.
std::optional<TapMessage> Tap::DecodeLocked(const Packet& packet) {
  std::optional<Message> decoded = DecodeMessage(packet);
  if (!decoded.has_value()) return std::nullopt;
  // What a Raft sends must decode; its peer fails otherwise.
  CHECK(!std::holds_alternative<Undecodable>(decoded->body))
      << "tap: S" << decoded->from() << " sends what does not decode";
  TapMessage message;
  static_cast<Message&>(message) = *std::move(decoded);
  message.number = seen_.size() + 1;
  if (!message.is_reply) {
    message.request = message.body;
    return message;
  }
  const auto request = requests_.extract(packet.call);
  if (request.empty()) return std::nullopt;
  message.request = seen_[request.mapped()].body;
  return message;
}

Ruling Tap::RuleLocked(const TapMessage& message) const {
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

std::vector<TapMessage> Tap::Seen(const Match& match) const {
  base::MutexLock lock(&mu_);
  std::vector<TapMessage> found;
  for (const TapMessage& message : seen_) {
    if (match(message)) found.push_back(message);
  }
  return found;
}

// Waits until there are `count`; nothing if it is too late.
std::optional<TapMessage> Tap::Find(const Match& match, size_t count) {
  const Clock::time_point deadline = Clock::now() + kScenarioLimit;
  base::MutexLock lock(&mu_);
  size_t found = 0;
  for (size_t i = 0; Clock::now() < deadline;) {
    for (; i < seen_.size(); ++i) {
      if (match(seen_[i]) && ++found == count) return seen_[i];
    }
    message_seen_.WaitUntil(&mu_, deadline);
  }
  return std::nullopt;
}

TapMessage Tap::Await(const Match& match, size_t count, Place place) {
  std::optional<TapMessage> found = Find(match, count);
  if (!found.has_value()) {
    FailInVain(absl::StrCat(count, " x ", match.what()), blame_(), place);
  }
  return *std::move(found);
}

TapMessage Tap::Require(const Match& match, const std::string& rule,
                        Place place) {
  std::optional<TapMessage> found = Find(match, /*count=*/1);
  if (!found.has_value()) {
    FailInVain(match.what(), {Kind::kLiveness, rule}, place);
  }
  return *std::move(found);
}

std::vector<TapMessage> Tap::Held(const Match& match) const {
  base::MutexLock lock(&mu_);
  std::vector<TapMessage> found;
  for (const TapMessage& message : held_) {
    if (match(message)) found.push_back(message);
  }
  return found;
}

TapMessage Tap::AwaitHeld(const Match& match, Place place) {
  const Clock::time_point deadline = Clock::now() + kScenarioLimit;
  {
    base::MutexLock lock(&mu_);
    while (Clock::now() < deadline) {
      for (const TapMessage& message : held_) {
        if (match(message)) return message;
      }
      message_seen_.WaitUntil(&mu_, deadline);
    }
  }
  FailInVain(absl::StrCat("to hold ", match.what()), blame_(), place);
}

bool Tap::Release(RaftCluster* cluster, const TapMessage& message) {
  {
    base::MutexLock lock(&mu_);
    const auto same = [&message](const TapMessage& held) {
      return held.number == message.number;
    };
    if (std::erase_if(held_, same) == 0) return false;
  }
  return cluster->Release(message.call);
}

void Tap::ReleaseAll(RaftCluster* cluster, const Match& match) {
  for (const TapMessage& message : Held(match)) Release(cluster, message);
}

}  // namespace harness

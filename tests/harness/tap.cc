#include "tests/harness/tap.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/harness/link.h"

namespace tests {
namespace {

using labrpc::Packet;
using labrpc::Ruling;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLimit(20);
constexpr std::chrono::milliseconds kPoll(5);

std::vector<Message> Select(const std::vector<Message>& messages,
                            const Tap::Match& match) {
  std::vector<Message> selected;
  std::copy_if(messages.begin(), messages.end(), std::back_inserter(selected),
               match);
  return selected;
}

// Nothing if it is not one of Raft's.
std::optional<Message> ReadRequest(const Packet& packet) {
  const std::optional<Link> link = ParseLink(packet.end);
  if (!link.has_value()) return std::nullopt;
  Message message;
  message.call = packet.call;
  message.from = link->from;
  message.to = link->to;
  if (packet.method == raft::kRequestVote.name) {
    auto args = base::Decode<raft::RequestVoteArgs>(packet.bytes);
    if (!args.ok()) return std::nullopt;
    message.request_vote = *args;
  } else if (packet.method == raft::kAppendEntries.name) {
    auto args = base::Decode<raft::AppendEntriesArgs>(packet.bytes);
    if (!args.ok()) return std::nullopt;
    message.append_entries = *std::move(args);
  } else {
    return std::nullopt;
  }
  return message;
}

bool ReadReply(const Packet& packet, Message* message) {
  message->is_reply = true;
  std::swap(message->from, message->to);
  if (message->request_vote.has_value()) {
    const auto reply = base::Decode<raft::RequestVoteReply>(packet.bytes);
    if (!reply.ok()) return false;
    message->reply_term = reply->term;
    message->agreed = reply->vote_granted;
  } else {
    const auto reply = base::Decode<raft::AppendEntriesReply>(packet.bytes);
    if (!reply.ok()) return false;
    message->reply_term = reply->term;
    message->agreed = reply->success;
  }
  return true;
}

}  // namespace

labrpc::Tap Tap::Handler() {
  return [this](const Packet& packet) { return Decide(packet); };
}

void Tap::AddRule(Ruling ruling, Match match) {
  base::MutexLock lock(&mu_);
  rules_.push_back({ruling, std::move(match)});
}

void Tap::SetRules(std::vector<Rule> rules) {
  base::MutexLock lock(&mu_);
  rules_.swap(rules);
}

void Tap::Forget() {
  base::MutexLock lock(&mu_);
  seen_.clear();
  held_.clear();
}

Ruling Tap::Decide(const Packet& packet) {
  base::MutexLock lock(&mu_);
  const std::optional<Message> message = ReadLocked(packet);
  if (!message.has_value()) return Ruling::kPass;
  seen_.push_back(*message);
  const auto rule =
      std::find_if(rules_.rbegin(), rules_.rend(),
                   [&message](const Rule& it) { return it.match(*message); });
  if (rule == rules_.rend()) return Ruling::kPass;
  if (rule->ruling == Ruling::kHold) held_.push_back(*message);
  return rule->ruling;
}

std::optional<Message> Tap::ReadLocked(const Packet& packet) {
  if (packet.kind == Packet::Kind::kRequest) {
    std::optional<Message> request = ReadRequest(packet);
    if (request.has_value()) requests_[packet.call] = *request;
    return request;
  }
  auto request = requests_.extract(packet.call);
  if (request.empty() || !ReadReply(packet, &request.mapped())) {
    return std::nullopt;
  }
  return std::move(request.mapped());
}

std::vector<Message> Tap::Seen(const Match& match) {
  base::MutexLock lock(&mu_);
  return Select(seen_, match);
}

std::vector<Message> Tap::Held(const Match& match) {
  base::MutexLock lock(&mu_);
  return Select(held_, match);
}

Message Tap::AwaitSeen(const Match& match, size_t count, Place place) {
  return Await([&] { return Seen(match); }, count, "seen", place);
}

Message Tap::AwaitHeld(const Match& match, size_t count, Place place) {
  return Await([&] { return Held(match); }, count, "held", place);
}

Message Tap::Await(const std::function<Messages()>& look, size_t count,
                   const char* what, Place place) {
  const Clock::time_point deadline = Clock::now() + kLimit;
  while (true) {
    const Messages messages = look();
    if (messages.size() >= count) return messages[count - 1];
    if (Clock::now() > deadline) {
      Fail(absl::StrCat("of ", count, " messages that this scenario waits for ",
                        messages.size(), " were ", what),
           place);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace tests

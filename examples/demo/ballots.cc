#include "examples/demo/ballots.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "base/logging.h"
#include "raft/messages.h"
#include "rpc/codec.h"

namespace tests {
namespace {

using base::MutexLock;

// Both sides of the end "2-0", which leads from S2 to S0.
std::pair<raft::ServerId, raft::ServerId> Sides(std::string_view end) {
  std::pair<raft::ServerId, raft::ServerId> sides;
  const size_t dash = end.find('-');
  CHECK(dash != std::string_view::npos) << end;
  CHECK(absl::SimpleAtoi(std::string(end.substr(0, dash)), &sides.first));
  CHECK(absl::SimpleAtoi(std::string(end.substr(dash + 1)), &sides.second));
  return sides;
}

}  // namespace

void Ballots::Observe(const labrpc::Packet& packet) {
  using Packet = labrpc::Packet;
  if (packet.method != raft::kRequestVote.name) return;
  const auto [candidate, voter] = Sides(packet.end);
  if (packet.kind == Packet::Kind::kRequest) {
    const auto args = rpc::Decode<raft::RequestVoteArgs>(packet.bytes);
    CHECK(args.ok()) << args.status().message();
    MutexLock lock(&mu_);
    const bool is_new = votes_.try_emplace({args->term, candidate}).second;
    if (is_new) new_.push_back({candidate, args->term});
    return;
  }
  const auto reply = rpc::Decode<raft::RequestVoteReply>(packet.bytes);
  CHECK(reply.ok()) << reply.status().message();
  if (packet.fate != Packet::Fate::kDelivered || !reply->vote_granted) return;
  MutexLock lock(&mu_);
  // Who grants a vote is in the candidate's term.
  votes_[{reply->term, candidate}].insert(voter);
}

std::vector<Ballots::Candidacy> Ballots::TakeNew() {
  MutexLock lock(&mu_);
  return std::exchange(new_, {});
}

std::set<raft::ServerId> Ballots::VotesFor(raft::ServerId candidate,
                                           raft::Term term) const {
  MutexLock lock(&mu_);
  const auto found = votes_.find({term, candidate});
  return found == votes_.end() ? std::set<raft::ServerId>() : found->second;
}

}  // namespace tests

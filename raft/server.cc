// The life of one server: birth, the three roles and the doors between them,
// Start(), GetState() and Kill().

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "raft/raft.h"

namespace raft {

using base::MutexLock;

Raft::Raft(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, ServerId me,
           std::shared_ptr<persister::Persister> persister,
           std::shared_ptr<ApplyChannel> apply_channel)
    : peers_(std::move(peers)),
      me_(me),
      persister_(std::move(persister)),
      apply_channel_(std::move(apply_channel)),
      random_(base::Random::ForOwner(absl::StrCat("raft/", me))) {
  CHECK_GE(me_, 0);
  CHECK_LT(static_cast<size_t>(me_), peers_.size())
      << "me must be one of the peers";
  if (InvariantChecksOn()) {
    mu_.CheckOnRelease([this] {
      mu_.AssertHeld();
      CheckInvariantsLocked();
    });
  }
  MutexLock lock(&mu_);
  RestoreLocked();
  ResetElectionDeadlineLocked();
}

void Raft::StartThreads() {
  election_ticker_ = std::thread([this] { ElectionLoop(); });
  heartbeat_ticker_ = std::thread([this] { HeartbeatLoop(); });
  applier_ = std::thread([this] { ApplyLoop(); });
}

Raft::~Raft() { Kill(); }

StartResult Raft::Start(std::string_view command) {
  StartResult result;
  AppendEntriesCalls calls;
  {
    MutexLock lock(&mu_);
    if (killed_ || role_ != Role::kLeader) return {0, current_term_, false};
    result = {log_.Append(current_term_, command), current_term_, true};
    PersistLocked();
    VLOG(2) << TraceLocked(Topic::kLead) << "start last=(" << result.index
            << "," << result.term << ")";
    if (Majority() == 1) AdvanceLeaderCommitLocked();
    if (EntryIsNewsLocked(result.index)) calls = TakeDueCallsLocked();
  }
  SendAppendEntries(calls);
  return result;
}

State Raft::GetState() const {
  MutexLock lock(&mu_);
  return {current_term_, role_ == Role::kLeader && !killed_};
}

void Raft::Kill() {
  const auto self = std::this_thread::get_id();
  {
    MutexLock lock(&mu_);
    if (killed_) {
      while (!all_joined_) stopped_.Wait(&mu_);
      return;
    }
    killed_ = true;
    VLOG(1) << TraceLocked(Topic::kTerm) << "killed";
    commit_advanced_.SignalAll();
    leadership_lost_.SignalAll();
    append_entries_due_.SignalAll();
  }
  CHECK(self != applier_.get_id() && self != election_ticker_.get_id() &&
        self != heartbeat_ticker_.get_id())
      << "Kill() must not be called by a thread of the instance itself";
  apply_channel_->Close();
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (IsPeer(i)) peers_[i]->Close();
  }
  for (std::thread* thread :
       {&election_ticker_, &heartbeat_ticker_, &applier_}) {
    if (thread->joinable()) thread->join();
  }

  MutexLock lock(&mu_);
  all_joined_ = true;
  stopped_.SignalAll();
}

void Raft::BecomeFollowerLocked(Term term) {
  CHECK_GE(term, current_term_);
  const bool led = role_ == Role::kLeader;
  role_ = Role::kFollower;
  if (term > current_term_) {
    current_term_ = term;
    voted_for_ = kNobody;  // one vote per term; this one is new
    PersistLocked();
  }
  // A leader has no deadline; followers and candidates keep theirs, for a mere
  // newer term is no sign of a living leader (5.2).
  if (led) {
    ResetElectionDeadlineLocked();
    leadership_lost_.Signal();
  }
  VLOG(1) << TraceLocked(Topic::kTerm) << "follower";
}

void Raft::BecomeCandidateLocked() {
  CHECK(role_ != Role::kLeader);
  role_ = Role::kCandidate;
  ++current_term_;
  voted_for_ = me_;
  PersistLocked();
  votes_.assign(peers_.size(), false);
  votes_[static_cast<size_t>(me_)] = true;
}

void Raft::BecomeLeaderLocked() {
  CHECK(role_ == Role::kCandidate);
  role_ = Role::kLeader;
  // As Figure 2 has it. Nothing has been sent yet, so every peer is due at
  // once: whoever learns of a new leader starts no election (5.2).
  Peer fresh;
  fresh.next_index = log_.LastIndex() + 1;
  followers_.assign(peers_.size(), fresh);
  append_entries_due_.Signal();
  VLOG(1) << TraceLocked(Topic::kLead) << "leader last=(" << log_.LastIndex()
          << "," << log_.LastTerm() << ")";
}

std::string Raft::TraceLocked(Topic topic) const {
  static constexpr const char* kTopics[] = {"TERM", "VOTE", "LEAD", "APPD",
                                            "CMIT", "APLY", "PERS"};
  static constexpr const char* kRoles[] = {"F", "C", "L"};
  return absl::StrCat("S", me_, " T", current_term_, " ",
                      kRoles[static_cast<size_t>(role_)], " ",
                      kTopics[static_cast<size_t>(topic)], " ");
}

std::shared_ptr<Raft> Make(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
                           ServerId me,
                           std::shared_ptr<persister::Persister> persister,
                           std::shared_ptr<ApplyChannel> apply_channel) {
  auto raft = std::make_shared<Raft>(std::move(peers), me, std::move(persister),
                                     std::move(apply_channel));
  raft->StartThreads();
  return raft;
}

rpc::Service MakeService(const std::shared_ptr<Raft>& raft) {
  rpc::Service service("Raft");
  service.Handle(kRequestVote, [raft](const RequestVoteArgs& args) {
    return raft->RequestVote(args);
  });
  service.Handle(kAppendEntries, [raft](const AppendEntriesArgs& args) {
    return raft->AppendEntries(args);
  });
  return service;
}

}  // namespace raft

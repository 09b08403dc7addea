// Life cycle of a server: construction, Start(), Kill(), and the transitions
// between the three roles.

#include "raft/server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "raft/persister_storage.h"

namespace raft {
namespace {

// "S2", "G101/S2".
std::string LogName(const std::string& group, ServerId me) {
  return absl::StrCat(group, group.empty() ? "S" : "/S", me);
}

}  // namespace

using base::MutexLock;

RaftServer::RaftServer(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
                       ServerId me, std::shared_ptr<persister::Storage> storage,
                       std::shared_ptr<ApplyChannel> apply_channel,
                       Options options)
    : log_name_(LogName(options.name, me)),
      timing_(options.timing),
      announce_state_(options.announce_state),
      clock_(std::move(options.clock)),
      peers_(std::move(peers)),
      me_(me),
      storage_(std::move(storage)),
      apply_channel_(std::move(apply_channel)),
      random_(options.random.has_value() ? *options.random
                                         : base::Random::FromEntropy()) {
  CheckArguments();
  if (options.check_invariants) {
    mu_.CheckOnRelease([this] {
      mu_.AssertHeld();
      CheckInvariantsLocked();
    });
  }
  // Capturing this is safe: Kill() closes the storage.
  storage_->OnDurable(
      [this](persister::Storage::Ticket ticket) { OnDurable(ticket); });
  MutexLock lock(&mu_);
  RestoreLocked();
  announced_ = StateLocked();
  ResetElectionDeadlineLocked();
}

RaftServer::RaftServer(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
                       ServerId me,
                       std::shared_ptr<persister::Persister> persister,
                       std::shared_ptr<ApplyChannel> apply_channel,
                       Options options)
    // Braces, for their order: the name is used before it is moved.
    : RaftServer{std::move(peers), me,
                 std::make_shared<PersisterStorage>(LogName(options.name, me),
                                                    std::move(persister),
                                                    [this] {
                                                      mu_.AssertHeld();
                                                      return log_.bytes();
                                                    }),
                 std::move(apply_channel), std::move(options)} {}

// Ends the process if no server can be made of what Make() was given.
void RaftServer::CheckArguments() const {
  CHECK(me_ >= 0 && static_cast<size_t>(me_) < peers_.size())
      << "Make(): me is " << me_ << ", which is none of " << peers_.size()
      << " peers";
  for (size_t i = 0; i < peers_.size(); ++i) {
    CHECK(peers_[i] != nullptr || !IsPeer(i))
        << "Make(): peer " << i << " is null";
  }
  CHECK(storage_ != nullptr) << "Make(): the storage is null";
  CHECK(apply_channel_ != nullptr) << "Make(): the apply channel is null";
  CHECK(clock_ != nullptr) << "Make(): the clock is null";
  CHECK(timing_.min_election_timeout <= timing_.max_election_timeout)
      << "Make(): the shortest election timeout is above the longest";
  CHECK(timing_.heartbeat_interval.count() > 0 &&
        timing_.heartbeat_interval < timing_.min_election_timeout)
      << "Make(): the heartbeat interval is not between 0 and the shortest "
         "election timeout";
}

void RaftServer::StartThreads() {
  election_ticker_ = std::thread([this] { ElectionLoop(); });
  heartbeat_ticker_ = std::thread([this] { HeartbeatLoop(); });
  applier_ = std::thread([this] { ApplyLoop(); });
}

RaftServer::~RaftServer() { Kill(); }

StartResult RaftServer::Start(std::string_view command) {
  StartResult result;
  DueCalls calls;
  {
    MutexLock lock(&mu_);
    if (command.size() > kMaxCommandBytes) {
      return RefuseTooLargeLocked(command.size());
    }
    if (killed_ || role_ != Role::kLeader || !HasRoomLocked()) {
      return {0, current_term_, false};
    }
    result = {log_.Append(current_term_, command), current_term_, true};
    PersistEntriesLocked(result.index);
    VLOG(2) << TraceLocked(Topic::kLead) << "start last=(" << result.index
            << "," << result.term << ")";
    if (Majority() == 1) AdvanceLeaderCommitLocked();
    if (LastEntryHastensLocked()) calls = TakeDueCallsLocked();
  }
  SendCalls(calls);
  return result;
}

// A leader whose storage has no more room gives up: another one may have some.
// It takes up a newer term for that, as any server may.
bool RaftServer::HasRoomLocked() {
  if (storage_->HasRoom()) return true;
  BecomeFollowerLocked(current_term_ + 1);
  return false;
}

// Says it once too: a client that looks only for a leader would ask without
// end.
StartResult RaftServer::RefuseTooLargeLocked(size_t bytes) {
  if (!std::exchange(refused_too_large_, true)) {
    LOG(ERROR) << log_name_ << ": a command of " << bytes
               << " bytes is refused: " << kMaxCommandBytes
               << " is the most (raft::kMaxCommandBytes)";
  }
  return {0, current_term_, false, /*too_large=*/true};
}

State RaftServer::GetState() const {
  MutexLock lock(&mu_);
  return StateLocked();
}

State RaftServer::StateLocked() const {
  return {current_term_, role_ == Role::kLeader && !killed_};
}

Status RaftServer::GetStatus() const {
  MutexLock lock(&mu_);
  Status status{.role = killed_ ? Role::kFollower : role_,
                .term = current_term_,
                .voted_for = voted_for_,
                .leader = leader_,
                .first_index = log_.FirstIndex(),
                .last_index = log_.LastIndex(),
                .last_term = log_.LastTerm(),
                .log_bytes = log_.bytes().size(),
                .commit_index = commit_index_,
                .last_applied = last_applied_,
                .durable_index = durable_.value(),
                .malformed_requests = malformed_requests_};
  if (status.role != Role::kLeader) return status;
  const Clock::time_point now = clock_();
  for (const Progress& follower : followers_) {
    status.followers.push_back(
        {follower.match(), follower.next(), follower.IsResponsive(now, timing_),
         follower.state() == Progress::State::kSnapshot, follower.lost_log()});
  }
  return status;
}

Log RaftServer::log() const {
  MutexLock lock(&mu_);
  return log_;
}

void RaftServer::Kill() {
  const auto self = std::this_thread::get_id();
  {
    MutexLock lock(&mu_);
    if (killed_) {
      while (!all_joined_) stopped_.Wait(&mu_);
      return;
    }
    killed_ = true;
    VLOG(1) << TraceLocked(Topic::kTerm) << "killed";
    delivery_due_.SignalAll();
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
  storage_->Close();  // what waits for it goes on, and ends
  for (std::thread* thread :
       {&election_ticker_, &heartbeat_ticker_, &applier_}) {
    if (thread->joinable()) thread->join();
  }

  MutexLock lock(&mu_);
  all_joined_ = true;
  stopped_.SignalAll();
}

void RaftServer::BecomeFollowerLocked(Term term) {
  CHECK_GE(term, current_term_);
  const bool led = role_ == Role::kLeader;
  role_ = Role::kFollower;
  if (term > current_term_) {
    current_term_ = term;
    voted_for_ = kNobody;  // one vote per term; this one is new
    leader_ = kNobody;
    PersistVoteLocked();
  }
  // A leader has no deadline; followers and candidates keep theirs, for a mere
  // newer term is no sign of a living leader (5.2).
  if (led) {
    ResetElectionDeadlineLocked();
    leadership_lost_.Signal();
  }
  AnnounceStateLocked();
  VLOG(1) << TraceLocked(Topic::kTerm) << "follower";
}

void RaftServer::BecomeCandidateLocked() {
  CHECK(role_ != Role::kLeader);
  role_ = Role::kCandidate;
  ++current_term_;
  voted_for_ = me_;
  leader_ = kNobody;
  PersistVoteLocked();
  votes_.assign(peers_.size(), false);
  AnnounceStateLocked();
}

void RaftServer::BecomeLeaderLocked() {
  CHECK(role_ == Role::kCandidate);
  role_ = Role::kLeader;
  leader_ = me_;
  // As Figure 2 has it. Nothing has been sent yet, so every peer is due at
  // once: a server that learns of a new leader starts no election (5.2).
  followers_.assign(peers_.size(), Progress(log_.LastIndex() + 1));
  append_entries_due_.Signal();
  AnnounceStateLocked();
  VLOG(1) << TraceLocked(Topic::kLead) << "leader last=(" << log_.LastIndex()
          << "," << log_.LastTerm() << ")";
}

// To the service, if it wants to know.
void RaftServer::AnnounceStateLocked() {
  if (!HasNewStateLocked()) return;
  state_follows_ = commit_index_;
  delivery_due_.Signal();
}

void RaftServer::CountMalformedLocked(const char* request, ServerId from) {
  if (++malformed_requests_ > 1) return;
  LOG(WARNING) << TraceLocked(Topic::kTerm) << "drops a malformed " << request
               << " of S" << from << "; further ones are only counted";
}

std::string RaftServer::TraceLocked(Topic topic) const {
  static constexpr const char* kTopics[] = {"TERM", "VOTE", "LEAD", "APPD",
                                            "SNAP", "CMIT", "APLY", "PERS"};
  static constexpr const char* kRoles[] = {"F", "C", "L"};
  return absl::StrCat(log_name_, " T", current_term_, " ",
                      kRoles[static_cast<size_t>(role_)], " ",
                      kTopics[static_cast<size_t>(topic)], " ");
}

std::vector<rpc::Service> RaftServer::Services() {
  const std::shared_ptr<RaftServer> self = shared_from_this();
  rpc::Service service("Raft");
  service.Handle(kRequestVote, [self](const RequestVoteArgs& args) {
    return self->RequestVote(args);
  });
  service.Handle(kAppendEntries, [self](const AppendEntriesArgs& args) {
    return self->AppendEntries(args);
  });
  service.Handle(kInstallSnapshot, [self](const InstallSnapshotArgs& args) {
    return self->InstallSnapshot(args);
  });
  return {std::move(service)};
}

std::shared_ptr<Raft> Make(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
                           ServerId me,
                           std::shared_ptr<persister::Persister> persister,
                           std::shared_ptr<ApplyChannel> apply_channel,
                           Options options) {
  auto server = std::make_shared<RaftServer>(
      std::move(peers), me, std::move(persister), std::move(apply_channel),
      std::move(options));
  server->StartThreads();
  return server;
}

std::shared_ptr<Raft> MakeWithStorage(
    std::vector<std::shared_ptr<rpc::ClientEnd>> peers, ServerId me,
    std::shared_ptr<persister::Storage> storage,
    std::shared_ptr<ApplyChannel> apply_channel, Options options) {
  auto server = std::make_shared<RaftServer>(
      std::move(peers), me, std::move(storage), std::move(apply_channel),
      std::move(options));
  server->StartThreads();
  return server;
}

}  // namespace raft

#include "tests/harness/raft_cluster.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "gtest/gtest.h"
#include "tests/harness/report.h"
#include "tests/harness/service_snapshot.h"

namespace harness {
namespace {

constexpr std::chrono::seconds kTimeLimit(120);
constexpr char kTimeLimitMessage[] = "test took longer than 120 seconds";

void WarnOfSingleCpu() {
  static const bool warned = [] {
    const bool single = std::thread::hardware_concurrency() == 1;
    if (single) {
      Print("warning: only one CPU, which may conceal locking bugs\n");
    }
    return single;
  }();
  static_cast<void>(warned);  // once per process
}

}  // namespace

std::shared_ptr<raft::Raft> MakeSeededRaft(
    Ends ends, raft::ServerId me, std::shared_ptr<persister::Persister> disk,
    std::shared_ptr<raft::ApplyChannel> channel) {
  return raft::Make(
      std::move(ends), me, std::move(disk), std::move(channel),
      {.random = base::Random::ForOwner(absl::StrCat("raft/", me))});
}

bool EveryTenthIndex(raft::ServerId /*server*/, raft::Index index) {
  return (index + 1) % 10 == 0;
}

RaftCluster::RaftCluster(int servers, RaftClusterOptions options, Place place)
    : servers_(servers),
      options_(std::move(options)),
      place_(place),
      created_(Clock::now()),
      observers_(options_.make_observers(
          /*group=*/0, servers,
          [this](const Failure& error) { FoundError(error); })),
      random_(base::Random::ForOwner("cluster")),
      slots_(static_cast<size_t>(servers)),
      log_(servers),
      group_(&network_,
             {.servers = servers,
              .make_node =
                  [this](Ends ends, int /*group*/, raft::ServerId me,
                         std::shared_ptr<persister::Persister> disk) {
                    return MakeNode(std::move(ends), me, std::move(disk));
                  },
              .slow_disks = options_.slow_disks,
              .observers = observers_}) {
  WarnOfSingleCpu();
  network_.SetObserver(MakePacketObserver());
  SetReliable(options_.reliable);
  network_.LongDelays(true);
  if (options_.tap != nullptr) network_.SetTap(options_.tap);
  // All run before any of them is connected: their election clocks tick.
  for (raft::ServerId i = 0; i < servers_; ++i) StartServer(i);
  for (raft::ServerId i = 0; i < servers_; ++i) Connect(i);
}

RaftCluster::~RaftCluster() {
  Finish();
  group_.Kill();
  // Calls of an instance that is not quite dead fail from here on.
  network_.Cleanup();
  group_.Release();
  if (TookTooLong()) {
    ReportFailure({Kind::kLiveness, kTimeLimitMessage}, place_);
  }
  std::optional<Failure> unreported;
  {
    base::MutexLock lock(&mu_);
    if (!error_reported_) unreported = error_;
  }
  if (unreported.has_value()) ReportFailure(*unreported, place_);
  ReportExpense(place_);
}

labrpc::Observer RaftCluster::MakePacketObserver() const {
  if (!observers_.any()) return nullptr;
  return [observers = observers_](const labrpc::Packet& packet) {
    observers.OnPacket(packet);
  };
}

Node RaftCluster::MakeNode(Ends ends, raft::ServerId me,
                           std::shared_ptr<persister::Persister> disk) {
  auto channel = std::make_shared<raft::ApplyChannel>(/*capacity=*/0);
  const base::Rope saved =
      options_.snapshot_at == nullptr ? base::Rope() : disk->ReadSnapshot();
  const std::shared_ptr<raft::Raft> raft =
      options_.make_raft(std::move(ends), me, std::move(disk), channel);
  {
    base::MutexLock lock(&mu_);
    ++SlotLocked(me).incarnation;
    SlotLocked(me).raft = raft;
  }
  return {.services = raft->Services(),
          .kill = [this, me] { KillNode(me); },
          .rest = MakeReader(me, raft, std::move(channel), saved)};
}

void RaftCluster::KillNode(raft::ServerId server) {
  PauseService(server, false);
  const std::shared_ptr<raft::Raft> raft = MemberOf(server).raft;
  raft->Kill();
  if (options_.keep_killed) killed_.push_back(raft);
  base::MutexLock lock(&mu_);
  SlotLocked(server).raft = nullptr;  // not the last reference: no destructor
}

RaftCluster::Member RaftCluster::MemberOf(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  const Slot& slot = SlotLocked(server);
  return {server, slot.incarnation, slot.raft};
}

std::vector<RaftCluster::Member> RaftCluster::Connected() {
  std::vector<Member> members;
  for (raft::ServerId i = 0; i < servers_; ++i) {
    if (!IsConnected(i)) continue;
    if (Member member = MemberOf(i); member.raft != nullptr) {
      members.push_back(std::move(member));
    }
  }
  return members;
}

raft::StartResult RaftCluster::Start(raft::ServerId server,
                                     const Command& command) {
  const Member member = MemberOf(server);
  if (member.raft == nullptr) return {};
  const std::string bytes = EncodeCommand(command);
  const raft::StartResult result = member.raft->Start(bytes);
  observers_.Tell(&ClusterObserver::OnStart, server, member.incarnation, bytes,
                  result);
  return result;
}

raft::State RaftCluster::GetState(raft::ServerId server) {
  return StateOf(MemberOf(server));
}

raft::Status RaftCluster::GetStatus(raft::ServerId server) {
  const Member member = MemberOf(server);
  return member.raft == nullptr ? raft::Status() : member.raft->GetStatus();
}

raft::State RaftCluster::StateOf(const Member& member) {
  if (member.raft == nullptr) return {};
  return observers_.GetState(member.server, member.incarnation,
                             [&] { return member.raft->GetState(); });
}

void RaftCluster::SetReliable(bool yes) {
  observers_.Tell(&ClusterObserver::OnNetwork, "reliable", yes);
  network_.Reliable(yes);
}

void RaftCluster::SetLongReordering(bool yes) {
  observers_.Tell(&ClusterObserver::OnNetwork, "long_reordering", yes);
  network_.LongReordering(yes);
}

void RaftCluster::Begin(std::string_view title) {
  LOG(INFO) << "TEST begin title=\"" << title << "\" servers=" << servers_;
  Print(absl::StrCat(TitleLine(title), "\n"));
  observers_.Tell(&ClusterObserver::OnTitle, title);
  baseline_ = {Clock::now(), RpcTotal(), BytesTotal(), MaxIndex()};
}

void RaftCluster::End(Place place) {
  if (TookTooLong()) Fail(Kind::kLiveness, kTimeLimitMessage, place);
  CheckError(place);
  ReportExpense(place);
  if (testing::Test::HasFailure()) return;
  const Costs costs{
      .time = Clock::now() - baseline_.time,
      .servers = servers_,
      .rpcs = RpcTotal() - baseline_.rpcs,
      .bytes = BytesTotal() - baseline_.bytes,
      .commits = static_cast<int64_t>(MaxIndex() - baseline_.max_index)};
  Print(absl::StrCat(PassedLine(costs), "\n"));
}

void RaftCluster::Finish() {
  base::MutexLock lock(&mu_);
  finished_ = true;
}

bool RaftCluster::Finished() {
  base::MutexLock lock(&mu_);
  return finished_;
}

size_t RaftCluster::LogSize() const {
  size_t largest = 0;
  for (raft::ServerId i = 0; i < servers_; ++i) {
    largest = std::max(largest, group_.StateSize(i));
  }
  return largest;
}

size_t RaftCluster::SnapshotSize() const {
  size_t largest = 0;
  for (raft::ServerId i = 0; i < servers_; ++i) {
    largest = std::max(largest, group_.SnapshotSize(i));
  }
  return largest;
}

raft::Index RaftCluster::SnapshotIndexOnDisk(raft::ServerId server) const {
  const base::Rope snapshot = group_.CopyDisk(server)->ReadSnapshot();
  if (snapshot.empty()) return 0;
  return ReadServiceSnapshot(snapshot, options_.snapshot_padding)->size();
}

raft::Index RaftCluster::MaxIndex() {
  base::MutexLock lock(&mu_);
  return log_.max_index();
}

// Whether there is a time limit to report; it is reported once.
bool RaftCluster::TookTooLong() {
  if (time_limit_reported_) return false;
  time_limit_reported_ =
      Clock::now() - created_ > Hurried(Clock::duration(kTimeLimit));
  return time_limit_reported_;
}

void RaftCluster::Sleep(std::chrono::milliseconds duration) const {
  std::this_thread::sleep_for(Hurried(Clock::duration(duration)));
}

}  // namespace harness

#include "tests/harness/service_cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/harness/report.h"

namespace harness {
namespace {

constexpr std::chrono::seconds kTimeLimit(120);
constexpr char kTimeLimitMessage[] = "test took longer than 120 seconds";

}  // namespace

// Has observers told of what a service gives to its Raft.
class ServiceCluster::ObservedRaft : public raft::Raft {
 public:
  ObservedRaft(std::shared_ptr<raft::Raft> raft, Observers observers,
               raft::ServerId me, int incarnation)
      : raft_(std::move(raft)),
        observers_(std::move(observers)),
        me_(me),
        incarnation_(incarnation) {}

  raft::StartResult Start(std::string_view command) override {
    const raft::StartResult result = raft_->Start(command);
    observers_.Tell(&ClusterObserver::OnStart, me_, incarnation_, command,
                    result);
    return result;
  }
  void Snapshot(raft::Index index, base::Rope snapshot) override {
    observers_.Tell(&ClusterObserver::OnSnapshot, me_, index, snapshot);
    raft_->Snapshot(index, std::move(snapshot));
  }
  raft::State GetState() const override {
    return observers_.GetState(me_, incarnation_,
                               [this] { return raft_->GetState(); });
  }
  raft::Status GetStatus() const override { return raft_->GetStatus(); }
  std::vector<rpc::Service> Services() override { return raft_->Services(); }
  void Kill() override { raft_->Kill(); }

 private:
  const std::shared_ptr<raft::Raft> raft_;
  const Observers observers_;
  const raft::ServerId me_;
  const int incarnation_;
};

ServiceCluster::ServiceCluster(Options options, Place place)
    : options_(std::move(options)),
      place_(place),
      created_(Clock::now()),
      observers_(options_.make_observers(
          options_.servers,
          [this](const Failure& error) { FoundError(error); })),
      slots_(static_cast<size_t>(options_.servers)),
      group_(&network_,
             {.servers = options_.servers,
              .make_node =
                  [this](Ends ends, int /*group*/, raft::ServerId me,
                         std::shared_ptr<persister::Persister> disk) {
                    return MakeNode(std::move(ends), me, std::move(disk));
                  },
              .observers = observers_}) {
  network_.SetObserver(MakePacketObserver());
  if (options_.tap != nullptr) network_.SetTap(options_.tap);
  observers_.Tell(&ClusterObserver::OnService, options_.show_command);
  StartAll();
  ConnectAll();
  observers_.Tell(&ClusterObserver::OnNetwork, "reliable", options_.reliable);
  network_.Reliable(options_.reliable);
  failure_watcher_ = std::thread([this] { AwaitFailure(); });
}

ServiceCluster::~ServiceCluster() {
  {
    base::MutexLock lock(&mu_);
    ended_ = true;
  }
  failed_or_ended_.SignalAll();
  failure_watcher_.join();
  group_.Kill();
  // Calls of an instance that is not quite dead fail from here on.
  network_.Cleanup();
  group_.Release();
  if (TookTooLong() && !HasFailed()) {
    ReportFailure({Kind::kLiveness, kTimeLimitMessage}, place_);
  }
  std::optional<Failure> unreported;
  {
    base::MutexLock lock(&mu_);
    if (!reported_) unreported = error_;
  }
  if (unreported.has_value()) ReportFailure(*unreported, place_);
  ReportExpense(place_);
}

labrpc::Observer ServiceCluster::MakePacketObserver() const {
  if (!observers_.any()) return nullptr;
  return [observers = observers_](const labrpc::Packet& packet) {
    observers.OnPacket(packet);
  };
}

Node ServiceCluster::MakeNode(Ends ends, raft::ServerId me,
                              std::shared_ptr<persister::Persister> disk) {
  int incarnation = 0;
  {
    base::MutexLock lock(&mu_);
    incarnation = ++slots_[static_cast<size_t>(me)].incarnation;
  }
  Node node = options_.make_service(std::move(ends), me, std::move(disk),
                                    MakeRsmOptions(me, incarnation));
  if (node.raft != nullptr) {
    SetRaft(me, std::make_shared<ObservedRaft>(node.raft, observers_, me,
                                               incarnation));
  }
  node.kill = [this, me, kill = std::move(node.kill)] {
    kill();
    SetRaft(me, nullptr);  // not the last reference: no destructor
  };
  return node;
}

rsm::Options ServiceCluster::MakeRsmOptions(raft::ServerId me,
                                            int incarnation) {
  rsm::Options options;
  options.max_raft_state = options_.max_raft_state;
  options.raft.random = base::Random::ForOwner(absl::StrCat("raft/", me));
  options.make_raft = [this, incarnation](
                          Ends ends, raft::ServerId server,
                          std::shared_ptr<persister::Persister> disk,
                          std::shared_ptr<raft::ApplyChannel> channel,
                          raft::Options raft_options) {
    auto observed = std::make_shared<ObservedRaft>(
        raft::Make(std::move(ends), server, std::move(disk), std::move(channel),
                   std::move(raft_options)),
        observers_, server, incarnation);
    SetRaft(server, observed);
    return observed;
  };
  options.hooks.on_apply = [observers = observers_,
                            me](const raft::ApplyMsg& message) {
    if (message.kind == raft::ApplyMsg::Kind::kState) return;
    observers.Tell(&ClusterObserver::OnApply, me, message);
  };
  return options;
}

ServiceCluster::Slot ServiceCluster::SlotOf(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  return slots_[static_cast<size_t>(server)];
}

void ServiceCluster::SetRaft(raft::ServerId server,
                             std::shared_ptr<raft::Raft> raft) {
  base::MutexLock lock(&mu_);
  slots_[static_cast<size_t>(server)].raft = std::move(raft);
}

void ServiceCluster::StartAll() {
  for (raft::ServerId i = 0; i < size(); ++i) group_.Start(i);
}

void ServiceCluster::CrashAll() {
  for (raft::ServerId i = 0; i < size(); ++i) group_.Crash(i);
}

void ServiceCluster::ConnectAll() {
  group_.Partition({});
  for (raft::ServerId i = 0; i < size(); ++i) group_.Connect(i);
}

void ServiceCluster::Partition(const std::set<raft::ServerId>& one,
                               const std::set<raft::ServerId>& other) {
  group_.Partition({one, other});
}

std::shared_ptr<raft::Raft> ServiceCluster::RaftOf(raft::ServerId server) {
  return SlotOf(server).raft;
}

raft::State ServiceCluster::GetState(raft::ServerId server) {
  const std::shared_ptr<raft::Raft> raft = RaftOf(server);
  return raft == nullptr ? raft::State() : raft->GetState();
}

std::optional<raft::ServerId> ServiceCluster::Leader() {
  for (raft::ServerId i = 0; i < size(); ++i) {
    if (GetState(i).is_leader) return i;
  }
  return std::nullopt;
}

ServiceCluster::Parts ServiceCluster::PartitionFromLeader() {
  Parts parts;
  const raft::ServerId leader = Leader().value_or(0);
  for (raft::ServerId i = 0; i < size(); ++i) {
    const bool has_room =
        parts.majority.size() < static_cast<size_t>(size()) / 2 + 1;
    auto& part = i != leader && has_room ? parts.majority : parts.minority;
    part.insert(i);
  }
  Partition(parts.majority, parts.minority);
  return parts;
}

size_t ServiceCluster::LogSize() const {
  size_t largest = 0;
  for (raft::ServerId i = 0; i < size(); ++i) {
    largest = std::max(largest, group_.StateSize(i));
  }
  return largest;
}

size_t ServiceCluster::SnapshotSize() const {
  size_t largest = 0;
  for (raft::ServerId i = 0; i < size(); ++i) {
    largest = std::max(largest, group_.SnapshotSize(i));
  }
  return largest;
}

void ServiceCluster::Begin(std::string_view title) {
  LOG(INFO) << "TEST begin title=\"" << title << "\" servers=" << size();
  const std::string line = options_.year == Year::k2022
                               ? TitleLine(title)
                               : TitleLine2025(title, options_.reliable);
  Print(absl::StrCat(line, "\n"));
  observers_.Tell(&ClusterObserver::OnTitle, title);
  baseline_ = {Clock::now(), network_.GetTotalCount(), operations_};
}

void ServiceCluster::End(Place place) {
  CheckError(place);
  if (TookTooLong()) Fail(Kind::kLiveness, kTimeLimitMessage, place);
  ReportExpense(place);
  if (testing::Test::HasFailure()) return;
  const ServiceCosts costs{.time = Clock::now() - baseline_.time,
                           .servers = size(),
                           .rpcs = network_.GetTotalCount() - baseline_.rpcs,
                           .operations = operations_ - baseline_.operations};
  const std::string line = options_.year == Year::k2022
                               ? ServicePassedLine(costs)
                               : ServicePassedLine2025(costs);
  Print(absl::StrCat(line, "\n"));
}

void ServiceCluster::Sleep(std::chrono::milliseconds duration, Place place) {
  const Clock::time_point deadline = Clock::now() + duration;
  {
    base::MutexLock lock(&mu_);
    while (!has_failed_ && failed_or_ended_.WaitUntil(&mu_, deadline)) {
    }
  }
  CheckError(place);
}

void ServiceCluster::FoundError(Failure error) {
  {
    base::MutexLock lock(&mu_);
    const bool is_expense = error.kind == Kind::kEconomy;
    std::optional<Failure>& found = is_expense ? expense_ : error_;
    if (!found.has_value()) found = std::move(error);
    if (is_expense) return;
    has_failed_ = true;
  }
  failed_or_ended_.SignalAll();
}

void ServiceCluster::CheckHasFailed() {
  {
    base::MutexLock lock(&mu_);
    has_failed_ = true;
  }
  failed_or_ended_.SignalAll();
}

bool ServiceCluster::HasFailed() {
  base::MutexLock lock(&mu_);
  return has_failed_;
}

// The first check that meets an error reports it; it ends every thread that
// meets it.
void ServiceCluster::CheckError(Place place) {
  std::optional<Failure> error;
  {
    base::MutexLock lock(&mu_);
    if (!has_failed_) return;
    if (!std::exchange(reported_, true)) error = error_;
  }
  if (!error.has_value()) EndFailedTest();
  Fail(*error, place);
}

void ServiceCluster::AwaitFailure() {
  bool in_time = true;
  {
    base::MutexLock lock(&mu_);
    while (in_time && !has_failed_ && !ended_) {
      in_time = failed_or_ended_.WaitUntil(&mu_, created_ + kTimeLimit);
    }
    if (ended_) return;
  }
  // A call that never returns is ended too, so that the test can say so.
  if (!in_time) FoundError({Kind::kLiveness, kTimeLimitMessage});
  options_.on_failure();
}

// Whether there is a time limit to report; it is reported once.
bool ServiceCluster::TookTooLong() {
  if (time_limit_reported_) return false;
  time_limit_reported_ = Clock::now() - created_ > kTimeLimit;
  return time_limit_reported_;
}

// What cost too much, once; it ends nothing.
void ServiceCluster::ReportExpense(Place place) {
  std::optional<Failure> expense;
  {
    base::MutexLock lock(&mu_);
    expense.swap(expense_);
  }
  if (expense.has_value()) ReportFailure(*expense, place);
}

}  // namespace harness

#include "tests/harness/cluster.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "gtest/gtest.h"
#include "tests/harness/report.h"

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

Cluster::Cluster(int servers, ClusterOptions options, Place place)
    : servers_(servers),
      options_(std::move(options)),
      place_(place),
      created_(Clock::now()),
      observers_(options_.make_observers(
          servers, [this](const Failure& error) { FoundError(error); })),
      random_(base::Random::ForOwner("cluster")),
      readers_(static_cast<size_t>(servers)),
      machines_(static_cast<size_t>(servers)),
      log_(servers) {
  WarnOfSingleCpu();
  network_.SetObserver(MakeObserver());
  SetReliable(options_.reliable);
  network_.LongDelays(true);
  if (options_.tap != nullptr) network_.SetTap(options_.tap);
  // All run before any of them is connected: their election clocks tick.
  for (raft::ServerId i = 0; i < servers_; ++i) StartServer(i);
  for (raft::ServerId i = 0; i < servers_; ++i) Connect(i);
}

Cluster::~Cluster() {
  Finish();
  for (raft::ServerId i = 0; i < servers_; ++i) {
    PauseService(i, false);
    if (const Member member = MemberOf(i); member.instance != nullptr) {
      member.instance->Kill();
    }
  }
  // Calls of an instance that is not quite dead fail from here on.
  network_.Cleanup();
  for (raft::ServerId i = 0; i < servers_; ++i)
    observers_.Tell(&ClusterObserver::OnIncarnationEnd, i);
  for (raft::ServerId i = 0; i < servers_; ++i) EndReader(i);
  if (TookTooLong()) {
    ReportFailure({Kind::kLiveness, kTimeLimitMessage}, place_);
  }
  std::optional<Failure> unreported;
  {
    base::MutexLock lock(&mu_);
    if (!error_reported_) unreported = error_;
  }
  if (unreported.has_value()) ReportFailure(*unreported, place_);
}

labrpc::Observer Cluster::MakeObserver() const {
  if (!observers_.any()) return nullptr;
  return [observers = observers_](const labrpc::Packet& packet) {
    observers.OnPacket(packet);
  };
}

void Cluster::SetReliable(bool yes) {
  observers_.Tell(&ClusterObserver::OnNetwork, "reliable", yes);
  network_.Reliable(yes);
}

void Cluster::SetLongReordering(bool yes) {
  observers_.Tell(&ClusterObserver::OnNetwork, "long_reordering", yes);
  network_.LongReordering(yes);
}

void Cluster::Begin(std::string_view title) {
  LOG(INFO) << "TEST begin title=\"" << title << "\" servers=" << servers_;
  Print(absl::StrCat(TitleLine(title), "\n"));
  observers_.Tell(&ClusterObserver::OnTitle, title);
  baseline_ = {Clock::now(), RpcTotal(), BytesTotal(), MaxIndex()};
}

void Cluster::End(Place place) {
  if (TookTooLong()) Fail(Kind::kLiveness, kTimeLimitMessage, place);
  CheckError(place);
  if (testing::Test::HasFailure()) return;
  const Costs costs{
      .time = Clock::now() - baseline_.time,
      .servers = servers_,
      .rpcs = RpcTotal() - baseline_.rpcs,
      .bytes = BytesTotal() - baseline_.bytes,
      .commits = static_cast<int64_t>(MaxIndex() - baseline_.max_index)};
  Print(absl::StrCat(PassedLine(costs), "\n"));
}

void Cluster::Finish() {
  base::MutexLock lock(&mu_);
  finished_ = true;
}

bool Cluster::Finished() {
  base::MutexLock lock(&mu_);
  return finished_;
}

raft::Index Cluster::MaxIndex() {
  base::MutexLock lock(&mu_);
  return log_.max_index();
}

// Whether there is a time limit to report; it is reported once.
bool Cluster::TookTooLong() {
  if (time_limit_reported_) return false;
  time_limit_reported_ =
      Clock::now() - created_ > Hurried(Clock::duration(kTimeLimit));
  return time_limit_reported_;
}

void Cluster::Sleep(std::chrono::milliseconds duration) const {
  std::this_thread::sleep_for(Hurried(Clock::duration(duration)));
}

int64_t Cluster::RpcCount(raft::ServerId server) const {
  return network_.GetCount(NameOf(server));
}

}  // namespace harness

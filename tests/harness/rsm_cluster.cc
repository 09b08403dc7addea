#include "tests/harness/rsm_cluster.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/rope.h"
#include "rpc/codec.h"
#include "rsm/state_machine.h"
#include "tests/harness/report.h"

namespace harness {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kOneLimit(10'000);
constexpr milliseconds kOnePause(50);
constexpr size_t kCommandBytes = 40;

}  // namespace

std::string EncodeCounterCommand(CounterCommand command) {
  std::string bytes(kCommandBytes, '.');
  bytes[0] = static_cast<char>(command);
  return bytes;
}

// The course's test service. Its value is read by the test, too.
class RsmCluster::Counter {
 public:
  explicit Counter(ServiceCluster* stage) : stage_(stage) {}

  int64_t value() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    return value_;
  }
  void set_value(int64_t value) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    value_ = value;
  }

  void Pause(bool paused) EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    paused_ = paused;
    resumed_.SignalAll();
  }

  void Apply(std::string_view bytes) EXCLUDES(mu_) {
    const auto command = static_cast<CounterCommand>(bytes[0]);
    base::MutexLock lock(&mu_);
    while (paused_) resumed_.Wait(&mu_);
    if (command == CounterCommand::kInc) ++value_;
    if (command != CounterCommand::kDec) return;
    stage_->FoundError(
        {.message = "DoOp should execute only Inc and not rsm.Dec"});
  }

  // What the Rsm has of it.
  class Machine : public rsm::StateMachine {
   public:
    explicit Machine(std::shared_ptr<Counter> counter)
        : counter_(std::move(counter)) {}
    std::string Apply(std::string_view command) override {
      counter_->Apply(command);
      return rpc::Encode(counter_->value());
    }
    base::Rope Snapshot() override { return rpc::Encode(counter_->value()); }
    absl::Status Restore(const base::Rope& snapshot) override {
      const auto value = rpc::Decode<int64_t>(snapshot.ToString());
      if (value.ok()) counter_->set_value(*value);
      return value.status();
    }

   private:
    const std::shared_ptr<Counter> counter_;
  };

 private:
  ServiceCluster* const stage_;
  base::Mutex mu_;
  base::CondVar resumed_;
  int64_t value_ ABSL_GUARDED_BY(mu_) = 0;
  bool paused_ ABSL_GUARDED_BY(mu_) = false;
};

RsmCluster::RsmCluster(RsmClusterOptions options, Place place)
    : slots_(static_cast<size_t>(options.servers)),
      stage_({.servers = options.servers,
              .year = Year::k2025,
              .max_raft_state = options.max_raft_state,
              .make_service =
                  [this](Ends ends, raft::ServerId me,
                         std::shared_ptr<persister::Persister> disk,
                         rsm::Options rsm_options) {
                    return MakeServer(std::move(ends), me, std::move(disk),
                                      std::move(rsm_options));
                  },
              .tap = std::move(options.tap),
              .on_failure = [this] { Abandon(); }},
             place) {}

RsmCluster::~RsmCluster() = default;

Node RsmCluster::MakeServer(Ends ends, raft::ServerId me,
                            std::shared_ptr<persister::Persister> disk,
                            rsm::Options options) {
  const auto counter = std::make_shared<Counter>(&stage_);
  auto [rsm, node] = MakeRsmNode(std::move(ends), me, std::move(disk),
                                 std::make_unique<Counter::Machine>(counter),
                                 std::move(options));
  const Slot slot{std::move(rsm), counter};
  Slot old;  // ends under no lock
  bool abandoned = false;
  {
    base::MutexLock lock(&mu_);
    old = std::exchange(slots_[static_cast<size_t>(me)], slot);
    abandoned = abandoned_;
  }
  if (abandoned) Kill(slot);
  node.kill = [slot] { Kill(slot); };
  return std::move(node);
}

void RsmCluster::Kill(const Slot& slot) {
  if (slot.rsm == nullptr) return;
  slot.counter->Pause(false);
  slot.rsm->Kill();
}

void RsmCluster::PauseService(raft::ServerId server, bool paused) {
  std::shared_ptr<Counter> counter;
  {
    base::MutexLock lock(&mu_);
    counter = slots_[static_cast<size_t>(server)].counter;
  }
  counter->Pause(paused);
}

std::shared_ptr<RsmService> RsmCluster::RsmOf(raft::ServerId server) {
  base::MutexLock lock(&mu_);
  return slots_[static_cast<size_t>(server)].rsm;
}

void RsmCluster::Abandon() {
  std::vector<Slot> slots;
  {
    base::MutexLock lock(&mu_);
    abandoned_ = true;
    slots = slots_;
  }
  for (const Slot& slot : slots) Kill(slot);
}

rsm::Result RsmCluster::Submit(raft::ServerId server, CounterCommand command,
                               Place place) {
  rsm::Result result = RsmOf(server)->Submit(EncodeCounterCommand(command));
  stage_.CheckError(place);
  if (result.outcome == rsm::Outcome::kLost &&
      command == CounterCommand::kInc) {
    base::MutexLock lock(&mu_);
    ++lost_;
  }
  return result;
}

raft::ServerId RsmCluster::leader() {
  base::MutexLock lock(&mu_);
  return leader_;
}

std::optional<int64_t> RsmCluster::One(CounterCommand command, const Part& part,
                                       Place place) {
  const std::string name(1, static_cast<char>(command));
  const Step step(stage_.observers(), "One", name, place);
  const Clock::time_point limit = Clock::now() + kOneLimit;
  raft::ServerId server = leader();
  while (Clock::now() < limit) {
    for (int asked = 0; asked < size(); ++asked) {
      if (stage_.group().IsConnected(server) &&
          (!part.has_value() || part->count(server) > 0)) {
        const rsm::Result result = Submit(server, command, place);
        if (result.outcome == rsm::Outcome::kDone) {
          base::MutexLock lock(&mu_);
          leader_ = server;
          return rpc::Decode<int64_t>(result.value).value();
        }
      }
      server = (server + 1) % size();
    }
    stage_.Sleep(kOnePause, place);
  }
  return std::nullopt;
}

// The course's test goes on with no reply, and its process dies.
int64_t RsmCluster::OneInc(Place place) {
  const std::optional<int64_t> value =
      One(CounterCommand::kInc, std::nullopt, place);
  if (!value.has_value()) {
    Fail(Kind::kLiveness, "no server executed a command within 10 s", place);
  }
  return *value;
}

Kind RsmCluster::KindOfValue(int64_t value, int64_t expected) {
  base::MutexLock lock(&mu_);
  const bool is_explained = expected <= value && value <= expected + lost_;
  return is_explained ? Kind::kLiveness : Kind::kSafety;
}

std::vector<int64_t> RsmCluster::Values() {
  std::vector<int64_t> values;
  base::MutexLock lock(&mu_);
  for (const Slot& slot : slots_) values.push_back(slot.counter->value());
  return values;
}

void RsmCluster::CheckCounter(int64_t value, int servers, Place place) {
  const Step step(stage_.observers(), "CheckCounter",
                  absl::StrCat(value, " on ", servers, " servers"), place);
  milliseconds pause = kFirstPause;
  std::vector<int64_t> values;
  int64_t count = 0;
  for (int round = 0; round < kMostPauses; ++round) {
    values = Values();
    count = std::count(values.begin(), values.end(), value);
    if (count >= servers) return;
    stage_.Sleep(pause, place);
    pause = NextPause(pause);
  }
  const int64_t highest = *std::max_element(values.begin(), values.end());
  Fail(KindOfValue(std::max(highest, value), value),
       absl::StrCat("checkCounter: only ", count, " srvs have ", value,
                    " instead of ", servers),
       place);
}

raft::ServerId RsmCluster::DisconnectLeader() {
  const raft::ServerId server = leader();
  stage_.group().Disconnect(server);
  return server;
}

void RsmCluster::StartServers() {
  stage_.StartAll();
  stage_.ConnectAll();
}

}  // namespace harness

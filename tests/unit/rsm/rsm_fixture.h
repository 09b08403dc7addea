// An Rsm over a Raft that does what the test says.
//
// Thread safety: the fakes are safe; the fixture is the test's main thread's.

#ifndef TESTS_UNIT_RSM_RSM_FIXTURE_H_
#define TESTS_UNIT_RSM_RSM_FIXTURE_H_

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "gtest/gtest.h"
#include "persister/simulated_disk.h"
#include "raft/raft.h"
#include "rpc/codec.h"
#include "rsm/rsm.h"

namespace rsm {

using Kind = raft::ApplyMsg::Kind;

inline raft::ApplyMsg CommandAt(raft::Index index, raft::Term term,
                                std::string command) {
  return {.kind = Kind::kCommand,
          .index = index,
          .term = term,
          .command = std::move(command),
          .snapshot = {},
          .is_leader = false};
}

inline raft::ApplyMsg SnapshotAt(raft::Index index, raft::Term term,
                                 base::Rope snapshot) {
  return {.kind = Kind::kSnapshot,
          .index = index,
          .term = term,
          .command = {},
          .snapshot = std::move(snapshot),
          .is_leader = false};
}

inline raft::ApplyMsg StateOf(raft::Term term, bool is_leader) {
  return {.kind = Kind::kState,
          .index = 0,
          .term = term,
          .command = {},
          .snapshot = {},
          .is_leader = is_leader};
}

// Takes each command as the leader of `term`, or refuses it.
class FakeRaft : public raft::Raft {
 public:
  explicit FakeRaft(std::shared_ptr<raft::ApplyChannel> applied)
      : applied_(std::move(applied)) {}

  // The next command is taken so, until something else is said.
  void Lead(raft::Term term, raft::Index next_index) {
    base::MutexLock lock(&mu_);
    next_ = {next_index, term, true, false};
  }
  void Follow() {
    base::MutexLock lock(&mu_);
    next_ = {};
  }
  // Runs in Start() when the command has been taken, under no lock of the fake.
  void WhenStarted(std::function<void(raft::StartResult)> on_start) {
    base::MutexLock lock(&mu_);
    on_start_ = std::move(on_start);
  }
  raft::Index next_index() const {
    base::MutexLock lock(&mu_);
    return next_.index;
  }
  // Takes commands when it has been killed too.
  void StayAlive() {
    base::MutexLock lock(&mu_);
    stays_alive_ = true;
  }
  bool was_killed() const {
    base::MutexLock lock(&mu_);
    return killed_;
  }
  void SetLastIndex(raft::Index index) {
    base::MutexLock lock(&mu_);
    last_index_ = index;
  }

  void Deliver(std::vector<raft::ApplyMsg> batch) {
    ASSERT_TRUE(applied_->SendBatch(std::move(batch)));
  }

  raft::StartResult Start(std::string_view command) override {
    raft::StartResult result;
    std::function<void(raft::StartResult)> on_start;
    {
      base::MutexLock lock(&mu_);
      if (command.size() > raft::kMaxCommandBytes) return {0, 0, false, true};
      result = next_;
      if (killed_ && !stays_alive_) result = {};
      if (result.is_leader) ++next_.index;
      on_start = on_start_;
    }
    if (result.is_leader && on_start) on_start(result);
    return result;
  }

  void Snapshot(raft::Index index, base::Rope snapshot) override {
    base::MutexLock lock(&mu_);
    snapshots_.emplace_back(index, std::move(snapshot));
  }
  std::vector<std::pair<raft::Index, base::Rope>> snapshots() const {
    base::MutexLock lock(&mu_);
    return snapshots_;
  }

  raft::State GetState() const override {
    base::MutexLock lock(&mu_);
    return {next_.term, next_.is_leader};
  }
  raft::Status GetStatus() const override {
    base::MutexLock lock(&mu_);
    return {.last_index = last_index_};
  }
  std::vector<rpc::Service> Services() override { return {}; }

  void Kill() override {
    {
      base::MutexLock lock(&mu_);
      killed_ = true;
    }
    applied_->Close();
  }

 private:
  const std::shared_ptr<raft::ApplyChannel> applied_;
  mutable base::Mutex mu_;
  raft::StartResult next_ ABSL_GUARDED_BY(mu_);
  std::function<void(raft::StartResult)> on_start_ ABSL_GUARDED_BY(mu_);
  raft::Index last_index_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::pair<raft::Index, base::Rope>> snapshots_
      ABSL_GUARDED_BY(mu_);
  bool killed_ ABSL_GUARDED_BY(mu_) = false;
  bool stays_alive_ ABSL_GUARDED_BY(mu_) = false;
};

// Keeps the commands that it executed, "a b c "; the result of "c" is "c!".
class TextMachine : public StateMachine {
 public:
  std::string Apply(std::string_view command) override {
    text_.append(command).append(" ");
    return std::string(command).append("!");
  }
  base::Rope Snapshot() override { return text_; }
  absl::Status Restore(const base::Rope& snapshot) override {
    if (snapshot == base::Rope("broken")) {
      return absl::DataLossError("it is broken");
    }
    text_ = snapshot.ToString();
    return absl::OkStatus();
  }

 private:
  std::string text_;
};

// One server's Rsm, of a TextMachine unless the test brings another.
class RsmFixture {
 public:
  explicit RsmFixture(
      Options options = {},
      std::unique_ptr<StateMachine> machine = std::make_unique<TextMachine>()) {
    options.make_raft = [this](auto, raft::ServerId, auto, auto applied,
                               const raft::Options& raft_options) {
      EXPECT_TRUE(raft_options.announce_state);
      raft = std::make_shared<FakeRaft>(std::move(applied));
      return raft;
    };
    options.hooks.on_executed = [this](const raft::ApplyMsg& message,
                                       const std::string&) {
      base::MutexLock lock(&mu_);
      executed_.push_back(absl::StrCat(message.index, message.command));
      executed_more_.SignalAll();
    };
    make_ = [this, options = std::move(options)](auto new_machine) {
      rsm =
          std::make_unique<Rsm>(std::vector<std::shared_ptr<rpc::ClientEnd>>(3),
                                0, disk, std::move(new_machine), options);
    };
    make_(std::move(machine));
  }

  ~RsmFixture() { rsm = nullptr; }  // its hooks use what is below

  // Begins again from the disk.
  void Restart() {
    rsm = nullptr;
    make_(std::make_unique<TextMachine>());
  }

  std::future<Result> Submit(std::string_view command) {
    auto promise = std::make_shared<std::promise<Result>>();
    rsm->SubmitAsync(command, [promise](Result result) {
      promise->set_value(std::move(result));
    });
    return promise->get_future();
  }

  // Waits until that many commands have been executed, and returns them:
  // "1a", with their indexes.
  std::vector<std::string> AwaitExecuted(size_t count) {
    base::MutexLock lock(&mu_);
    while (executed_.size() < count) executed_more_.Wait(&mu_);
    return executed_;
  }

  // Waits until all that was delivered is dealt with.
  // REQUIRES: a command of that index and term may come next.
  void Settle(raft::Index index, raft::Term term) {
    size_t count = 0;
    {
      base::MutexLock lock(&mu_);
      count = executed_.size();
    }
    raft->Deliver({CommandAt(index, term, "settle")});
    AwaitExecuted(count + 1);
  }

  const std::shared_ptr<persister::SimulatedDisk> disk =
      std::make_shared<persister::SimulatedDisk>();
  std::shared_ptr<FakeRaft> raft;
  std::unique_ptr<Rsm> rsm;

 private:
  std::function<void(std::unique_ptr<StateMachine>)> make_;
  base::Mutex mu_;
  base::CondVar executed_more_;
  std::vector<std::string> executed_ ABSL_GUARDED_BY(mu_);
};

// A snapshot as an Rsm of a TextMachine makes it, after that index.
inline base::Rope MakeSnapshot(raft::Index index, const std::string& text) {
  return absl::StrCat("RSM1", rpc::Encode(index), text);
}

inline bool IsReady(const std::future<Result>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

// Waits for the outcome.
inline Outcome OutcomeOf(std::future<Result>* future) {
  return future->get().outcome;
}

}  // namespace rsm

#endif  // TESTS_UNIT_RSM_RSM_FIXTURE_H_

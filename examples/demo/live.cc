#include "examples/demo/live.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iostream>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "tests/harness/failure.h"
#include "tests/harness/recorder.h"

namespace demo {
namespace {

// All in seconds. The limit is far more than any of it takes, also on a slow
// machine under a sanitizer.
constexpr double kLimit = 20;
constexpr double kTick = 0.02;
constexpr double kDrawInterval = 0.1;
constexpr size_t kShownSentences = 8;

std::atomic<int> caught = 0;

// Adds to the recorder's events what is on the servers' disks.
class LogReader : public harness::ClusterObserver {
 public:
  explicit LogReader(Live* live) : live_(live) {}

  void OnSave(raft::ServerId server, int incarnation,
              const std::optional<harness::DiskState>& state) override {
    if (!state.has_value()) return;
    Json event = {{"event", "log"},
                  {"server", server},
                  {"incarnation", incarnation},
                  {"last_included_index", state->last_included_index},
                  {"kept", state->kept},
                  {"terms", Json::array()}};
    for (const raft::EntryView entry : state->entries) {
      event["terms"].push_back(entry.term);
    }
    live_->Add(std::move(event));
  }

 private:
  Live* const live_;
};

}  // namespace

void Claim(bool holds, const std::string& otherwise) {
  if (!holds) harness::Fail(harness::Kind::kSafety, otherwise);
}

void CatchInterrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    std::signal(signal, [](int which) { caught.store(which); });
  }
}

harness::MakeObservers Live::MakeObservers() {
  const auto recorder = std::make_shared<harness::Recorder>(
      [this](const Json& event) { Add(event); });
  return [this, recorder](int group, int servers,
                          const harness::OnError&) -> harness::Observers::List {
    if (group != 0) return {recorder->OnGroup(group, servers)};
    return {recorder, std::make_shared<LogReader>(this)};
  };
}

void Live::Add(Json event) {
  base::MutexLock lock(&mu_);
  if (!event.contains("t")) event["t"] = Elapsed();
  events_.push_back(std::move(event));
}

void Live::Begin(const Act& act) {
  Show();
  act_ = act;
  if (screen_ == nullptr) std::cout << "\n" << act_.title << std::endl;
}

void Live::Until(const std::string& what,
                 const std::function<bool(const View&)>& is_so) {
  const double deadline = Elapsed() + kLimit;
  for (Tick(kTick); !is_so(view_); Tick(kTick)) {
    Claim(Elapsed() < deadline, "not within 20 s: " + what);
  }
}

void Live::Pause(double seconds) {
  const double deadline = Elapsed() + seconds / speed_;
  for (double now = Elapsed(); now < deadline; now = Elapsed()) {
    Tick(std::min(kTick, deadline - now));
  }
}

void Live::Tick(double pause) {
  std::this_thread::sleep_for(std::chrono::duration<double>(pause));
  if (const int signal = caught.load()) throw Interrupted{signal};
  Show();
  Claim(view_.violation().empty(), view_.violation());
  cluster_.check();
  if (Elapsed() >= drawn_ + kDrawInterval) Draw();
}

void Live::Show() {
  std::vector<Json> events;
  {
    base::MutexLock lock(&mu_);
    events.swap(events_);
  }
  for (const Json& event : events) {
    const std::string sentence = view_.Take(event);
    if (sentence.empty()) continue;
    newest_.push_back(
        absl::StrFormat("+%7.3fs  %s", event.at("t").get<double>(), sentence));
    if (newest_.size() > kShownSentences) newest_.pop_front();
    if (screen_ == nullptr) std::cout << newest_.back() << std::endl;
  }
  if (cluster_.commit_index == nullptr) return;
  for (raft::ServerId i = 0; i < kServers; ++i) {
    view_.TakeCommit(i, cluster_.commit_index(i));
  }
}

void Live::Draw() {
  if (screen_ == nullptr) return;
  drawn_ = Elapsed();
  screen_->Draw(drawn_, absl::StrFormat("seed %d", seed_), act_, view_,
                newest_);
}

void Live::End() {
  Show();
  Draw();
  screen_.reset();
}

}  // namespace demo

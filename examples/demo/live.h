// The demo's output: takes the stream of events, and shows it while the story
// waits, as a picture or as a line for each sentence.
//
// Thread safety: Add() may be called from any thread; all else is for the
// thread that tells the story. Lock order: mu_ is a leaf.

#ifndef EXAMPLES_DEMO_LIVE_H_
#define EXAMPLES_DEMO_LIVE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "examples/demo/screen.h"
#include "examples/demo/view.h"
#include "tests/harness/environment.h"

namespace demo {

// Thrown by waits once a signal has asked the program to end.
struct Interrupted {
  int signal;
};

// Fails (tests/harness/failure.h) unless what the demo claims holds.
void Claim(bool holds, const std::string& otherwise);

// From now on SIGINT, SIGTERM and SIGHUP make waits throw.
void CatchInterrupts();

// What waits look at, beside the events.
struct Watched {
  std::function<raft::Index(raft::ServerId)> commit_index;
  std::function<void()> check;  // fails if anything has found an error
};

class Live {
 public:
  using Clock = std::chrono::steady_clock;

  // `screen` is null for the plain form. Pauses are divided by `speed`.
  Live(std::unique_ptr<Screen> screen, uint64_t seed, double speed)
      : screen_(std::move(screen)), seed_(seed), speed_(speed) {}

  // Of the cluster, which must not outlive this.
  harness::MakeObservers MakeObservers();

  // The cluster runs.
  void Watch(Watched cluster) { cluster_ = std::move(cluster); }

  void Add(Json event) EXCLUDES(mu_);
  void Say(const std::string& text) { Add({{"event", "say"}, {"text", text}}); }
  void Begin(const Act& act);

  // Shows what happens until `is_so`. Fails after 20 s, or if an observer or a
  // reader of the cluster has found an error.
  void Until(const std::string& what,
             const std::function<bool(const View&)>& is_so);
  void Pause(double seconds);

  // Shows what is left, and gives the terminal back; called while the cluster
  // runs, so that its end is not shown.
  void End();

  const View& view() const { return view_; }
  double speed() const { return speed_; }
  double Elapsed() const {
    return std::chrono::duration<double>(Clock::now() - began_).count();
  }

 private:
  void Tick(double pause);
  void Show() EXCLUDES(mu_);
  void Draw();

  std::unique_ptr<Screen> screen_;
  const uint64_t seed_;
  const double speed_;
  const Clock::time_point began_ = Clock::now();
  Watched cluster_;
  View view_;
  Act act_;
  std::deque<std::string> newest_;
  double drawn_ = 0;  // when

  base::Mutex mu_;
  std::vector<Json> events_ ABSL_GUARDED_BY(mu_);
};

// Tell a story on a cluster of their own, and return its last words: that of
// Raft (story.cc), that of a service and its clients (service_story.cc), and
// that of a sharded one (shard_story.cc).
std::string TellStory(Live* live);
std::string TellServiceStory(Live* live);
std::string TellShardStory(Live* live);

}  // namespace demo

#endif  // EXAMPLES_DEMO_LIVE_H_

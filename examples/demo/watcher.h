// Looks at the cluster every 20 ms: tells the journal what has changed, draws
// the picture, and wakes who waits for something to become true.
//
// Thread safety: Await() may be called from any thread; Stop() by the owner.
// Lock order: mu_ is a leaf; the cluster and the journal are never called
// under it.
// Always true: no two servers were seen to lead one term (Election Safety,
// Figure 3 of the paper), or the journal has that as a failure.

#ifndef EXAMPLES_DEMO_WATCHER_H_
#define EXAMPLES_DEMO_WATCHER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "base/mutex.h"
#include "examples/demo/demo_cluster.h"
#include "examples/demo/journal.h"
#include "examples/demo/terminal.h"
#include "examples/demo/view.h"
#include "raft/timing.h"

namespace tests {

class Watcher {
 public:
  struct Picture {
    std::unique_ptr<Terminal> terminal;  // null: the plain form, no picture
    bool colour = false;
    uint64_t seed = 0;
  };

  // Starts to look. Cluster and journal must outlive it.
  Watcher(DemoCluster* cluster, Journal* journal, Picture picture);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Waits until `holds` is true of what was seen last, and says whether it is:
  // false once `limit` has passed, or the demo has to end early.
  bool Await(std::chrono::duration<double> limit,
             const std::function<bool(const ClusterView&)>& holds)
      EXCLUDES(mu_);

  // Whether the demo has to end early: interrupted, or something went wrong.
  bool MustEnd() const;

  // Looks and draws a last time, joins the thread and gives the terminal back.
  // Idempotent.
  void Stop() EXCLUDES(mu_);

  // How many leaders were seen to take over. REQUIRES: Stop() was called.
  size_t ElectionsWon() const { return leaders_.size(); }

 private:
  void WatchLoop() EXCLUDES(mu_);
  // Returns false once Stop() was called.
  bool AwaitNextLook(raft::Clock::time_point next) EXCLUDES(mu_);
  void LookOnce() EXCLUDES(mu_);
  void TellElections(const ClusterView& view);
  void Draw(const ClusterView& view) const;

  // Synchronised by themselves, or constant.
  DemoCluster* const cluster_;
  Journal* const journal_;

  base::Mutex mu_;
  base::CondVar looked_;   // wakes Await()
  base::CondVar stopped_;  // wakes WatchLoop()
  ClusterView latest_ ABSL_GUARDED_BY(mu_);
  uint64_t looks_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  // Belong to the thread until Stop() has joined it.
  Picture picture_;
  ClusterView before_;
  std::map<raft::Term, raft::ServerId> leaders_;

  std::thread thread_;
};

}  // namespace tests

#endif  // EXAMPLES_DEMO_WATCHER_H_

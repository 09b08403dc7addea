#include "sim/test/election.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "sim/test/check.h"
#include "sim/test/forked.h"

namespace sim::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kServers = 5;
constexpr int kMajority = 3;
constexpr int kCommits = 3;  // by each leader
constexpr int kNobody = -1;

// A thread for each message, as networks in tests have; waits for all of them
// in its destructor.
class Network {
 public:
  ~Network() {
    std::unique_lock<std::mutex> lock(mu_);
    while (in_flight_ > 0) all_arrived_.wait(lock);
  }

  // Uniform in low..high.
  microseconds Draw(microseconds low, microseconds high) {
    const std::lock_guard<std::mutex> lock(mu_);
    return microseconds(std::uniform_int_distribution<int64_t>(
        low.count(), high.count())(random_));
  }

  // Calls `arrive` on a thread of its own, after a while.
  void Send(std::function<void()> arrive) {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      ++in_flight_;
    }
    std::thread([this, arrive = std::move(arrive)] {
      std::this_thread::sleep_for(Draw(microseconds(200), milliseconds(20)));
      arrive();
      const std::lock_guard<std::mutex> lock(mu_);
      if (--in_flight_ == 0) all_arrived_.notify_all();
    }).detach();
  }

 private:
  std::mutex mu_;
  std::condition_variable all_arrived_;
  std::mt19937_64 random_{std::random_device()()};
  int in_flight_ = 0;
};

// The leader of each term, as a referee sees it.
class Referee {
 public:
  void NoteLeader(int server, int term) {
    const std::lock_guard<std::mutex> lock(mu_);
    Require(leaders_.emplace(term, server).second);
  }

 private:
  std::mutex mu_;
  std::map<int, int> leaders_;
};

// Applies what is committed, on its own thread.
class Applier {
 public:
  explicit Applier(bool is_buggy) : is_buggy_(is_buggy) {}

  ~Applier() {
    {
      std::unique_lock<std::mutex> lock(mu_);
      while (applied_ < committed_) all_applied_.wait(lock);
      is_stopping_ = true;
    }
    something_to_do_.notify_one();
    thread_.join();
  }

  void Commit() {
    std::unique_lock<std::mutex> lock(mu_, std::defer_lock);
    if (!is_buggy_) lock.lock();
    ++committed_;
    something_to_do_.notify_one();
  }

 private:
  void ApplyLoop() {
    std::unique_lock<std::mutex> lock(mu_);
    while (!is_stopping_) {
      if (applied_ == committed_) {
        all_applied_.notify_all();
        something_to_do_.wait(lock);
      }
      while (applied_ < committed_) ++applied_;
    }
  }

  const bool is_buggy_;
  std::mutex mu_;
  std::condition_variable something_to_do_;
  std::condition_variable all_applied_;
  std::atomic<int> committed_{0};
  int applied_ = 0;
  bool is_stopping_ = false;
  std::thread thread_{[this] { ApplyLoop(); }};
};

class Server {
 public:
  Server(int me, ElectionBug bug, Network* network, Referee* referee)
      : me_(me),
        bug_(bug),
        network_(network),
        referee_(referee),
        applier_(bug == ElectionBug::kApplierAsleep) {
    PostponeElection();
  }

  // Every server's own thread. A leader rests until its time is over, too:
  // elections are what this is about.
  void Live(const std::vector<std::unique_ptr<Server>>& all,
            steady_clock::time_point end) {
    while (steady_clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(5));
      NoteProgress();
      if (const int term = MaybeStand(); term > 0) AskForVotes(all, term);
    }
  }

 private:
  void PostponeElection() {
    next_election_ = steady_clock::now() +
                     network_->Draw(milliseconds(15), milliseconds(45));
  }

  // Returns the term in which to ask for votes; 0: none.
  int MaybeStand() {
    const std::lock_guard<std::mutex> lock(mu_);
    if (steady_clock::now() < next_election_) return 0;
    ++term_;
    voted_for_ = me_;
    votes_ = 1;
    is_candidate_ = true;
    PostponeElection();
    return term_;
  }

  void AskForVotes(const std::vector<std::unique_ptr<Server>>& all, int term) {
    for (const std::unique_ptr<Server>& other : all) {
      if (other.get() == this) continue;
      network_->Send([this, to = other.get(), term] {
        if (!to->GrantVote(me_, term)) return;
        network_->Send([this, term] { OnVote(term); });
      });
    }
  }

  bool GrantVote(int candidate, int term) {
    std::unique_lock<std::mutex> lock(mu_);
    if (term < term_) return false;
    if (term > term_) {
      term_ = term;
      voted_for_ = kNobody;
      is_candidate_ = false;
    }
    if (voted_for_ != kNobody && voted_for_ != candidate) return false;
    if (bug_ == ElectionBug::kDoubleVote) {
      lock.unlock();
      lock.lock();
    }
    voted_for_ = candidate;
    PostponeElection();
    return true;
  }

  void OnVote(int term) {
    std::unique_lock<std::mutex> lock(mu_);
    const bool is_stale = term != term_ && bug_ != ElectionBug::kStaleReply;
    if (is_stale || !is_candidate_) return;
    if (++votes_ < kMajority) return;
    is_candidate_ = false;
    const int led = term_;
    lock.unlock();
    referee_->NoteLeader(me_, led);
    for (int i = 0; i < kCommits; ++i) applier_.Commit();
  }

  const int me_;
  const ElectionBug bug_;
  Network* const network_;
  Referee* const referee_;
  std::mutex mu_;
  int term_ = 0;
  int voted_for_ = kNobody;
  int votes_ = 0;
  bool is_candidate_ = false;
  steady_clock::time_point next_election_;
  Applier applier_;
};

}  // namespace

void RunElections(ElectionBug bug, milliseconds time) {
  Referee referee;
  auto network = std::make_unique<Network>();
  std::vector<std::unique_ptr<Server>> servers;
  for (int i = 0; i < kServers; ++i) {
    servers.push_back(
        std::make_unique<Server>(i, bug, network.get(), &referee));
  }
  const steady_clock::time_point end = steady_clock::now() + time;
  std::vector<std::jthread> threads;
  for (const auto& server : servers) {
    threads.emplace_back([&, me = server.get()] { me->Live(servers, end); });
  }
  threads.clear();
  // Messages use servers, and servers the network: first it must be empty.
  network.reset();
}

}  // namespace sim::test

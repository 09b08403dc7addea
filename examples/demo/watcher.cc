#include "examples/demo/watcher.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/demo/frame.h"
#include "examples/demo/interrupt.h"
#include "examples/demo/sentences.h"

namespace tests {
namespace {

using base::MutexLock;
using raft::Clock;

constexpr std::chrono::milliseconds kLookInterval{20};
constexpr int kLooksPerPicture = 5;  // ten pictures a second

}  // namespace

Watcher::Watcher(DemoCluster* cluster, Journal* journal, Picture picture)
    : cluster_(cluster),
      journal_(journal),
      picture_(std::move(picture)),
      before_(cluster->View()),
      thread_([this] { WatchLoop(); }) {}

Watcher::~Watcher() { Stop(); }

bool Watcher::Await(std::chrono::duration<double> limit,
                    const std::function<bool(const ClusterView&)>& holds) {
  const Clock::time_point deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
  uint64_t seen = 0;
  ClusterView view;
  while (!MustEnd()) {
    {
      MutexLock lock(&mu_);
      while (looks_ == seen && Clock::now() < deadline) {
        looked_.WaitUntil(&mu_, deadline);
      }
      if (looks_ == seen) return false;
      seen = looks_;
      view = latest_;
    }
    if (holds(view)) return true;
  }
  return false;
}

bool Watcher::MustEnd() const {
  return Interrupted() != 0 || journal_->failure().has_value();
}

void Watcher::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  stopped_.Signal();
  thread_.join();
  picture_.terminal.reset();
}

void Watcher::WatchLoop() {
  Clock::time_point next = Clock::now();
  for (int look = 0;; ++look) {
    LookOnce();
    if (look % kLooksPerPicture == 0) Draw(before_);
    next = std::max(next + kLookInterval, Clock::now());
    if (!AwaitNextLook(next)) break;
  }
  LookOnce();
  Draw(before_);
}

bool Watcher::AwaitNextLook(Clock::time_point next) {
  MutexLock lock(&mu_);
  while (!stopping_ && Clock::now() < next) stopped_.WaitUntil(&mu_, next);
  return !stopping_;
}

void Watcher::LookOnce() {
  ClusterView view = cluster_->View();
  TellElections(view);
  for (std::string& sentence : DescribeChanges(before_, view)) {
    journal_->Add(std::move(sentence));
  }
  before_ = view;
  {
    MutexLock lock(&mu_);
    latest_ = std::move(view);
    ++looks_;
  }
  looked_.SignalAll();
}

void Watcher::TellElections(const ClusterView& view) {
  for (const Ballots::Candidacy& stood : cluster_->ballots().TakeNew()) {
    journal_->Add(absl::StrCat(Name(stood.candidate),
                               " stands for election in term ", stood.term));
  }
  for (size_t i = 0; i < view.size(); ++i) {
    if (!Leads(view[i])) continue;
    const auto server = static_cast<raft::ServerId>(i);
    const raft::Term term = view[i].term;
    const auto [known, is_new] = leaders_.try_emplace(term, server);
    if (is_new) {
      journal_->Add(absl::StrCat(
          Name(server), " becomes leader of term ", term, ": votes of ",
          Names(cluster_->ballots().VotesFor(server, term)), " and its own"));
    } else if (known->second != server) {
      journal_->Fail(absl::StrCat(Name(known->second), " and ", Name(server),
                                  " both lead term ", term));
    }
  }
}

void Watcher::Draw(const ClusterView& view) const {
  if (picture_.terminal == nullptr) return;
  const Frame frame{picture_.seed, journal_->Elapsed(), journal_->Read(), view};
  if (frame.journal.act.number == 0) return;  // the curtain is still down
  picture_.terminal->Draw(Render(frame, picture_.colour));
}

}  // namespace tests

// What the demo has to tell: the act that is on, the events so far with their
// times, and the first thing that went wrong.
//
// Thread safety: safe; a leaf in the lock order. In the plain form every event
// is printed and flushed as it is added, under the lock, so that the lines
// stand in the order of their times.

#ifndef EXAMPLES_DEMO_JOURNAL_H_
#define EXAMPLES_DEMO_JOURNAL_H_

#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "raft/timing.h"

namespace tests {

struct Event {
  std::chrono::duration<double> at;  // since the demo began
  std::string text;
};

// "+  3.412s  S2 becomes leader of term 1".
std::string ToLine(const Event& event);

// One act of the story: a title, and one or two lines of what to look at.
struct Act {
  int number = 0;
  std::string title;
  std::string look;
  std::string look_too;  // may be empty
};

class Journal {
 public:
  // `print_lines`: the plain form.
  explicit Journal(bool print_lines) : print_lines_(print_lines) {}

  void BeginAct(Act act) EXCLUDES(mu_);
  void Add(std::string text) EXCLUDES(mu_);

  // Notes that something the demo claims does not hold. The first one counts.
  void Fail(std::string what) EXCLUDES(mu_);
  std::optional<std::string> failure() const EXCLUDES(mu_);

  std::chrono::duration<double> Elapsed() const {
    return raft::Clock::now() - began_;
  }

  // What a screen shows of it.
  struct Excerpt {
    Act act;
    std::deque<Event> newest;  // the last kShownEvents, the newest one last
  };
  static constexpr size_t kShownEvents = 8;
  Excerpt Read() const EXCLUDES(mu_);

 private:
  void PrintLocked(const std::string& line) const REQUIRES(mu_);

  const bool print_lines_;
  const raft::Clock::time_point began_ = raft::Clock::now();

  mutable base::Mutex mu_;
  Act act_ ABSL_GUARDED_BY(mu_);
  std::deque<Event> newest_ ABSL_GUARDED_BY(mu_);
  std::optional<std::string> failure_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tests

#endif  // EXAMPLES_DEMO_JOURNAL_H_

// Which test starts next, when several run side by side.
//
// The first test that has not ended is next in line: its output is what a
// person sees, and it always has a place. Beside it the longest start first, so
// that none of them is left alone at the end. The labs' tests sleep nearly all
// the time, and their time limits hold for a machine that is not busy: beside
// them, tests that compute take half of the processors.
//
// Thread safety: compatible. It starts nothing itself.

#ifndef TESTS_RUNNER_SCHEDULE_H_
#define TESTS_RUNNER_SCHEDULE_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace runner {

class Schedule {
 public:
  using Duration = std::chrono::duration<double>;

  struct Test {
    bool is_timed = false;  // has limits that hold for a machine at rest
    bool computes = false;
    std::optional<Duration> duration =
        {};  // in an earlier run, if there was one
  };
  struct Limits {
    int at_once = 1;
    int computing = 1;         // of these
    int computing_beside = 1;  // as long as there are timed ones
  };

  // As many at once as keep the processors less than half busy.
  static Limits DefaultLimits();

  // As many as a person asks for.
  static Limits LimitsOf(int at_once);

  Schedule(std::vector<Test> tests, Limits limits);

  // Returns the test to start now, an index, if there is one; it then runs.
  std::optional<size_t> Next();

  // A test that ran has ended.
  void End(size_t test);

  // The first test that has not ended; the number of tests if all have.
  size_t head() const { return head_; }
  bool AllHaveEnded() const { return head_ == tests_.size(); }

  // About how long the rest takes, if all durations are known; `ran` is how
  // long each test has run so far, by index.
  std::optional<Duration> Rest(const std::vector<Duration>& ran) const;

 private:
  enum class State { kWaits, kRuns, kEnded };

  bool MayStart(size_t test) const;
  // How many tests may compute at once.
  int MostComputing() const;

  const std::vector<Test> tests_;
  const Limits limits_;
  std::vector<size_t> longest_first_;
  std::vector<State> states_;
  ptrdiff_t timed_left_;  // have not ended
  size_t head_ = 0;
};

}  // namespace runner

#endif  // TESTS_RUNNER_SCHEDULE_H_

#include "tests/runner/schedule.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>

#include "tests/runner/build_kind.h"

namespace runner {

namespace {

int Processors() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Measured: a lab's test takes a fiftieth of a processor, and four times that
// under ThreadSanitizer; now and then one of them takes a whole one.
constexpr int kSleepersPerProcessor = kBuildKind == BuildKind::kPlain ? 4 : 2;

}  // namespace

Schedule::Limits Schedule::DefaultLimits() {
  Limits limits = LimitsOf(kSleepersPerProcessor * Processors());
  limits.computing = Processors();
  return limits;
}

Schedule::Limits Schedule::LimitsOf(int at_once) {
  return {.at_once = at_once,
          .computing = at_once,
          .computing_beside = std::clamp(Processors() / 2, 1, at_once)};
}

Schedule::Schedule(std::vector<Test> tests, Limits limits)
    : tests_(std::move(tests)),
      limits_(limits),
      longest_first_(tests_.size()),
      states_(tests_.size(), State::kWaits),
      timed_left_(std::ranges::count(tests_, true, &Test::is_timed)) {
  std::iota(longest_first_.rbegin(), longest_first_.rend(), size_t{0});
  // Of unknown ones the last first: the labs' later parts take longer.
  constexpr Duration kUnknown{std::numeric_limits<double>::infinity()};
  std::ranges::stable_sort(
      longest_first_, std::ranges::greater(),
      [&](size_t i) { return tests_[i].duration.value_or(kUnknown); });
}

std::optional<size_t> Schedule::Next() {
  const auto start = [this](size_t test) {
    states_[test] = State::kRuns;
    return test;
  };
  if (AllHaveEnded()) return std::nullopt;
  if (states_[head_] == State::kWaits) return start(head_);
  const auto running = std::ranges::count(states_, State::kRuns);
  if (running >= limits_.at_once) return std::nullopt;
  for (const size_t test : longest_first_) {
    if (MayStart(test)) return start(test);
  }
  return std::nullopt;
}

void Schedule::End(size_t test) {
  states_[test] = State::kEnded;
  if (tests_[test].is_timed) --timed_left_;
  while (!AllHaveEnded() && states_[head_] == State::kEnded) ++head_;
}

std::optional<Schedule::Duration> Schedule::Rest(
    const std::vector<Duration>& ran) const {
  Duration longest{0};
  Duration sum{0};
  Duration computing{0};
  for (size_t i = head_; i < tests_.size(); ++i) {
    if (states_[i] == State::kEnded) continue;
    if (!tests_[i].duration.has_value()) return std::nullopt;
    const Duration rest = std::max(*tests_[i].duration - ran[i], Duration(0));
    longest = std::max(longest, rest);
    sum += rest;
    if (tests_[i].computes) computing += rest;
  }
  return std::max(
      {longest, sum / limits_.at_once, computing / MostComputing()});
}

bool Schedule::MayStart(size_t test) const {
  if (states_[test] != State::kWaits) return false;
  if (!tests_[test].computes) return true;
  int computing = 0;
  for (size_t i = head_; i < tests_.size(); ++i) {
    if (tests_[i].computes && states_[i] == State::kRuns) ++computing;
  }
  return computing < MostComputing();
}

int Schedule::MostComputing() const {
  return timed_left_ > 0 ? limits_.computing_beside : limits_.computing;
}

}  // namespace runner

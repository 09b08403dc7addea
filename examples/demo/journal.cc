#include "examples/demo/journal.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_format.h"

namespace tests {

using base::MutexLock;

std::string ToLine(const Event& event) {
  return absl::StrFormat("+%7.3fs  %s", event.at.count(), event.text);
}

void Journal::BeginAct(Act act) {
  MutexLock lock(&mu_);
  act_ = std::move(act);
  PrintLocked(absl::StrFormat("\n%d. %s", act_.number, act_.title));
}

void Journal::Add(std::string text) {
  MutexLock lock(&mu_);
  newest_.push_back({Elapsed(), std::move(text)});
  PrintLocked(ToLine(newest_.back()));
  if (newest_.size() > kShownEvents) newest_.pop_front();
}

void Journal::Fail(std::string what) {
  MutexLock lock(&mu_);
  if (!failure_.has_value()) failure_ = std::move(what);
}

std::optional<std::string> Journal::failure() const {
  MutexLock lock(&mu_);
  return failure_;
}

Journal::Excerpt Journal::Read() const {
  MutexLock lock(&mu_);
  return {act_, newest_};
}

void Journal::PrintLocked(const std::string& line) const {
  if (print_lines_) std::cout << line << std::endl;
}

}  // namespace tests

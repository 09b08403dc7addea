#include "tests/harness/failure.h"

#include <utility>

#include "gtest/gtest.h"

namespace harness {
namespace {

thread_local FailureInfo current_failure;

void RunTestThread(const std::function<void()>& body) {
  try {
    body();
  } catch (const testing::AssertionException&) {
    // Recorded where it was raised; it ends this thread and no other.
  }
}

}  // namespace

FailureInfo InfoOfCurrentFailure() { return current_failure; }

void ReportFailure(const Failure& failure, Place place) {
  current_failure = {failure.kind, failure.by_oracle};
  ADD_FAILURE_AT(place.file, place.line) << failure.message;
  current_failure = {};
}

void EndFailedTest() {
  throw testing::AssertionException(testing::TestPartResult(
      testing::TestPartResult::kFatalFailure, /*a_file_name=*/nullptr,
      /*a_line_number=*/-1, "the test has failed"));
}

void Fail(const Failure& failure, Place place) {
  ReportFailure(failure, place);
  EndFailedTest();
}

void Fail(Kind kind, std::string message, Place place) {
  Fail(Failure{.kind = kind, .message = std::move(message)}, place);
}

TestThreads::TestThreads(std::function<void()> abandon)
    : abandon_(std::move(abandon)) {}

TestThreads::~TestThreads() {
  if (threads_.empty()) return;
  Stop();
  abandon_();
  Join();
}

void TestThreads::Start(std::function<void()> body) {
  threads_.emplace_back([body = std::move(body)] { RunTestThread(body); });
}

void TestThreads::Stop() {
  base::MutexLock lock(&mu_);
  stopping_ = true;
}

bool TestThreads::Stopping() {
  base::MutexLock lock(&mu_);
  return stopping_;
}

void TestThreads::Join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace harness

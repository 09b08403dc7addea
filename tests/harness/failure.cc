#include "tests/harness/failure.h"

#include <utility>

#include "gtest/gtest.h"

namespace harness {
namespace {

void RunTestThread(const std::function<void()>& body) {
  try {
    body();
  } catch (const testing::AssertionException&) {
    // Recorded where it was raised; it ends this thread and no other.
  }
}

}  // namespace

void ReportFailure(const std::string& message, Place place) {
  ADD_FAILURE_AT(place.file, place.line) << message;
}

void EndFailedTest() {
  throw testing::AssertionException(testing::TestPartResult(
      testing::TestPartResult::kFatalFailure, /*a_file_name=*/nullptr,
      /*a_line_number=*/-1, "the test has failed"));
}

void Fail(const std::string& message, Place place) {
  ReportFailure(message, place);
  EndFailedTest();
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

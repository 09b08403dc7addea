// How a check fails: where the failure is reported, and what it ends.

#include "tests/harness/failure.h"

#include <atomic>
#include <string>

#include "gtest/gtest.h"
#include "tests/unit/harness/failures.h"

namespace harness {
namespace {

void CheckAt(Place place = Place::Here()) {
  Fail(Kind::kSafety, "a check failed", place);
}

TEST(Failure, IsReportedAtTheCallAndEndsTheTest) {
  int line = 0;
  bool went_on = false;
  const Failures failures = FailuresOf([&] {
    line = __LINE__ + 1;
    CheckAt();
    went_on = true;
  });
  ASSERT_EQ(failures.messages, std::vector<std::string>{"a check failed"});
  EXPECT_NE(failures.file.find("failure_test.cc"), std::string::npos);
  EXPECT_EQ(failures.line, line);
  EXPECT_TRUE(failures.ended);
  EXPECT_FALSE(went_on);
}

TEST(Failure, ReportAloneGoesOn) {
  const Failures failures =
      FailuresOf([] { ReportFailure({.message = "noted"}, Place::Here()); });
  EXPECT_EQ(failures.messages, std::vector<std::string>{"noted"});
  EXPECT_FALSE(failures.ended);
}

TEST(Failure, EndingAFailedTestReportsNothing) {
  const Failures failures = FailuresOf([] { EndFailedTest(); });
  EXPECT_TRUE(failures.messages.empty());
  EXPECT_TRUE(failures.ended);
}

TEST(TestThreads, FailureEndsItsThreadOnly) {
  std::atomic<int> ended = 0;
  const Failures failures = FailuresOf([&] {
    TestThreads threads;
    threads.Start([] { Fail(Kind::kSafety, "in a helper"); });
    threads.Start([&] { ++ended; });
    threads.Join();
    ++ended;
  });
  EXPECT_EQ(failures.messages, std::vector<std::string>{"in a helper"});
  EXPECT_FALSE(failures.ended);
  EXPECT_EQ(ended, 2);
}

// The main thread fails while a helper would run forever.
TEST(TestThreads, AreStoppedWhenTheTestEndsEarly) {
  std::atomic<bool> abandoned = false;
  std::atomic<bool> joined = false;
  const Failures failures = FailuresOf([&] {
    TestThreads threads([&] { abandoned = true; });
    threads.Start([&] {
      while (!threads.Stopping() || !abandoned) std::this_thread::yield();
      joined = true;
    });
    Fail(Kind::kSafety, "main fails");
  });
  EXPECT_EQ(failures.messages, std::vector<std::string>{"main fails"});
  EXPECT_TRUE(joined);
}

TEST(TestThreads, AreNotAbandonedOnceJoined) {
  bool abandoned = false;
  {
    TestThreads threads([&] { abandoned = true; });
    threads.Start([] {});
    threads.Join();
    EXPECT_FALSE(threads.Stopping());
  }
  EXPECT_FALSE(abandoned);
}

}  // namespace
}  // namespace harness

// How a check of the harness fails, and the helper threads of a test.
//
// A failed check is recorded with GoogleTest, at the line of the test that
// asked for it, and then ends the thread's share of the test by an exception:
// in the main thread the test function, in a helper thread that thread only.
// GoogleTest knows this exception and does not report the failure again.
//
// Thread safety: Fail() may be called from any thread of a test; a TestThreads
// belongs to the thread that made it, any thread may call Stopping().

#ifndef TESTS_HARNESS_FAILURE_H_
#define TESTS_HARNESS_FAILURE_H_

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace harness {

// A line of a test. As the default value of a last parameter it is the line of
// the call (clang 14 has no std::source_location).
struct Place {
  const char* file;  // a literal
  int line;

  static constexpr Place Here(const char* file = __builtin_FILE(),
                              int line = __builtin_LINE()) {
    return {file, line};
  }
};

// What a failed check says of the system under test. It decides what counts:
// where the network is made harsh on purpose, liveness may suffer.
enum class Kind {
  kSafety,    // something wrong happened
  kLiveness,  // something right did not happen in time
  kEconomy,   // it was right and in time, but cost too much
  kHarness,   // nothing: the test could not be carried out
};

struct Failure {
  Kind kind = Kind::kSafety;
  std::string message;
  bool by_oracle = false;  // in a rule of the oracle, not in a check
};

// What is known of the failure that this thread is recording just now, for a
// listener of GoogleTest: GoogleTest itself passes on text and place only.
// Failures of GoogleTest's own checks are of the kind kSafety.
struct FailureInfo {
  Kind kind = Kind::kSafety;
  bool by_oracle = false;
};
FailureInfo InfoOfCurrentFailure();

// Records the failure, and continues.
void ReportFailure(const Failure& failure, Place place);

// Ends this thread's share of a test that has failed: throws
// testing::AssertionException, which records nothing itself.
[[noreturn]] void EndFailedTest();

// Records the failure and ends this thread's share of the test.
[[noreturn]] void Fail(const Failure& failure, Place place = Place::Here());
[[noreturn]] void Fail(Kind kind, std::string message,
                       Place place = Place::Here());

// The helper threads of a test, all joined at the latest by the destructor. A
// failed check in one of them ends that thread alone; the test has failed, and
// goes on to its own end.
//
// Declare it after everything that the threads use. When the test ends early,
// by an exception, the destructor asks the threads to stop before it joins.
class TestThreads {
 public:
  // `abandon` runs when the test ends early, so that what the threads wait for
  // is given up as well.
  explicit TestThreads(std::function<void()> abandon = [] {});
  ~TestThreads();
  TestThreads(const TestThreads&) = delete;
  TestThreads& operator=(const TestThreads&) = delete;

  // Runs `body` on a new thread.
  void Start(std::function<void()> body);

  // Asks the threads to stop; each sees it in Stopping().
  void Stop() EXCLUDES(mu_);
  bool Stopping() EXCLUDES(mu_);

  // Waits for all threads.
  void Join();

 private:
  const std::function<void()> abandon_;
  std::vector<std::thread> threads_;

  base::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace harness

#endif  // TESTS_HARNESS_FAILURE_H_

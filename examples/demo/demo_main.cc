// The demo: a cluster of five Raft servers in one process, over the simulated
// network, watched live. It is what a newcomer runs first, by `make demo`.
//
// The stories (story.cc, service_story.cc, shard_story.cc) are scenarios on the
// test harness's clusters. What is seen of it is the recorder's stream of
// events (live.h), put into words (view.h) and into a picture (screen.h).
//
// Always true: every line printed is something that was observed, or something
// that the story itself did. If a claim does not hold, the demo says so.

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/flags.h"
#include "base/logging.h"
#include "base/random.h"
#include "examples/demo/live.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

ABSL_FLAG(std::string, seed, "", "of everything random");
ABSL_FLAG(bool, plain, false, "one line per event, also on a terminal");
ABSL_FLAG(int, lab, 2, "2: Raft; 3: a service on it; 4: a sharded one");
ABSL_FLAG(double, speed, 1, "how fast the story is told");

namespace demo {
namespace {

enum ExitStatus { kHeld = 0, kDidNotHold = 1, kWrongOption = 2 };

constexpr char kHelp[] =
    R"(Shows Raft at work, for half a minute: five servers elect a
leader, commit commands, lose their leader, take it back, survive a crash, and
bring up by a snapshot a server that was down.

  --lab=3     shows a key/value service on Raft instead: three clients use it
              while the network is divided, heals, and a server restarts
  --lab=4     shows a sharded service: groups of servers join and leave, and
              shards travel between them while three clients go on
  --seed=N    the seed of everything random; default: a new one each time
  --speed=X   tells the story X times as fast (0.1 to 100; labs 3, 4: from 0.5);
              Raft's own delays stay what they are
  --plain     one line per event, as when the output is not a terminal
  --help      print this and end

GLOG_v=1..3 in the environment adds the debug log, on standard error. With
NO_COLOR set there are no colors. The exit status is 0 if all that the demo
claims was seen to hold, 1 if not, 2 for a wrong option, 130 if interrupted.
)";

std::unique_ptr<Screen> MakeScreen() {
  if (absl::GetFlag(FLAGS_plain) || isatty(STDOUT_FILENO) == 0) return nullptr;
  if (!Screen::CanShow()) {
    std::cout << absl::StreamFormat(
        "No picture: it takes a terminal of %d x %d that knows ANSI codes.\n",
        Screen::kColumns, Screen::kLines);
    return nullptr;
  }
  return std::make_unique<Screen>();
}

int Run(uint64_t seed) {
  const int lab = absl::GetFlag(FLAGS_lab);
  std::unique_ptr<Screen> screen = MakeScreen();
  // The debug log would write across the picture, unless it goes elsewhere.
  const bool across = screen != nullptr && isatty(STDERR_FILENO) != 0;
  if (FLAGS_v == 0 || across) FLAGS_minloglevel = google::GLOG_WARNING;
  google::InitGoogleLogging("demo");
  if (screen == nullptr) {
    std::cout << "Raft, live: "
              << (lab == 2   ? "five servers keep one log"
                  : lab == 3 ? "a key/value service"
                             : "a sharded key/value service")
              << "; seed " << seed << std::endl;
  }
  // GoogleTest would print what fails.
  testing::TestPartResultArray failures;
  const testing::ScopedFakeTestPartResultReporter reporter(
      testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS,
      &failures);
  Live live(std::move(screen), seed, absl::GetFlag(FLAGS_speed));
  CatchInterrupts();
  try {
    if (lab == 2) {
      std::cout << TellStory(&live)
                << "Next: make test, all tests; make test RUN=2A, those of "
                   "leader election; make demo LAB=3.\n";
    } else if (lab == 4) {
      std::cout << TellShardStory(&live)
                << "Next: make test LAB=4, its tests; make trace LAB=4 "
                   "RUN='^TestJoinLeave$', one of them to look at.\n";
    } else {
      std::cout << TellServiceStory(&live)
                << "Next: make test LAB=3, the tests of services; make trace "
                   "RUN='^TestPersistPartition3A$', one of them to look at.\n";
    }
    return kHeld;
  } catch (const Interrupted& interrupted) {
    std::cerr << "\ninterrupted\n";
    return 128 + interrupted.signal;  // as shells say it
  } catch (const testing::AssertionException&) {
    const char* const message = failures.GetTestPartResult(0).message();
    std::cerr << absl::StreamFormat("\nA claim does not hold (seed %d): %s\n",
                                    seed,
                                    absl::StripPrefix(message, "Failed\n"));
    return kDidNotHold;
  }
}

int Main(int argc, char** argv) {
  const absl::StatusOr<base::CommandLine> command_line =
      base::ParseFlags(argc, argv);
  const absl::StatusOr<uint64_t> seed =
      base::ParseSeed(absl::GetFlag(FLAGS_seed));
  absl::Status status = command_line.status();
  if (status.ok()) status = seed.status();
  const int lab = absl::GetFlag(FLAGS_lab);
  if (status.ok() && (lab < 2 || lab > 4)) {
    status = base::FlagError("bad lab: give 2, 3 or 4");
  }
  // A cluster of services may run for two minutes.
  const double slowest = lab == 2 ? 0.1 : 0.5;
  // Written so that "not a number" is refused as well.
  const double speed = absl::GetFlag(FLAGS_speed);
  if (status.ok() && !(speed >= slowest && speed <= 100)) {
    status = base::FlagError(
        absl::StrFormat("bad speed: give a number from %.1f to 100", slowest));
  }
  if (!status.ok()) {
    std::cerr << "demo: " << status.message() << "\n";
    return kWrongOption;
  }
  if (command_line->help) {
    std::cout << kHelp;
    return kHeld;
  }
  base::SetRunSeed(*seed);
  return Run(*seed);
}

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  // Without TZ glog asks for the time zone at every line, and two threads that
  // do so at once are a race in the eyes of ThreadSanitizer.
  setenv("TZ", "UTC", /*replace=*/0);
  FLAGS_logtostderr = true;
  return demo::Main(argc, argv);
}

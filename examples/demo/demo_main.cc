// The demo: a cluster of five Raft servers in one process, over the simulated
// network, watched live. It is what a newcomer runs first.
//
// One thread tells the story (story.h): it cuts servers off, crashes and
// restarts them, and sends the client's commands (client.h). Another one looks
// at the servers every 20 ms (watcher.h) and puts what it sees into words
// (sentences.h) and into a picture (frame.h, terminal.h), or into one line per
// event where standard output is no terminal. Each server has one thread that
// plays the service and records what is applied (demo_cluster.h,
// apply_record.h); who votes for whom is read off the network (ballots.h).
//
// Who calls it: `make demo`, or a person.
//
// Always true: every line printed is something that was observed, or something
// that the story itself did. At the end the demo checks what it claims: five
// equal logs; what was committed was applied by all, in one order; what the
// leader took while it was cut off was applied by nobody. If a claim does not
// hold, it says so and the exit status is 1.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "base/logging.h"
#include "base/random.h"
#include "examples/demo/demo_cluster.h"
#include "examples/demo/demo_options.h"
#include "examples/demo/frame.h"
#include "examples/demo/interrupt.h"
#include "examples/demo/journal.h"
#include "examples/demo/story.h"
#include "examples/demo/terminal.h"
#include "examples/demo/watcher.h"

namespace tests {
namespace {

enum ExitStatus { kHeld = 0, kDidNotHold = 1, kWrongOption = 2 };

bool WantsPicture(const DemoOptions& options) {
  if (options.plain || isatty(STDOUT_FILENO) == 0) return false;
  // One line below the picture is the cursor's.
  const int columns = kFrameColumns + 1;
  const int lines = kFrameLines + 1;
  if (Terminal::CanShow(columns, lines)) return true;
  std::cout << absl::StreamFormat(
      "No picture: it takes a terminal of %d x %d that knows ANSI codes.\n",
      columns, lines);
  return false;
}

bool WantsColour() {
  const char* const no_colour = std::getenv("NO_COLOR");
  return no_colour == nullptr || *no_colour == '\0';
}

void InitLogging(const char* program, bool picture) {
  FLAGS_logtostderr = true;
  // The debug log would write across the picture, unless it goes elsewhere.
  if (picture && isatty(STDERR_FILENO) != 0) {
    FLAGS_minloglevel = google::GLOG_WARNING;
  }
  google::InitGoogleLogging(program);
}

double MedianLatency(const std::vector<Client::Committed>& committed) {
  std::vector<double> latencies;
  for (const Client::Committed& done : committed) {
    latencies.push_back(done.latency.count());
  }
  CHECK(!latencies.empty());
  std::sort(latencies.begin(), latencies.end());
  return latencies[latencies.size() / 2];
}

void PrintSummary(const DemoCluster& cluster, const Watcher& watcher,
                  const Story& story, double seconds) {
  const std::vector<Client::Committed>& committed = story.committed();
  std::cout << absl::StreamFormat(
      "\nChecked: five equal logs; all servers applied the same %d entries in "
      "one order,\nand none of the %d that the old leader took while it was "
      "cut "
      "off.\n",
      cluster.applied().All().size(), story.doomed());
  std::cout << absl::StreamFormat(
      "%d commands committed, in %.1f ms each (median); %d elections;\n"
      "%d RPCs, %d bytes, %.1f seconds.\n",
      committed.size(), MedianLatency(committed), watcher.ElectionsWon(),
      cluster.RpcCount(), cluster.RpcBytes(), seconds);
  std::cout << "Next: make test, all tests; make test RUN=2A, those of leader "
               "election.\n";
}

int Run(const DemoOptions& options, bool picture) {
  Journal journal(/*print_lines=*/!picture);
  DemoCluster cluster(&journal);
  Watcher watcher(&cluster, &journal,
                  {picture ? std::make_unique<Terminal>() : nullptr,
                   WantsColour(), options.seed});
  Story story(&cluster, &watcher, &journal, options.speed);
  const bool held = story.Tell();
  const double seconds = journal.Elapsed().count();
  watcher.Stop();

  if (held) {
    PrintSummary(cluster, watcher, story, seconds);
    return kHeld;
  }
  std::cout << std::flush;
  if (const int signal = Interrupted()) {
    std::cerr << "\ninterrupted\n";
    return 128 + signal;  // as shells say it
  }
  std::cerr << absl::StreamFormat("\nA claim does not hold (seed %d): %s\n",
                                  options.seed,
                                  journal.failure().value_or("unknown"));
  return kDidNotHold;
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  // Without TZ glog asks for the time zone at every line, and two threads that
  // do so at once are a race in the eyes of ThreadSanitizer.
  setenv("TZ", "UTC", /*replace=*/0);
  const absl::StatusOr<tests::DemoOptions> options =
      tests::ParseDemoOptions(argc, argv);
  if (!options.ok()) {
    std::cerr << "demo: " << options.status().message() << "\n";
    return tests::kWrongOption;
  }
  if (options->help) {
    std::cout << tests::DemoHelp();
    return tests::kHeld;
  }
  const bool picture = tests::WantsPicture(*options);
  tests::InitLogging(argv[0], picture);
  base::SetRunSeed(options->seed);
  if (!picture) {
    std::cout << "Raft, live: five servers keep one log; seed " << options->seed
              << std::endl;
  }
  tests::CatchInterrupts();
  return tests::Run(*options, picture);
}

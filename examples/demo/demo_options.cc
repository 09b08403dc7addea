#include "examples/demo/demo_options.h"

#include "absl/flags/flag.h"
#include "base/flags.h"

ABSL_FLAG(std::string, seed, "", "of everything random");
ABSL_FLAG(bool, plain, false, "one line per event, also on a terminal");
ABSL_FLAG(double, speed, 1, "how fast the story is told");

namespace tests {

absl::StatusOr<DemoOptions> ParseDemoOptions(int argc, char** argv) {
  const absl::StatusOr<base::CommandLine> command_line =
      base::ParseFlags(argc, argv);
  if (!command_line.ok()) return command_line.status();
  const absl::StatusOr<uint64_t> seed =
      base::ParseSeed(absl::GetFlag(FLAGS_seed));
  if (!seed.ok()) return seed.status();
  const DemoOptions options = {.seed = *seed,
                               .plain = absl::GetFlag(FLAGS_plain),
                               .speed = absl::GetFlag(FLAGS_speed),
                               .help = command_line->help};
  // Written so that "not a number" is refused as well.
  if (!(options.speed >= 0.1 && options.speed <= 100)) {
    return base::FlagError("bad speed: give a number from 0.1 to 100");
  }
  return options;
}

std::string DemoHelp() {
  return R"(Shows Raft at work, for about 20 seconds: five servers elect a
leader, commit commands, lose their leader, take it back, and survive a crash.

  --seed=N    the seed of everything random; default: a new one each time
  --speed=X   tells the story X times as fast (0.1 to 100); Raft's own delays
              stay what they are
  --plain     one line per event, as when the output is not a terminal
  --help      print this and end

GLOG_v=1..3 in the environment adds the debug log, on standard error. With
NO_COLOR set there are no colours. The exit status is 0 if all that the demo
claims was seen to hold, 1 if not, 2 for a wrong option, 130 if interrupted.
)";
}

}  // namespace tests

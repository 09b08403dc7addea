#include "examples/demo/demo_options.h"

#include <random>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

ABSL_FLAG(std::string, seed, "", "of everything random");
ABSL_FLAG(bool, plain, false, "one line per event, also on a terminal");
ABSL_FLAG(double, speed, 1, "how fast the story is told");

namespace tests {
namespace {

absl::Status Wrong(const std::string& what) {
  return absl::InvalidArgumentError(what + "; --help shows the options");
}

// Not absl::ParseCommandLine: it ends the program itself, with another status
// than ours and without a word on stray arguments.
absl::Status SetFlag(const std::string& argument) {
  const size_t begin = argument.find_first_not_of('-');
  if (begin != 1 && begin != 2) {
    return Wrong(absl::StrCat("unexpected argument \"", argument, "\""));
  }
  const size_t equals = argument.find('=');
  const bool has_value = equals != std::string::npos;
  const std::string name = argument.substr(begin, equals - begin);
  absl::CommandLineFlag* const flag = absl::FindCommandLineFlag(name);
  // Abseil's own flags are found too; they do nothing here.
  if (flag == nullptr || !absl::EndsWith(flag->Filename(), "demo_options.cc")) {
    return Wrong("unknown option " + argument);
  }
  if (!has_value && !flag->IsOfType<bool>()) {
    return Wrong(absl::StrCat("option ", argument, " needs a value, as in --",
                              name, "=..."));
  }
  const std::string value = has_value ? argument.substr(equals + 1) : "true";
  std::string error;
  if (flag->ParseFrom(value, &error)) return absl::OkStatus();
  return Wrong(absl::StrCat("option ", argument, " has a bad value"));
}

absl::Status ReadSeed(uint64_t* seed) {
  const std::string text = absl::GetFlag(FLAGS_seed);
  if (text.empty()) {
    // 32 bits: easier to type again, and enough runs to choose from.
    *seed = std::random_device{}();
    return absl::OkStatus();
  }
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && absl::SimpleAtoi(text, seed)) return absl::OkStatus();
  return Wrong(absl::StrCat("bad seed \"", text,
                            "\": give a whole number from 0 to 2^64-1"));
}

}  // namespace

absl::StatusOr<DemoOptions> ParseDemoOptions(int argc, char** argv) {
  DemoOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help" || argument == "-help" || argument == "-h") {
      options.help = true;
      continue;
    }
    absl::Status set = SetFlag(argument);
    if (!set.ok()) return set;
  }
  absl::Status read = ReadSeed(&options.seed);
  if (!read.ok()) return read;
  options.plain = absl::GetFlag(FLAGS_plain);
  options.speed = absl::GetFlag(FLAGS_speed);
  // Written so that "not a number" is refused as well.
  if (!(options.speed >= 0.1 && options.speed <= 100)) {
    return Wrong("bad speed: give a number from 0.1 to 100");
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

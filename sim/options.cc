#include "sim/options.h"

#include <stdlib.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "sim/random.h"

namespace sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A generator of its own, so that the knobs do not depend on the schedule's.
class KnobDraw {
 public:
  explicit KnobDraw(uint64_t seed) : state_(seed ^ 0x6b6e6f6273) {}

  template <typename T, size_t kSize>
  T OneOf(const T (&values)[kSize]) {
    return values[NextRandom(&state_) % kSize];
  }

 private:
  uint64_t state_;
};

// Reads the variables one after another; the first bad one is the error.
class Reader {
 public:
  explicit Reader(std::string* error) : error_(error) {}

  // Null if it is not set.
  static const char* Get(const char* name) { return getenv(name); }

  void ReadProbability(const char* name, const std::string& text,
                       double* value) {
    double parsed = 0;
    if (absl::SimpleAtod(text, &parsed) && parsed >= 0 && parsed <= 1) {
      *value = parsed;
    } else {
      Refuse(name, text, "a probability from 0 to 1");
    }
  }

  void ReadDuration(const char* name, const std::string& text,
                    std::chrono::nanoseconds* value) {
    absl::Duration parsed;
    if (absl::ParseDuration(text, &parsed) && parsed >= absl::ZeroDuration()) {
      *value = absl::ToChronoNanoseconds(parsed);
    } else {
      Refuse(name, text, "a duration, such as 200us or 5ms");
    }
  }

  void Refuse(const char* name, const std::string& text, const char* wanted) {
    if (!error_->empty()) return;
    *error_ =
        absl::StrCat("sim: ", name, "=\"", text, "\" is wrong: give ", wanted);
  }

 private:
  std::string* const error_;
};

uint64_t ReadSeed(Reader* reader) {
  const std::string text = Reader::Get("SIM_SEED");
  uint64_t seed = 0;
  if (text.empty() ||
      text.find_first_not_of("0123456789") != std::string::npos ||
      !absl::SimpleAtoi(text, &seed)) {
    reader->Refuse("SIM_SEED", text, "a whole number from 0 to 2^64-1");
  }
  return seed;
}

Profile ReadProfile(Reader* reader) {
  const char* const text = Reader::Get("SIM_PROFILE");
  if (text == nullptr || std::string(text) == "harsh") return Profile::kHarsh;
  if (std::string(text) != "fair") {
    reader->Refuse("SIM_PROFILE", text, "fair or harsh");
  }
  return Profile::kFair;
}

void ReadEngine(Reader* reader, Engine* engine) {
  const char* const text = Reader::Get("SIM_ENGINE");
  if (text == nullptr) return;
  for (const Engine known : {Engine::kNative, Engine::kFiber}) {
    if (std::string(text) != EngineName(known)) continue;
    *engine = known;
    return;
  }
  reader->Refuse("SIM_ENGINE", text, "fiber or native");
}

void ReadKnobs(Reader* reader, Options* options) {
  if (const char* const text = Reader::Get("SIM_PREEMPT")) {
    reader->ReadProbability("SIM_PREEMPT", text, &options->preempt);
  }
  if (const char* const text = Reader::Get("SIM_STALL")) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(text, absl::MaxSplits(':', 1));
    reader->ReadProbability("SIM_STALL", parts.first, &options->stall);
    if (!parts.second.empty()) {
      reader->ReadDuration("SIM_STALL", parts.second, &options->longest_stall);
    }
  }
  if (const char* const text = Reader::Get("SIM_SLACK")) {
    reader->ReadDuration("SIM_SLACK", text, &options->slack);
  }
  if (const char* const text = Reader::Get("SIM_LIMIT")) {
    reader->ReadDuration("SIM_LIMIT", text, &options->time_limit);
  }
}

}  // namespace

Options Swarm(uint64_t seed, Profile profile) {
  KnobDraw draw(seed);
  Options options;
  options.seed = seed;
  // Those that find most, more often: measured with the bugs in sim/test/.
  options.preempt = draw.OneOf({0.02, 0.1, 0.5, 1.0, 1.0, 1.0});
  options.stall = draw.OneOf({0.0, 0.0005, 0.005, 0.05});
  if (profile == Profile::kFair) {
    options.slack =
        draw.OneOf({microseconds(0), microseconds(200), microseconds(1000)});
    options.longest_stall = milliseconds(3);
    options.stall_pause = milliseconds(100);
  } else {
    options.longest_stall =
        draw.OneOf({milliseconds(5), milliseconds(5), milliseconds(50)});
    options.slack =
        draw.OneOf({microseconds(0), microseconds(200), microseconds(1000),
                    microseconds(1000), microseconds(5000)});
  }
  return options;
}

Engine UsableEngine(Engine wanted, bool has_fsgsbase, bool has_tsan) {
  return has_tsan || !has_fsgsbase ? Engine::kNative : wanted;
}

std::optional<Options> OptionsFromEnvironment(std::string* error) {
  if (Reader::Get("SIM_SEED") == nullptr) return std::nullopt;
  Reader reader(error);
  const uint64_t seed = ReadSeed(&reader);
  Options options = Swarm(seed, ReadProfile(&reader));
  ReadEngine(&reader, &options.engine);
  ReadKnobs(&reader, &options);
  if (!error->empty()) return std::nullopt;
  return options;
}

const char* EngineName(Engine engine) {
  switch (engine) {
    case Engine::kNative:
      return "native";
    case Engine::kFiber:
      return "fiber";
  }
  return "?";
}

std::string DescribeOptions(const Options& options) {
  return absl::StrFormat(
      "engine=%s preempt=%g stall=%g slack_us=%d", EngineName(options.engine),
      options.preempt, options.stall,
      std::chrono::duration_cast<microseconds>(options.slack).count());
}

}  // namespace sim

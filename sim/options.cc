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

bool ParseSeed(const std::string& text, uint64_t* seed) {
  return text.find_first_not_of("0123456789") == std::string::npos &&
         absl::SimpleAtoi(text, seed);
}

bool ParseProfile(const std::string& text, Profile* profile) {
  if (text == "fair") *profile = Profile::kFair;
  return text == "fair" || text == "harsh";
}

bool ParseEngine(const std::string& text, Engine* engine) {
  if (text == "native") *engine = Engine::kNative;
  return text == "native" || text == "fiber";
}

bool ParseProbability(const std::string& text, double* probability) {
  return absl::SimpleAtod(text, probability) && *probability >= 0 &&
         *probability <= 1;
}

bool ParseDuration(const std::string& text, std::chrono::nanoseconds* length) {
  absl::Duration parsed;
  if (!absl::ParseDuration(text, &parsed)) return false;
  *length = absl::ToChronoNanoseconds(parsed);
  return parsed >= absl::ZeroDuration();
}

bool ParseStall(const std::string& text, Options* options) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  return ParseProbability(parts.first, &options->stall) &&
         (parts.second.empty() ||
          ParseDuration(parts.second, &options->longest_stall));
}

// Gives `value` what the variable says, if it is set. The first variable with a
// bad value is the error: it should be what is `wanted`.
template <typename T>
void Read(const char* name, bool (*parse)(const std::string&, T*), T* value,
          const char* wanted, std::string* error) {
  const char* const text = getenv(name);
  if (text == nullptr || parse(text, value) || !error->empty()) return;
  *error =
      absl::StrCat("sim: ", name, "=\"", text, "\" is wrong: give ", wanted);
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
  if (getenv("SIM_SEED") == nullptr) return std::nullopt;
  constexpr char kProbability[] = "a probability from 0 to 1";
  constexpr char kDuration[] = "a duration, such as 200us or 5ms";
  uint64_t seed = 0;
  Read("SIM_SEED", ParseSeed, &seed, "a whole number from 0 to 2^64-1", error);
  Profile profile = Profile::kHarsh;
  Read("SIM_PROFILE", ParseProfile, &profile, "fair or harsh", error);
  Options options = Swarm(seed, profile);
  Read("SIM_ENGINE", ParseEngine, &options.engine, "fiber or native", error);
  Read("SIM_PREEMPT", ParseProbability, &options.preempt, kProbability, error);
  Read("SIM_STALL", ParseStall, &options,
       "a probability and a duration, such as 0.005:5ms", error);
  Read("SIM_SLACK", ParseDuration, &options.slack, kDuration, error);
  Read("SIM_LIMIT", ParseDuration, &options.time_limit, kDuration, error);
  if (!error->empty()) return std::nullopt;
  return options;
}

const char* EngineName(Engine engine) {
  return engine == Engine::kNative ? "native" : "fiber";
}

std::string DescribeOptions(const Options& options) {
  return absl::StrFormat(
      "engine=%s preempt=%g stall=%g slack_us=%d", EngineName(options.engine),
      options.preempt, options.stall,
      std::chrono::duration_cast<microseconds>(options.slack).count());
}

}  // namespace sim

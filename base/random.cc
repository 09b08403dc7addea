#include "base/random.h"

#include <map>
#include <optional>

#include "base/logging.h"
#include "base/mutex.h"

namespace base {
namespace {

struct RunState {
  Mutex mu;
  std::optional<uint64_t> seed ABSL_GUARDED_BY(mu);
  std::map<std::string, uint64_t, std::less<>> streams ABSL_GUARDED_BY(mu);
};

uint64_t Entropy() {
  std::random_device entropy;
  return (uint64_t{entropy()} << 32) | entropy();
}

// Never destroyed: threads may still draw while static objects go away.
RunState& Run() {
  static RunState& run = *new RunState;
  return run;
}

uint64_t SeedLocked(RunState& run) REQUIRES(run.mu) {
  if (!run.seed.has_value()) {
    run.seed = Entropy();
  }
  return *run.seed;
}

// FNV-1a: the same on every machine, unlike std::hash.
uint64_t HashName(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace

void SetRunSeed(uint64_t seed) {
  RunState& run = Run();
  MutexLock lock(&run.mu);
  run.seed = seed;
  run.streams.clear();
}

uint64_t RunSeed() {
  RunState& run = Run();
  MutexLock lock(&run.mu);
  return SeedLocked(run);
}

Random Random::FromEntropy() { return Random(Entropy()); }

Random Random::ForOwner(std::string_view owner) {
  RunState& run = Run();
  MutexLock lock(&run.mu);
  auto stream = run.streams.find(owner);
  if (stream == run.streams.end()) {
    stream = run.streams.emplace(owner, 0).first;
  }
  const uint64_t life = ++stream->second;
  const uint64_t seed = SeedLocked(run);
  const uint64_t name = HashName(owner);
  // seed_seq mixes all the words, so that neighboring seeds and numbers give
  // unrelated streams.
  std::seed_seq mixed{seed, seed >> 32, name, name >> 32, life};
  Random random(0);
  random.engine_.seed(mixed);
  return random;
}

uint64_t Random::Below(uint64_t bound) {
  CHECK_GT(bound, 0u);
  return std::uniform_int_distribution<uint64_t>(0, bound - 1)(engine_);
}

int64_t Random::Between(int64_t low, int64_t high) {
  CHECK_LE(low, high);
  return std::uniform_int_distribution<int64_t>(low, high)(engine_);
}

std::string Random::Name(int length) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string name;
  for (int i = 0; i < length; ++i) name += kAlphabet[Below(kAlphabet.size())];
  return name;
}

}  // namespace base

// How this program was built: plain, or with which sanitizer.
//
// Thread safety: constants.

#ifndef TESTS_RUNNER_BUILD_KIND_H_
#define TESTS_RUNNER_BUILD_KIND_H_

namespace runner {

enum class BuildKind { kPlain, kRace, kAsan };

// g++ 12 tells by these macros, clang by __has_feature. Where g++ has none,
// libraries define one that is always 0: it must not be asked first.
#if defined(__SANITIZE_THREAD__)
inline constexpr BuildKind kBuildKind = BuildKind::kRace;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr BuildKind kBuildKind = BuildKind::kAsan;
#elif !defined(__has_feature)
inline constexpr BuildKind kBuildKind = BuildKind::kPlain;
#elif __has_feature(thread_sanitizer)
inline constexpr BuildKind kBuildKind = BuildKind::kRace;
#elif __has_feature(address_sanitizer)
inline constexpr BuildKind kBuildKind = BuildKind::kAsan;
#else
inline constexpr BuildKind kBuildKind = BuildKind::kPlain;
#endif

// The kind as part of a file's name.
constexpr const char* KindName(BuildKind kind) {
  if (kind == BuildKind::kRace) return "race";
  return kind == BuildKind::kAsan ? "asan" : "plain";
}

// The make target that builds and runs this kind.
constexpr const char* MakeTarget(BuildKind kind) {
  return kind == BuildKind::kPlain ? "test" : KindName(kind);
}

}  // namespace runner

#endif  // TESTS_RUNNER_BUILD_KIND_H_

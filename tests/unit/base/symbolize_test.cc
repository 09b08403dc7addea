// Unit tests of base/symbolize.h.

#include "base/symbolize.h"

#include <dlfcn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace tests {

using base::Symbolizer;

// Where it is called, to within the calling instruction.
[[gnu::noinline]] uintptr_t CallSite() {
  return reinterpret_cast<uintptr_t>(__builtin_return_address(0)) - 1;
}

// Outside of the unnamed namespace and never inlined: it is looked for by name.
// Volatile, or the call would be a jump.
constexpr int kPlainLine = __LINE__ + 2;
[[gnu::noinline]] uintptr_t PlainFunction() {
  volatile const uintptr_t pc = CallSite();
  return pc;
}

// One line with two blocks, which the debug information tells apart.
constexpr int kBranchLine = __LINE__ + 3;
[[gnu::noinline]] uintptr_t BranchFunction(bool taken) {
  volatile uintptr_t pc = 0;
  if (taken) pc = CallSite();
  return pc;
}

constexpr int kInnerLine = __LINE__ + 2;
[[gnu::always_inline]] inline uintptr_t InnerFunction() {
  volatile const uintptr_t pc = CallSite();
  return pc;
}

constexpr int kOuterLine = __LINE__ + 2;
[[gnu::noinline]] uintptr_t OuterFunction() {
  volatile const uintptr_t pc = InnerFunction();
  return pc;
}

// Code of headers of the C++ library, within this program.
uintptr_t LibraryCode() {
  const int& (*const function)(const int&, const int&) = &std::max<int>;
  return reinterpret_cast<uintptr_t>(function);
}
uintptr_t LibraryCodeOutsideOfBits() {
  int (*const function)(int, int) = &std::gcd<int, int>;
  return reinterpret_cast<uintptr_t>(function);
}

namespace {

std::string TextOf(const base::Stack& stack) {
  return Symbolizer({stack}).Text(stack);
}

std::string Place(int line) { return absl::StrCat("symbolize_test.cc:", line); }

TEST(Symbolize, NamesFunctionFileAndLine) {
  EXPECT_EQ(TextOf({PlainFunction()}),
            absl::StrCat("  tests::PlainFunction() ", Place(kPlainLine), "\n"));
}

TEST(Symbolize, NamesALineOfSeveralBlocksAlike) {
  EXPECT_EQ(
      TextOf({BranchFunction(true)}),
      absl::StrCat("  tests::BranchFunction() ", Place(kBranchLine), "\n"));
}

TEST(Symbolize, GivesALineForEachFrameInnermostFirst) {
  const uintptr_t inner = PlainFunction();
  const uintptr_t outer = OuterFunction();
  const std::string text = TextOf({inner, outer});
  EXPECT_EQ(text, TextOf({inner}) + TextOf({outer}));
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
}

TEST(Symbolize, ShowsWhereInlinedCodeCameFrom) {
  EXPECT_EQ(TextOf({OuterFunction()}),
            absl::StrCat("  tests::OuterFunction() ", Place(kOuterLine), " > ",
                         Place(kInnerLine), "\n"));
}

TEST(Symbolize, LeavesOutHeadersOfTheLibraryWithinTheProgram) {
  const uintptr_t library = LibraryCode();
  const uintptr_t plain = PlainFunction();
  const std::string library_text = TextOf({library});
  EXPECT_TRUE(absl::StrContains(library_text, " stl_algobase.h:"))
      << library_text;
  EXPECT_EQ(TextOf({library, plain}), TextOf({plain}));

  // With nothing of the program further out it is all there is to tell.
  EXPECT_EQ(TextOf({plain, library}), TextOf({plain}) + library_text);

  const uintptr_t outside = LibraryCodeOutsideOfBits();
  EXPECT_TRUE(absl::StrContains(TextOf({outside}), " numeric:"))
      << TextOf({outside});
  EXPECT_EQ(TextOf({outside, plain}), TextOf({plain}));
  EXPECT_EQ(TextOf({library, outside}), library_text + TextOf({outside}));
}

TEST(Symbolize, FunctionsInLibrariesHaveANameOnly) {
  const auto in_libc = reinterpret_cast<uintptr_t>(dlsym(RTLD_NEXT, "qsort"));
  ASSERT_NE(in_libc, 0U);
  const std::string text = TextOf({in_libc});
  EXPECT_TRUE(absl::StrContains(text, "qsort")) << text;
  EXPECT_TRUE(absl::EndsWith(text, "\n")) << text;
  EXPECT_FALSE(absl::StrContains(text, ":")) << text;

  // A place is all the more worth telling then.
  const uintptr_t library = LibraryCode();
  EXPECT_EQ(TextOf({library, in_libc}), TextOf({library}) + text);
}

TEST(Symbolize, GarbageHasATextToo) {
  EXPECT_EQ(TextOf({0, 1, ~uintptr_t{0}}),
            "  (unknown function)\n  (unknown function)\n"
            "  (unknown function)\n");
  EXPECT_EQ(TextOf({}), "");
}

TEST(Symbolize, LooksUpManyStacksAtOnce) {
  const base::Stack one = {PlainFunction(), OuterFunction()};
  const base::Stack other = {OuterFunction()};
  const Symbolizer symbolizer({one, {}, other, one, {1}});
  EXPECT_EQ(symbolizer.Text(one), TextOf(one));
  EXPECT_EQ(symbolizer.Text(other), TextOf(other));
}

TEST(Symbolize, LeavesNoProcess) {
  TextOf({PlainFunction()});
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST(Symbolize, AFrameThatWasNotLookedUpHasANameOnly) {
  const Symbolizer nothing({});
  EXPECT_EQ(nothing.Text({PlainFunction()}), "  tests::PlainFunction()\n");
}

}  // namespace
}  // namespace tests

// Unit tests of base/rope.h: it behaves like a std::string, copies are
// independent, and appending copies nothing that is there already.

#include "base/rope.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace base {
namespace {

// Larger than a chunk, and no two places look alike.
std::string Pattern(size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += std::to_string(bytes.size()) + ",";
  return bytes.substr(0, size);
}

TEST(Rope, IsEmptyAtFirst) {
  const Rope rope;
  EXPECT_TRUE(rope.empty());
  EXPECT_EQ(rope.size(), 0u);
  EXPECT_EQ(rope.ToString(), "");
  EXPECT_EQ(rope, Rope(""));
}

TEST(Rope, KeepsEveryByte) {
  const std::string bytes("a\0b\xff\n", 5);
  EXPECT_EQ(Rope(bytes).ToString(), bytes);
}

TEST(Rope, AppendAndPrepend) {
  Rope rope("middle");
  rope.Append("-end");
  rope.Prepend("start-");
  rope.Prepend(">");
  EXPECT_EQ(rope.ToString(), ">start-middle-end");
  EXPECT_EQ(rope.size(), 17u);
}

TEST(Rope, BackIsWhatWasAppendedLast) {
  Rope rope("first");
  EXPECT_EQ(rope.Back(0), "");
  for (const size_t size : {3, 300, 100'000}) {
    const std::string bytes(size, 'x');
    rope.Append("ab", bytes);
    EXPECT_EQ(rope.Back(size + 2), "ab" + bytes);
  }
}

TEST(Rope, SharedPrefixIsWhatLiesInTheSameMemory) {
  Rope rope(std::string(1000, 'a'));
  rope.Append(std::string(1000, 'b'));
  Rope other = rope;
  EXPECT_EQ(SharedPrefix(rope, other), 2000u);
  other.Truncate(1500);
  EXPECT_EQ(SharedPrefix(rope, other), 1500u);
  other.Append("c");
  EXPECT_EQ(SharedPrefix(rope, other), 1500u);
  EXPECT_EQ(SharedPrefix(rope, Rope(rope.ToString())), 0u);
  // What comes after a difference is not shared in front.
  constexpr size_t kPart = Rope::kShareFrom;
  Rope two(std::string(kPart, 'a'));
  two.Append(std::string(kPart, 'b'));
  Rope shorter = two.Slice(0, kPart / 2);
  shorter.Concat(two.Slice(kPart, kPart));
  EXPECT_EQ(SharedPrefix(two, shorter), kPart / 2);
  EXPECT_EQ(SharedPrefix(shorter, two), kPart / 2);
}

TEST(Rope, AppendsTwoPartsAsOne) {
  Rope rope;
  rope.Append("head", "body");
  rope.Append("", "tail");
  rope.Append("end", "");
  rope.Append("", "");
  EXPECT_EQ(rope.ToString(), "headbodytailend");
}

TEST(Rope, FrontOfAnyLengthStaysWithItsRope) {
  const std::string long_front(1000, 'f');
  Rope rope("body");
  Rope shorter = rope;
  rope.Prepend(long_front);
  shorter.Prepend("f");
  std::swap(rope, shorter);
  EXPECT_EQ(rope.ToString(), "fbody");
  EXPECT_EQ(shorter.ToString(), long_front + "body");
  swap(rope, shorter);
  EXPECT_EQ(rope.ToString(), long_front + "body");
  rope.RemovePrefix(999);
  EXPECT_EQ(rope.ToString(), "fbody");
  rope.Truncate(1);
  EXPECT_EQ(rope.ToString(), "f");
}

// As much as has room in front, one byte less and one more; all at once and in
// two parts.
TEST(Rope, PrependsUpToItsRoomAndBeyond) {
  for (const size_t size : {Rope::kMaxFront - 1, Rope::kMaxFront,
                            Rope::kMaxFront + 1, Rope::kMaxFront + 40}) {
    const std::string front = Pattern(size);
    Rope once("body");
    once.Prepend(front);
    once.Prepend("");
    EXPECT_EQ(once.ToString(), front + "body");
    Rope twice("body");
    twice.Prepend(front.substr(size / 2));
    twice.Prepend(front.substr(0, size / 2));
    EXPECT_EQ(twice.ToString(), front + "body");
    EXPECT_EQ(twice.size(), size + 4);
  }
}

// Cuts at, before and after each end of a chunk.
TEST(Rope, CutsAtTheEndsOfChunks) {
  const std::string text = Pattern(2000);  // chunks of 256, 512, 1024 and more
  Rope whole;
  for (size_t at = 0; at < text.size(); at += 8)
    whole.Append(text.substr(at, 8));
  for (const size_t end : {size_t{256}, size_t{768}, size_t{1792}}) {
    for (const size_t at : {end - 1, end, end + 1}) {
      Rope head = whole;
      head.Truncate(at);
      EXPECT_EQ(head.ToString(), text.substr(0, at));
      head.Append("+");
      EXPECT_EQ(head.ToString(), text.substr(0, at) + "+");
      Rope rest = whole;
      rest.RemovePrefix(at);
      EXPECT_EQ(rest.ToString(), text.substr(at));
      rest.Truncate(1);
      rest.Append("+");
      EXPECT_EQ(rest.ToString(), text.substr(at, 1) + "+");
      std::string out;
      whole.CopyTo(at, 3, &out);
      EXPECT_EQ(out, text.substr(at, 3));
    }
  }
  Rope none = whole;
  none.RemovePrefix(text.size());
  EXPECT_TRUE(none.empty());
  none.Append("+");
  EXPECT_EQ(none.ToString(), "+");
  EXPECT_EQ(whole.ToString(), text);
}

TEST(Rope, ComparesByContentNotByChunks) {
  Rope pieces;
  for (const char* piece : {"a", "b", "c"}) pieces.Append(piece);
  EXPECT_EQ(pieces, Rope("abc"));
  EXPECT_FALSE(pieces == Rope("abd"));
  EXPECT_FALSE(pieces == Rope("ab"));
}

TEST(Rope, AppendedToACopyShowsInNeither) {
  Rope one("common ");
  Rope other = one;
  one.Append("one");
  other.Append("other");
  EXPECT_EQ(one.ToString(), "common one");
  EXPECT_EQ(other.ToString(), "common other");
}

TEST(Rope, TruncatedBytesStayInTheCopy) {
  Rope rope("0123456789");
  const Rope before = rope;
  rope.Truncate(4);
  rope.Append("abc");
  EXPECT_EQ(rope.ToString(), "0123abc");
  EXPECT_EQ(before.ToString(), "0123456789");
}

TEST(Rope, RemovedPrefixStaysInTheCopy) {
  Rope rope(Pattern(200'000));
  rope.Prepend("header");
  const Rope before = rope;
  rope.RemovePrefix(100'006);
  EXPECT_EQ(rope.ToString(), Pattern(200'000).substr(100'000));
  EXPECT_EQ(before.ToString(), "header" + Pattern(200'000));
}

TEST(Rope, AssignedToItselfKeepsItsValue) {
  Rope rope(Pattern(1000));
  const Rope& same = rope;
  rope = same;
  EXPECT_EQ(rope.ToString(), Pattern(1000));
}

TEST(Rope, MovedFromIsEmptyAndUsable) {
  Rope from(Pattern(1000));
  from.RemovePrefix(10);
  const Rope to = std::move(from);
  EXPECT_EQ(to.ToString(), Pattern(1000).substr(10));
  // That a moved-from rope may be read on is what is tested here.
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
  from.Append("again");
  EXPECT_EQ(from.ToString(), "again");
}

TEST(Rope, CopyToAndSliceTakeAnyPart) {
  Rope rope;
  for (int i = 0; i < 3000; ++i) rope.Append(std::to_string(i) + ";");
  rope.Prepend("front");
  const std::string whole = rope.ToString();
  for (size_t offset = 2; offset <= whole.size(); offset += 777) {
    for (const size_t count :
         {size_t{0}, size_t{1}, size_t{300}, whole.size()}) {
      std::string out = "kept ";
      const size_t part = std::min(count, whole.size() - offset);
      rope.CopyTo(offset, part, &out);
      EXPECT_EQ(out, "kept " + whole.substr(offset, part));
      const Rope slice = rope.Slice(offset, part);
      EXPECT_EQ(slice.size(), part);
      EXPECT_EQ(slice.ToString(), whole.substr(offset, part));
      if (offset < 5 || part == 0) continue;  // the front is copied
      EXPECT_EQ(slice.PieceAt(0).data(), rope.PieceAt(offset).data());
    }
  }
}

TEST(Rope, ASliceEndsWhereAPieceDoes) {
  const std::string large = Pattern(Rope::kShareFrom);
  Rope rope(std::string(256, 'a'));  // fills a chunk
  rope.Append("b");
  rope.Append(large);
  EXPECT_EQ(rope.Slice(0, 256).ToString(), std::string(256, 'a'));
  std::string pieces;
  rope.Slice(0, 256).ForEachPiece(
      [&](std::string_view piece) { pieces += piece; });
  EXPECT_EQ(pieces, std::string(256, 'a'));
  EXPECT_EQ(rope.Slice(255, 2).ToString(), "ab");
  EXPECT_EQ(rope.Slice(256, 1).ToString(), "b");
  EXPECT_EQ(rope.Slice(256, 1 + large.size()).ToString(), "b" + large);
}

TEST(Rope, ASliceOutlivesItsRopeAndGrowsAlone) {
  Rope rope("0123456789");
  Rope slice = rope.Slice(2, 8);
  Rope middle = rope.Slice(2, 3);
  slice.Append("+");
  middle.Append("-");
  rope.Append("!");
  EXPECT_EQ(rope.ToString(), "0123456789!");
  rope = Rope();
  EXPECT_EQ(slice.ToString(), "23456789+");
  EXPECT_EQ(middle.ToString(), "234-");
  EXPECT_EQ(middle.Slice(1, 3).Slice(1, 2).ToString(), "4-");
}

TEST(Rope, APieceEndsWhereItsMemoryDoes) {
  Rope rope(std::string(256, 'a'));  // fills a chunk
  rope.Append("bcd");
  rope.Prepend("0");
  EXPECT_EQ(rope.PieceAt(0), "0");
  EXPECT_EQ(rope.PieceAt(1), std::string(256, 'a'));
  EXPECT_EQ(rope.PieceAt(256), "a");
  EXPECT_EQ(rope.PieceAt(257), "bcd");
  EXPECT_EQ(rope.PieceAt(260), "");
  EXPECT_EQ(Rope().PieceAt(0), "");
}

// From how many bytes on, and only if they lie in one piece.
TEST(Rope, ConcatOfItself) {
  for (const size_t size : {200, 40'000}) {
    Rope rope(std::string(size, 'a'));
    rope.Append("b");
    const std::string once = rope.ToString();
    rope.Concat(rope);
    EXPECT_EQ(rope.ToString(), once + once);
  }
}

TEST(Rope, ConcatSharesWhatIsLarge) {
  for (const size_t size : {Rope::kShareFrom - 1, Rope::kShareFrom}) {
    const Rope other(Pattern(size));
    Rope rope("first");
    rope.Concat(other);
    EXPECT_EQ(rope.ToString(), "first" + Pattern(size));
    EXPECT_EQ(rope.Back(size), Pattern(size));
    EXPECT_EQ(rope.Back(size).data() == other.PieceAt(0).data(),
              size == Rope::kShareFrom);
  }
  Rope two(Pattern(256));
  two.Append(Pattern(Rope::kShareFrom));
  Rope rope;
  rope.Concat(two);
  rope.Concat(Rope());
  EXPECT_EQ(rope.Back(two.size()), two.ToString());
}

// Between shared bytes it goes on in its own chunk, and what was one piece in
// the other rope becomes one here.
TEST(Rope, ConcatKeepsPiecesFew) {
  constexpr size_t kPart = Rope::kShareFrom;
  const std::string text = Pattern(4 * kPart);
  const Rope other(text);
  Rope rope;
  rope.Append("a");
  rope.Concat(other.Slice(0, kPart));
  rope.Concat(other.Slice(kPart, kPart));
  rope.Append("b");
  EXPECT_EQ(rope.PieceAt(1), text.substr(0, 2 * kPart));
  EXPECT_EQ(rope.PieceAt(1 + 2 * kPart).data(), rope.PieceAt(0).data() + 1);
  rope.Concat(other.Slice(kPart, kPart));
  rope.Concat(other.Slice(3 * kPart, kPart));  // does not follow
  rope.Append("c");
  EXPECT_EQ(rope.ToString(), "a" + text.substr(0, 2 * kPart) + "b" +
                                 text.substr(kPart, kPart) +
                                 text.substr(3 * kPart) + "c");
  rope.Truncate(2 + 2 * kPart + 10);
  rope.Append("d");
  EXPECT_EQ(rope.ToString(), "a" + text.substr(0, 2 * kPart) + "b" +
                                 text.substr(kPart, 10) + "d");
  EXPECT_EQ(rope.Back(1).data(), rope.PieceAt(0).data() + 3);
  EXPECT_EQ(other.ToString(), text);
}

// Small ropes stay small, whatever they were before.
TEST(Rope, AChunkIsNoLargerThanWhatIsThere) {
  Rope rope(Pattern(1 << 20));
  rope.Append("x");
  rope.RemovePrefix(1 << 20);
  EXPECT_EQ(rope.ToString(), "x");
  const char* const large = rope.Back(1).data();
  Rope copy = rope;
  rope.Append("y");
  copy.Append("z");  // a chunk of its own
  copy.Append(Pattern(250));
  EXPECT_EQ(rope.Back(1).data(), large + 1);
  EXPECT_EQ(copy.Back(251).front(), 'z');
  copy.Append(Pattern(10));
  EXPECT_NE(copy.Back(10).data(), copy.PieceAt(1).data() + 251);
}

// As the kernel gives it at once, if it can.
TEST(Rope, ALargeRopeGrowsByWholeHugePages) {
  constexpr size_t kLarge = 32 << 20;
  constexpr size_t kChunk = 8 << 20;
  constexpr size_t kHugePage = 2 << 20;
  const std::string part(1 << 10, 'y');
  Rope rope(std::string(kLarge, 'x'));
  for (size_t size = 0; size < 2 * kChunk; size += part.size()) {
    rope.Append(part);
  }
  for (const size_t offset : {kLarge, kLarge + kChunk}) {
    const std::string_view chunk = rope.PieceAt(offset);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(chunk.data()) % kHugePage, 0u);
    EXPECT_EQ(chunk, std::string(kChunk, 'y'));
  }
}

// The chunk that grows goes on growing after it.
TEST(Rope, LargePartsHaveChunksOfTheirOwn) {
  const std::string large = Pattern(Rope::kShareFrom);
  Rope rope("a");
  for (int i = 0; i < 3; ++i) {
    rope.Append(large);
    rope.Append("b");
  }
  EXPECT_EQ(rope.ToString(), "a" + large + "b" + large + "b" + large + "b");
  EXPECT_EQ(rope.PieceAt(1), large);
  EXPECT_EQ(rope.Back(1).data(), rope.PieceAt(0).data() + 3);
}

// Random operations on several ropes that copy from each other, each beside a
// std::string that undergoes the same.
class RopeModel {
 public:
  explicit RopeModel(uint64_t seed) : random_(seed) {}

  void Step() {
    const size_t i = random_.Below(kRopes);
    Rope& rope = ropes_[i];
    std::string& text = texts_[i];
    switch (random_.Below(7)) {
      case 0: {
        const size_t from = random_.Below(kRopes);
        rope = ropes_[from];
        text = texts_[from];
        break;
      }
      case 1:
        Cut(&rope, &text);
        break;
      case 2: {
        const std::string front = random_.Name(3);
        rope.Prepend(front);
        text.insert(0, front);
        break;
      }
      case 3: {
        const size_t from = random_.Below(kRopes);
        const size_t offset = random_.Below(texts_[from].size() + 1);
        if (text.size() + texts_[from].size() > kLargestText) break;
        text += texts_[from].substr(offset);
        rope.Concat(ropes_[from].Slice(offset, ropes_[from].size() - offset));
        break;
      }
      default: {
        const std::string more = random_.Name(static_cast<int>(SomeSize()));
        rope.Append(more);
        text += more;
      }
    }
  }

  void Check() const {
    for (size_t i = 0; i < kRopes; ++i) {
      ASSERT_EQ(ropes_[i].size(), texts_[i].size());
      ASSERT_EQ(ropes_[i].ToString(), texts_[i]);
      std::string pieces;
      ropes_[i].ForEachPiece([&](std::string_view piece) {
        EXPECT_FALSE(piece.empty());
        pieces += piece;
      });
      ASSERT_EQ(pieces, texts_[i]);
    }
  }

 private:
  static constexpr size_t kRopes = 4;
  static constexpr size_t kLargestText = 2 * Rope::kShareFrom;

  size_t SomeSize() { return random_.Below(random_.Chance(1, 4) ? 2000 : 20); }

  void Cut(Rope* rope, std::string* text) {
    const size_t count = std::min<size_t>(SomeSize(), text->size());
    if (random_.Chance(1, 2)) {
      rope->Truncate(text->size() - count);
      text->resize(text->size() - count);
    } else {
      rope->RemovePrefix(count);
      text->erase(0, count);
    }
  }

  Random random_;
  Rope ropes_[kRopes];
  std::string texts_[kRopes];
};

TEST(Rope, BehavesLikeAString) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RopeModel model(seed);
    for (int i = 0; i < 500 && !testing::Test::HasFatalFailure(); ++i) {
      model.Step();
      model.Check();
    }
  }
}

// As a server saves: append one entry, hand out a copy, a million times. If a
// save copied the whole value this would take some 10^13 bytes.
TEST(Rope, AppendingCostsWhatIsAdded) {
  Rope rope;
  Rope saved;
  for (int i = 0; i < 1'000'000; ++i) {
    rope.Append("one entry of the log");
    saved = rope;
  }
  EXPECT_EQ(saved.size(), 20'000'000u);
}

TEST(Rope, CopiesGoToDifferentThreads) {
  Rope rope(Pattern(100));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([copy = rope, i]() mutable {
      for (int j = 0; j < 200; ++j) copy.Append(std::to_string(i));
      EXPECT_EQ(copy.ToString(),
                Pattern(100) + std::string(200, static_cast<char>('0' + i)));
    });
  }
  for (int j = 0; j < 200; ++j) rope.Append("x");
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(rope.ToString(), Pattern(100) + std::string(200, 'x'));
}

TEST(RopeDeathTest, RefusesWhatLiesOutside) {
  Rope rope("abc");
  std::string out;
  EXPECT_DEATH(rope.Truncate(4), "Check failed");
  EXPECT_DEATH(rope.RemovePrefix(4), "Check failed");
  EXPECT_DEATH(rope.CopyTo(2, 2, &out), "Check failed");
  EXPECT_DEATH(rope.CopyTo(4, 0, &out), "Check failed");
  EXPECT_DEATH(rope.Slice(2, 2), "Check failed");
  EXPECT_DEATH(rope.Slice(4, 0), "Check failed");
  EXPECT_DEATH(rope.PieceAt(4), "Check failed");
  EXPECT_DEATH(rope.Back(4), "Check failed");
}

}  // namespace
}  // namespace base

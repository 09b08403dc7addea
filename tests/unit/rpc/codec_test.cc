// Unit tests of rpc/codec.h. The first three are the course's own tests of its
// encoder, turned into what guards against the same hazard here.

#include "rpc/codec.h"

#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/variant.hpp>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "base/rope.h"
#include "gtest/gtest.h"

namespace rpc {
namespace {

enum class Color : uint8_t { kRed = 1, kBlue = 2 };

struct Inner {
  int32_t number = 0;
  std::string text;
  auto Fields() { return std::tie(number, text); }
  bool operator==(const Inner&) const = default;
};

struct Outer {
  bool flag = false;
  int64_t number = 0;
  double real = 0;
  Color color = Color::kRed;
  std::string text;
  Inner inner;
  std::vector<Inner> list;
  std::vector<uint64_t> numbers;
  std::map<int32_t, std::string> map;
  auto Fields() {
    return std::tie(flag, number, real, color, text, inner, list, numbers, map);
  }
  bool operator==(const Outer&) const = default;
};

// Counts how many were made. Eight bytes each.
struct Counted {
  Counted() { ++made; }
  static inline int made = 0;
};
void save(ByteWriter& writer, const Counted& /*counted*/) {
  writer(uint64_t{0});
}
void load(ByteReader& reader, Counted& /*counted*/) {
  uint64_t number = 0;
  reader(number);
}

// Every field differs from its default and from the others.
Outer FullOuter() {
  Outer full;
  full.flag = true;
  full.number = -2;
  full.real = 3.5;
  full.color = Color::kBlue;
  full.text = std::string("f\0ur", 4);
  full.inner = {5, "five"};
  full.list = {{6, "six"}, {7, ""}};
  full.numbers = {8, std::numeric_limits<uint64_t>::max()};
  full.map = {{9, "nine"}, {10, "ten"}};
  return full;
}

struct Command {
  std::variant<int64_t, std::string> value;
  std::optional<int32_t> maybe;
  auto Fields() { return std::tie(value, maybe); }
  bool operator==(const Command&) const = default;
};

template <typename T>
T RoundTrip(const T& value) {
  absl::StatusOr<T> decoded = Decode<T>(Encode(value));
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? *decoded : T{};
}

// Course: TestGOB. Plain numbers, a struct with default and other fields, a
// list, a map to pointers and a value of one of several types.
TEST(Codec, RoundTrip) {
  EXPECT_EQ(RoundTrip(int32_t{0}), 0);
  EXPECT_EQ(RoundTrip(int32_t{1}), 1);
  EXPECT_EQ(RoundTrip(Outer{}), Outer{});
  EXPECT_EQ(RoundTrip(FullOuter()), FullOuter());

  std::map<int32_t, std::shared_ptr<Inner>> pointers;
  pointers[3] = std::make_shared<Inner>(Inner{4, "four"});
  pointers[5] = nullptr;
  const auto decoded = RoundTrip(pointers);
  ASSERT_EQ(decoded.size(), 2u);
  EXPECT_EQ(*decoded.at(3), *pointers[3]);
  EXPECT_NE(decoded.at(3), pointers[3]) << "nothing is shared with the source";
  EXPECT_EQ(decoded.at(5), nullptr);
}

// Course: TestCapital, a field that is silently not sent. Fields() must list as
// many as there are, or the struct does not compile; here is the count.
TEST(Codec, CountsFields) {
  using codec_internal::CountFields;
  struct None {};
  static_assert(CountFields<None>() == 0);
  static_assert(CountFields<Inner>() == 2);
  static_assert(CountFields<Outer>() == 9);
  static_assert(CountFields<Command>() == 2);
}

// A request that asks for nothing in particular.
TEST(Codec, AStructMayHaveNoFields) {
  struct Nothing {
    auto Fields() { return std::tie(); }
  };
  EXPECT_EQ(Encode(Nothing()), "");
  EXPECT_TRUE(Decode<Nothing>("").ok());
  EXPECT_FALSE(Decode<Nothing>("x").ok());
}

// Course: TestDefault, decoding into a variable that holds something. Decode
// returns a new value, so there is none: a zero comes through as zero.
TEST(Codec, DecodesZeroesOverNonDefaults) {
  struct Defaults {
    int32_t number = 99;
    std::vector<int32_t> list = {1, 2, 3};
    std::vector<std::string> names = {"one", "two"};
    auto Fields() { return std::tie(number, list, names); }
  };
  Defaults sent;
  sent.number = 0;
  sent.list = {4};
  sent.names = {"four"};
  const Defaults received = RoundTrip(sent);
  EXPECT_EQ(received.number, 0);
  EXPECT_EQ(received.list, std::vector<int32_t>{4});
  EXPECT_EQ(received.names, std::vector<std::string>{"four"});
}

// Commands compare by type and value, as the course's interface values do.
TEST(Codec, KeepsTheTypeOfAVariant) {
  const Command number{int64_t{1}, std::nullopt};
  const Command text{std::string("1"), 7};
  EXPECT_EQ(RoundTrip(number), number);
  EXPECT_EQ(RoundTrip(text), text);
  EXPECT_FALSE(RoundTrip(number).value == RoundTrip(text).value);
}

TEST(Codec, TheBytesShareNothingWithTheValue) {
  Inner value{1, "before"};
  const std::string bytes = Encode(value);
  value.text = "changed";
  EXPECT_EQ(Decode<Inner>(bytes)->text, "before");
}

// The format, byte for byte: what a server saves must stay readable.
TEST(Codec, FormatIsFixed) {
  EXPECT_EQ(Encode(uint32_t{0x01020304}), "\x04\x03\x02\x01");
  EXPECT_EQ(Encode(true), "\x01");
  EXPECT_EQ(Encode(Inner{-1, "ab"}),
            std::string("\xff\xff\xff\xff\2\0\0\0\0\0\0\0ab", 14));
}

TEST(Codec, ARopeIsAsTheStringOfItsBytes) {
  base::Rope rope("middle");
  rope.Append(std::string(100000, 'x'));
  rope.Prepend("front ");
  EXPECT_EQ(Encode(rope), Encode(rope.ToString()));
  EXPECT_EQ(Decode<base::Rope>(Encode(rope))->ToString(), rope.ToString());
  EXPECT_EQ(Encode(base::Rope()), Encode(std::string()));
  EXPECT_FALSE(Decode<base::Rope>(Encode(rope).substr(0, 20)).ok());
}

struct WithRope {
  int32_t number = 0;
  base::Rope rope;
  auto Fields() { return std::tie(number, rope); }
};

struct WithRopeInFront {
  base::Rope rope;
  base::Rope second;
  int32_t number = 0;
  auto Fields() { return std::tie(rope, second, number); }
};

// From how many bytes on.
TEST(Codec, AFrameSharesALargeRopeThatComesLast) {
  for (const size_t size :
       {base::Rope::kShareFrom - 1, base::Rope::kShareFrom}) {
    const bool is_shared = size == base::Rope::kShareFrom;
    const WithRope value{7, base::Rope(std::string(size, 'x'))};
    const Frame frame = EncodeFrame(value);
    EXPECT_EQ(frame.rest.size(), is_shared ? size : 0);
    EXPECT_EQ(frame.size(), Encode(value).size());
    EXPECT_EQ(Frame(frame).ToString(), Encode(value));

    const absl::StatusOr<WithRope> decoded = Decode<WithRope>(frame);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->number, 7);
    EXPECT_EQ(decoded->rope, value.rope);
    EXPECT_EQ(decoded->rope.PieceAt(0).data() == value.rope.PieceAt(0).data(),
              is_shared);
  }
}

TEST(Codec, AFrameIsAsItsBytesWhereverTheRopeStands) {
  const base::Rope large(std::string(base::Rope::kShareFrom, 'x'));
  const WithRopeInFront value{large, large, 7};
  const Frame frame = EncodeFrame(value);
  EXPECT_TRUE(frame.rest.empty());
  const absl::StatusOr<WithRopeInFront> decoded =
      Decode<WithRopeInFront>(frame);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->rope, large);
  EXPECT_EQ(decoded->second, large);
  EXPECT_EQ(decoded->number, 7);
}

// Only the last of two is shared, though they are equally large.
TEST(Codec, AFrameKeepsTheOrderOfItsRopes) {
  using Value = std::tuple<base::Rope, base::Rope>;
  const Value value(std::string(base::Rope::kShareFrom, 'x'),
                    std::string(base::Rope::kShareFrom, 'y'));
  const Frame frame = EncodeFrame(value);
  EXPECT_EQ(frame.rest, std::get<1>(value));
  const auto decoded = Decode<Value>(frame);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(*decoded == value);
}

// What is left includes the rope, which is as large as the texts before it.
TEST(Codec, ALengthMayUseUpWhatIsLeftBeforeARope) {
  using Value = std::tuple<std::vector<std::string>, base::Rope>;
  const std::vector<std::string> texts(base::Rope::kShareFrom, "..");
  const Value value(texts, std::string(Encode(texts).size(), 'x'));
  const auto decoded = Decode<Value>(EncodeFrame(value));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(*decoded == value);
}

// A frame may be taken for something else than it was.
TEST(Codec, AFrameIsDecodedAsItsBytesAre) {
  const base::Rope large(std::string(base::Rope::kShareFrom, 'x'));
  const Frame frame = EncodeFrame(WithRope{7, large});
  const auto same = Decode<std::tuple<int32_t, std::string>>(frame);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(std::get<1>(*same), large.ToString());

  EXPECT_FALSE(Decode<int32_t>(frame).ok());
  EXPECT_FALSE(Decode<WithRopeInFront>(frame).ok());
  EXPECT_FALSE(Decode<WithRope>(Frame{frame.head, large.Slice(1, 9)}).ok());
  EXPECT_FALSE(Decode<WithRope>(Frame{frame.head + "x", large}).ok());
  base::Rope larger = large;
  larger.Append("x");
  EXPECT_FALSE(Decode<WithRope>(Frame{frame.head, larger}).ok());
  EXPECT_FALSE(Decode<WithRope>(frame.head).ok());
}

TEST(Codec, EveryTruncationIsAnError) {
  const std::string bytes = Encode(FullOuter());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Decode<Outer>(bytes.substr(0, size)).ok()) << size;
  }
}

TEST(Codec, BytesLeftOverAreAnError) {
  const absl::StatusOr<Inner> decoded = Decode<Inner>(Encode(Inner{}) + "x");
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.status().message(), "malformed: 1 of 13 bytes left over");
}

TEST(Codec, HugeLengthsAreAnErrorNotAnAllocation) {
  const std::string huge = Encode(std::numeric_limits<uint64_t>::max());
  EXPECT_FALSE(Decode<std::string>(huge).ok());
  EXPECT_FALSE(Decode<std::vector<uint64_t>>(huge + "x").ok());
  EXPECT_FALSE(Decode<std::vector<Inner>>(huge).ok());
  EXPECT_EQ(
      Decode<std::string>(Encode(uint64_t{9}) + "8 bytes.").status().message(),
      "truncated: 9 elements announced, 8 bytes left");
}

// A length that fits exactly is right, one more is not.
TEST(Codec, ALengthMayUseUpAllThatIsLeft) {
  EXPECT_EQ(*Decode<std::string>(Encode(uint64_t{8}) + "8 bytes."), "8 bytes.");
  EXPECT_EQ(Decode<uint32_t>("abc").status().message(),
            "truncated: 4 bytes needed, 3 left");
  EXPECT_EQ(*Decode<std::string>(Encode(uint64_t{0})), "");
}

TEST(Codec, OtherThanZeroOrOneIsNoBool) {
  EXPECT_FALSE(*Decode<bool>(std::string(1, '\0')));
  EXPECT_TRUE(*Decode<bool>("\x01"));
  EXPECT_FALSE(Decode<bool>("\x02").ok());
}

// Whatever the bytes, Decode returns; sanitizers see whether it read outside.
TEST(Codec, GarbageNeverHarms) {
  const std::string good = Encode(FullOuter());
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      const absl::StatusOr<Outer> decoded = Decode<Outer>(bad);
      EXPECT_FALSE(decoded.ok() && *decoded == FullOuter());
    }
  }
}

// Bytes that announce a thousand elements, and have fewer.
TEST(Codec, MakesNoMoreElementsThanThereAre) {
  std::string bytes = Encode(std::vector<Counted>(1000));
  bytes.resize(8 + 1000);
  Counted::made = 0;
  EXPECT_FALSE(Decode<std::vector<Counted>>(bytes).ok());
  EXPECT_LE(Counted::made, 1000 / 8 + 1);
}

}  // namespace
}  // namespace rpc

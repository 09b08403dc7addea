// Values to bytes and back: the role of the course's labgob.
//
// A struct lists its fields once, for both directions:
//
//   struct RequestVoteReply {
//     Term term = 0;
//     bool vote_granted = false;
//     auto Fields() { return std::tie(term, vote_granted); }
//   };
//
// and Encode/Decode do the rest, with cereal underneath (for containers include
// <cereal/types/map.hpp> and the like). The hazards of the course's encoder are
// closed: a field left out of Fields() does not compile, Decode fills a fresh
// value so that nothing old can shine through, and truncated, excess or
// malformed bytes are an error, never a read past the end.
//
// Format: integers and floating point numbers in their full width, little
// endian; strings and containers after a 64-bit length; no names, no versions.
//
// Thread safety: free functions without state.

#ifndef RPC_CODEC_H_
#define RPC_CODEC_H_

#include <algorithm>
#include <bit>
#include <cereal/cereal.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/rope.h"
#include "rpc/frame.h"

namespace rpc {

static_assert(std::endian::native == std::endian::little,
              "the codec stores numbers as they lie in memory");

// cereal output archive that appends to a string; its own stream-based ones
// cost twice as much for small messages. Used by Encode().
class ByteWriter
    : public cereal::OutputArchive<ByteWriter, cereal::AllowEmptyClassElision> {
 public:
  ByteWriter() : OutputArchive(this) {}
  void Write(const void* data, size_t size) {
    if (!frame_.rest.empty()) Flatten();
    frame_.head.append(static_cast<const char*>(data), size);
  }
  // Shares the memory of a large rope if nothing follows it.
  void Write(const base::Rope& rope) {
    if (!frame_.rest.empty()) Flatten();
    if (rope.size() >= base::Rope::kShareFrom) {
      frame_.rest = rope;
    } else {
      rope.CopyTo(0, rope.size(), &frame_.head);
    }
  }
  Frame Take() && { return std::move(frame_); }

 private:
  void Flatten() { frame_ = {std::move(frame_).ToString(), {}}; }

  Frame frame_;
};

// cereal input archive over bytes that must outlive it; throws
// cereal::Exception where they end too early. Used by Decode().
class ByteReader
    : public cereal::InputArchive<ByteReader, cereal::AllowEmptyClassElision> {
 public:
  explicit ByteReader(FrameView frame)
      : InputArchive(this), rest_(frame.head), shared_(frame.rest) {}
  void Read(void* data, size_t size) {
    const std::string_view bytes = View(size);
    if (size > 0) std::memcpy(data, bytes.data(), size);
  }
  // Reads `size` bytes, and shares them if they are all that lies in a rope.
  base::Rope ReadRope(size_t size) {
    if (rest_.empty() && shared_ != nullptr && shared_->size() == size) {
      return *std::exchange(shared_, nullptr);
    }
    return View(size);
  }
  size_t remaining() const {
    return rest_.size() + (shared_ == nullptr ? 0 : shared_->size());
  }

 private:
  // Reads the next `size` bytes, and returns where they lie.
  std::string_view View(size_t size) {
    if (size > rest_.size() && shared_ != nullptr) Flatten();
    if (size > rest_.size()) {
      throw cereal::Exception(absl::StrCat(
          "truncated: ", size, " bytes needed, ", rest_.size(), " left"));
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  // For what was not written as it is read.
  void Flatten() {
    flat_ = rest_;
    shared_->CopyTo(0, shared_->size(), &flat_);
    shared_ = nullptr;
    rest_ = flat_;
  }

  std::string_view rest_;
  const base::Rope* shared_;  // what follows, or null
  std::string flat_;
};

namespace codec_internal {

// Stands for a field of any type, to count how many a struct has.
struct AnyField {
  template <typename T>
  operator T() const;  // NOLINT: implicit is its purpose; declared only
};

template <typename T, typename... Fields>
constexpr size_t CountFields() {
  if constexpr (requires { T{Fields{}..., AnyField{}}; }) {
    return CountFields<T, Fields..., AnyField>();
  } else {
    return sizeof...(Fields);
  }
}

template <typename T>
concept HasFields = requires(T& value) {
  value.Fields();
};

// Whether something that is included says how to encode a T: for a struct its
// Fields(), for a container one of cereal's headers.
template <typename T>
constexpr bool IsEncodable() {
  if constexpr (HasFields<T>) {
    return true;  // its fields are checked when they are encoded
  } else {
    constexpr bool kIsKnown =
        cereal::traits::is_output_serializable<T, ByteWriter>::value;
    if constexpr (kIsKnown && requires { typename T::mapped_type; }) {
      return IsEncodable<typename T::key_type>() &&
             IsEncodable<typename T::mapped_type>();
    } else if constexpr (kIsKnown && requires { typename T::value_type; }) {
      return IsEncodable<typename T::value_type>();
    } else {
      return kIsKnown;
    }
  }
}

template <typename... Fields>
constexpr bool CheckFields(std::tuple<Fields&...>* fields);

// As IsEncodable(); if not, one error of the compiler, where cereal has dozens.
template <typename T>
constexpr bool CheckEncodable() {
  if constexpr (HasFields<T>) {
    return CheckFields(
        static_cast<decltype(std::declval<T&>().Fields())*>(nullptr));
  } else {
    static_assert(
        IsEncodable<T>(),
        "no encoding for this type: a struct of yours needs Fields(), "
        "one of the library a header of cereal's, std::map "
        "<cereal/types/map.hpp>");
    return IsEncodable<T>();
  }
}

template <typename... Fields>
constexpr bool CheckFields(std::tuple<Fields&...>* /*fields*/) {
  return (CheckEncodable<Fields>() && ...);
}

}  // namespace codec_internal

// cereal finds these through the archive's namespace.
template <typename Archive, codec_internal::HasFields T>
void serialize(Archive& archive, T& value) {
  auto fields = value.Fields();
  static_assert(std::is_aggregate_v<T>, "Fields() is for plain structs");
  static_assert(
      std::tuple_size_v<decltype(fields)> == codec_internal::CountFields<T>(),
      "Fields() must list every field of the struct");
  std::apply(
      [&archive](auto&... field) {
        if constexpr (sizeof...(field) > 0 &&
                      (codec_internal::CheckEncodable<
                           std::remove_cvref_t<decltype(field)>>() &&
                       ...)) {
          archive(field...);
        }
      },
      fields);
}

template <typename T>
requires std::is_arithmetic_v<T>
void save(ByteWriter& writer, const T& value) {
  writer.Write(&value, sizeof(value));
}

template <typename T>
requires std::is_arithmetic_v<T>
void load(ByteReader& reader, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    uint8_t byte = 0;
    reader.Read(&byte, 1);
    if (byte > 1)
      throw cereal::Exception("malformed: a bool is neither 0 nor 1");
    value = byte == 1;
  } else {
    reader.Read(&value, sizeof(value));
  }
}

template <typename T>
void save(ByteWriter& writer, const cereal::SizeTag<T>& tag) {
  writer(static_cast<uint64_t>(tag.size));
}

// No element takes less than a byte, so a longer container is malformed; saying
// so here keeps garbage from asking for terabytes.
template <typename T>
void load(ByteReader& reader, cereal::SizeTag<T>& tag) {
  uint64_t size = 0;
  reader(size);
  if (size > reader.remaining()) {
    throw cereal::Exception(absl::StrCat("truncated: ", size,
                                         " elements announced, ",
                                         reader.remaining(), " bytes left"));
  }
  tag.size = static_cast<cereal::size_type>(size);
}

// One element after the other: malformed bytes may announce as many as they
// have bytes, and large ones.
template <typename T, typename Allocator>
requires std::negation_v<std::is_arithmetic<T>>
void load(ByteReader& reader, std::vector<T, Allocator>& elements) {
  constexpr size_t kMostReserved = 1024;
  cereal::size_type count = 0;
  reader(cereal::make_size_tag(count));
  elements.clear();
  elements.reserve(std::min<size_t>(count, kMostReserved));
  for (; count > 0; --count) reader(elements.emplace_back());
}

template <typename T>
void save(ByteWriter& writer, const cereal::BinaryData<T>& data) {
  writer.Write(data.data, static_cast<size_t>(data.size));
}

template <typename T>
void load(ByteReader& reader, cereal::BinaryData<T>& data) {
  reader.Read(data.data, static_cast<size_t>(data.size));
}

// A rope is as the string of its bytes.
inline void save(ByteWriter& writer, const base::Rope& rope) {
  writer(static_cast<uint64_t>(rope.size()));
  writer.Write(rope);
}

inline void load(ByteReader& reader, base::Rope& rope) {
  cereal::SizeTag<cereal::size_type> size(0);
  reader(size);
  rope = reader.ReadRope(size.size);
}

template <typename T>
void save(ByteWriter& writer, const cereal::NameValuePair<T>& pair) {
  writer(pair.value);
}

template <typename T>
void load(ByteReader& reader, cereal::NameValuePair<T>& pair) {
  reader(pair.value);
}

// Returns the bytes of `value`, those of a large rope that comes last shared
// with it.
template <typename T>
Frame EncodeFrame(const T& value) {
  ByteWriter writer;
  if constexpr (codec_internal::CheckEncodable<T>()) writer(value);
  return std::move(writer).Take();
}

// Returns the bytes of `value`.
template <typename T>
std::string Encode(const T& value) {
  return EncodeFrame(value).ToString();
}

// Returns the value that Encode() or EncodeFrame() turned into `bytes`, or an
// error that says what is wrong with them. Every byte must be used up.
template <typename T>
absl::StatusOr<T> Decode(FrameView bytes) {
  try {
    T value{};
    ByteReader reader(bytes);
    const size_t total = reader.remaining();
    if constexpr (codec_internal::CheckEncodable<T>()) reader(value);
    if (reader.remaining() > 0) {
      return absl::DataLossError(absl::StrCat("malformed: ", reader.remaining(),
                                              " of ", total,
                                              " bytes left over"));
    }
    return value;
  } catch (const std::exception& error) {
    return absl::DataLossError(error.what());
  }
}

}  // namespace rpc

CEREAL_REGISTER_ARCHIVE(rpc::ByteWriter)
CEREAL_REGISTER_ARCHIVE(rpc::ByteReader)
CEREAL_SETUP_ARCHIVE_TRAITS(rpc::ByteReader, rpc::ByteWriter)

#endif  // RPC_CODEC_H_

#include "raft/entries.h"

#include <cereal/cereal.hpp>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/logging.h"

namespace raft {
namespace {

// An entry is its term, the length of its command, and the command.
struct Header {
  Term term;
  uint32_t length;
};

Header ReadHeader(std::string_view bytes) {
  Header header;
  std::memcpy(&header.term, bytes.data(), sizeof(header.term));
  std::memcpy(&header.length, bytes.data() + sizeof(header.term),
              sizeof(header.length));
  return header;
}

}  // namespace

EntryView Entries::Iterator::operator*() const {
  const Header header = ReadHeader(rest_);
  return {header.term, rest_.substr(kHeaderBytes, header.length)};
}

Entries::Iterator& Entries::Iterator::operator++() {
  const size_t size = kHeaderBytes + ReadHeader(rest_).length;
  rest_.remove_prefix(size);
  offset_ += size;
  if (rest_.empty() && rope_ != nullptr) rest_ = rope_->PieceAt(offset_);
  return *this;
}

Entries::Entries(std::initializer_list<EntryView> entries) {
  for (const EntryView& entry : entries) Append(entry.term, entry.command);
}

std::array<char, Entries::kHeaderBytes> Entries::PackHeader(
    Term term, std::string_view command) {
  CHECK_LE(command.size(), std::numeric_limits<uint32_t>::max())
      << "a command must be smaller than 4 GiB";
  const auto length = static_cast<uint32_t>(command.size());
  std::array<char, kHeaderBytes> bytes;
  std::memcpy(bytes.data(), &term, sizeof(term));
  std::memcpy(bytes.data() + sizeof(term), &length, sizeof(length));
  return bytes;
}

bool Entries::CountWhole(std::string_view bytes, size_t* count) {
  for (*count = 0; !bytes.empty(); ++*count) {
    if (bytes.size() < kHeaderBytes) return false;
    const size_t size = kHeaderBytes + ReadHeader(bytes).length;
    if (bytes.size() < size) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

void Entries::Append(Term term, std::string_view command) {
  const auto header = PackHeader(term, command);
  bytes_.Append({header.data(), header.size()}, command);
  ++count_;
}

void Entries::ThrowUnlessWellFormed() const {
  size_t total = 0;
  bool whole = true;
  bytes_.ForEachPiece([&](std::string_view piece) {
    size_t count = 0;
    whole = whole && CountWhole(piece, &count);
    total += count;
  });
  if (!whole || total != count_) {
    throw cereal::Exception("malformed: log entries do not fill their bytes");
  }
}

}  // namespace raft

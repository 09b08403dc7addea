#include "base/rope.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/logging.h"

namespace base {
namespace {

// A chunk that is to grow is as large as all that is there already, up to the
// largest: small values stay small, and a long log needs few chunks.
constexpr size_t kFirstChunk = 256;
constexpr size_t kLargestChunk = 8 << 20;

// From this size of a rope on its chunks ask for huge pages: each costs one
// page fault and not 512, but takes long if the machine has to find the memory.
// A wish, which not every kernel fulfils.
constexpr size_t kHugeFrom = 32 << 20;
constexpr size_t kHugePage = 2 << 20;

char* Allocate(size_t size) {
  auto* const bytes = static_cast<char*>(std::malloc(size));
  CHECK(bytes != nullptr) << "no memory for " << size << " bytes";
  return bytes;
}

// REQUIRES: `size` is a multiple of kHugePage.
char* AllocateHuge(size_t size) {
  auto* const bytes = static_cast<char*>(std::aligned_alloc(kHugePage, size));
  CHECK(bytes != nullptr) << "no memory for " << size << " bytes";
  madvise(bytes, size, MADV_HUGEPAGE);
  return bytes;
}

}  // namespace

Rope::Chunk::Chunk(size_t size, bool is_huge)
    : capacity(size), bytes(is_huge ? AllocateHuge(size) : Allocate(size)) {}

void Rope::Swap(Rope* other) noexcept {
  std::swap(front_, other->front_);
  std::swap(sealed_, other->sealed_);
  std::swap(tail_, other->tail_);
  std::swap(body_size_, other->body_size_);
  std::swap(dropped_, other->dropped_);
}

void Rope::Append(std::string_view bytes, std::string_view more) {
  if (bytes.empty() && more.empty()) return;
  char* const to = Claim(bytes.size() + more.size());
  // An empty view's data may be null, which memcpy does not allow.
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  if (!more.empty()) std::memcpy(to + bytes.size(), more.data(), more.size());
}

void Rope::Concat(const Rope& other) {
  const size_t count = other.size();
  if (count == 0) return;
  if (&other == this) return Concat(Rope(other));
  const std::string_view bytes = other.PieceAt(0);
  if (bytes.size() < count || count < kShareFrom) {
    char* to = Claim(count);
    other.ForEachPiece([&to](std::string_view piece) {
      std::memcpy(to, piece.data(), piece.size());
      to += piece.size();
    });
    return;
  }
  const std::shared_ptr<Chunk>& chunk = other.PieceWith(other.dropped_).chunk;
  AddPiece(chunk, static_cast<size_t>(bytes.data() - chunk->bytes), count);
}

char* Rope::Claim(size_t count) {
  if (count >= kShareFrom) {
    const auto chunk = std::make_shared<Chunk>(count, /*is_huge=*/false);
    chunk->used = count;
    AddPiece(chunk, 0, count);
    return chunk->bytes;
  }
  if (tail_.chunk != nullptr) {
    // Fails if a copy of this rope went on writing in the same chunk, or if
    // this rope was truncated: then what follows goes to a chunk of its own.
    const size_t end = tail_.offset + tail_.size;
    size_t used = end;
    if (end + count <= tail_.chunk->capacity &&
        tail_.chunk->used.compare_exchange_strong(used, end + count)) {
      tail_.size += count;
      body_size_ += count;
      return tail_.chunk->bytes + end;
    }
  }
  const size_t grown =
      std::clamp(std::bit_ceil(body_size_), kFirstChunk, kLargestChunk);
  Seal(nullptr);
  tail_ = {
      std::make_shared<Chunk>(std::max(grown, count), body_size_ >= kHugeFrom),
      0, count, dropped_ + body_size_};
  tail_.chunk->used = count;
  body_size_ += count;
  return tail_.chunk->bytes;
}

// tail_ goes on after it, in its own chunk.
void Rope::AddPiece(std::shared_ptr<Chunk> chunk, size_t offset, size_t count) {
  const Piece piece{std::move(chunk), offset, count, dropped_ + body_size_};
  Seal(&piece);
  body_size_ += count;
  tail_.start = dropped_ + body_size_;
}

// Copies the list of sealed pieces, which other ropes may share. That is one
// step per piece, so amortised next to nothing per byte.
void Rope::Seal(const Piece* added) {
  if (tail_.size == 0 && added == nullptr) return;
  auto pieces = sealed_ == nullptr ? std::make_shared<Pieces>()
                                   : std::make_shared<Pieces>(*sealed_);
  if (tail_.size > 0) pieces->push_back(tail_);
  tail_.offset += std::exchange(tail_.size, 0);
  if (added != nullptr) {
    Piece* const last = pieces->empty() ? nullptr : &pieces->back();
    if (last != nullptr && last->chunk == added->chunk &&
        last->offset + last->size == added->offset) {
      last->size += added->size;  // one piece, as it was in the other rope
    } else {
      pieces->push_back(*added);
    }
  }
  sealed_ = std::move(pieces);
}

void Rope::Prepend(std::string_view bytes) {
  if (bytes.empty()) return;
  if (bytes.size() > kMaxFront - front_.size) {
    Rope whole(bytes);
    whole.Append(ToString());
    Swap(&whole);
    return;
  }
  char* const front = front_.bytes.data();
  std::memmove(front + bytes.size(), front, front_.size);
  std::memcpy(front, bytes.data(), bytes.size());
  front_.size += bytes.size();
}

void Rope::Truncate(size_t size) {
  CHECK_LE(size, this->size());
  front_.size = std::min(front_.size, size);
  body_size_ = size - front_.size;
  const size_t end = dropped_ + body_size_;
  if (end >= tail_.start) {
    tail_.size = end - tail_.start;
    return;
  }
  // The cut lies in a sealed piece.
  tail_ = {tail_.chunk, tail_.offset + tail_.size, 0, end};
  auto pieces = std::make_shared<Pieces>(*sealed_);
  while (!pieces->empty() && pieces->back().start >= end) pieces->pop_back();
  if (!pieces->empty()) pieces->back().size = end - pieces->back().start;
  sealed_ = pieces->empty() ? nullptr : std::move(pieces);
}

void Rope::RemovePrefix(size_t count) {
  CHECK_LE(count, size());
  const size_t from_front = std::min(count, front_.size);
  front_.size -= from_front;
  std::memmove(front_.bytes.data(), front_.bytes.data() + from_front,
               front_.size);
  dropped_ += count - from_front;
  body_size_ -= count - from_front;
  if (sealed_ == nullptr) return;
  auto pieces = std::make_shared<Pieces>(*sealed_);
  std::erase_if(*pieces, [this](const Piece& piece) {
    return piece.start + piece.size <= dropped_;
  });
  sealed_ = pieces->empty() ? nullptr : std::move(pieces);
}

const Rope::Piece& Rope::PieceWith(size_t position) const {
  if (position >= tail_.start) return tail_;
  const auto after = std::upper_bound(
      sealed_->begin(), sealed_->end(), position,
      [](size_t at, const Piece& piece) { return at < piece.start; });
  return *(after - 1);
}

std::string_view Rope::PieceAt(size_t offset) const {
  CHECK_LE(offset, size());
  if (offset < front_.size) {
    return std::string_view(front_.bytes.data(), front_.size).substr(offset);
  }
  if (offset == size()) return {};
  const size_t position = offset - front_.size + dropped_;
  const Piece& piece = PieceWith(position);
  return piece.bytes().substr(position - piece.start);
}

void Rope::CopyTo(size_t offset, size_t count, std::string* out) const {
  CHECK_LE(offset, size());
  CHECK_LE(count, size() - offset);
  while (count > 0) {
    const std::string_view piece = PieceAt(offset).substr(0, count);
    out->append(piece);
    offset += piece.size();
    count -= piece.size();
  }
}

Rope Rope::Slice(size_t offset, size_t count) const {
  CHECK_LE(offset, size());
  CHECK_LE(count, size() - offset);
  Rope slice;
  if (offset < front_.size) {
    const size_t from_front = std::min(count, front_.size - offset);
    slice.Prepend(PieceAt(offset).substr(0, from_front));
    offset += from_front;
    count -= from_front;
  }
  if (count == 0) return slice;
  slice.body_size_ = count;
  slice.dropped_ = offset - front_.size + dropped_;
  const size_t end = slice.dropped_ + count;
  slice.tail_ = PieceWith(end - 1);
  slice.tail_.size = end - slice.tail_.start;
  if (const Piece* piece = &PieceWith(slice.dropped_);
      piece->start < slice.tail_.start) {
    auto pieces = std::make_shared<Pieces>();
    const Piece* const last = sealed_->data() + sealed_->size();
    for (; piece != last && piece->start < slice.tail_.start; ++piece) {
      pieces->push_back(*piece);
    }
    slice.sealed_ = std::move(pieces);
  }
  return slice;
}

std::string_view Rope::Back(size_t count) const {
  CHECK_LE(count, size());
  const std::string_view bytes = PieceAt(size() - count);
  CHECK_EQ(bytes.size(), count);
  return bytes;
}

size_t SharedPrefix(const Rope& a, const Rope& b) {
  std::vector<std::string_view> pieces;
  a.ForEachPiece([&](std::string_view piece) { pieces.push_back(piece); });
  auto other = pieces.begin();
  size_t shared = 0;
  bool differs = false;
  b.ForEachPiece([&](std::string_view piece) {
    differs = differs || other == pieces.end() || other->data() != piece.data();
    if (differs) return;
    shared += std::min(piece.size(), other->size());
    differs = piece.size() != other->size();
    ++other;
  });
  return shared;
}

std::string Rope::ToString() const {
  std::string bytes;
  bytes.reserve(size());
  CopyTo(0, size(), &bytes);
  return bytes;
}

}  // namespace base

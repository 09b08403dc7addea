#include "base/rope.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/logging.h"

namespace base {
namespace {

// Chunks double up to this size: small values stay small, and a long log needs
// few chunks.
constexpr size_t kFirstChunk = 256;
constexpr size_t kLargestChunk = 64 << 10;

}  // namespace

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

char* Rope::Claim(size_t count) {
  if (tail_.chunk != nullptr) {
    // Fails if a copy of this rope went on writing in the same chunk, or if
    // this rope was truncated: then what follows goes to a chunk of its own.
    size_t used = tail_.size;
    if (tail_.size + count <= tail_.chunk->capacity &&
        tail_.chunk->used.compare_exchange_strong(used, tail_.size + count)) {
      tail_.size += count;
      body_size_ += count;
      return tail_.chunk->bytes.get() + tail_.size - count;
    }
  }
  const size_t grown = tail_.chunk == nullptr
                           ? kFirstChunk
                           : std::min(kLargestChunk, 2 * tail_.chunk->capacity);
  SealTail();
  tail_ = {std::make_shared<Chunk>(std::max(grown, count)), count,
           dropped_ + body_size_};
  tail_.chunk->used = count;
  body_size_ += count;
  return tail_.chunk->bytes.get();
}

// Copies the list of sealed pieces, which other ropes may share. That is one
// step per chunk, so amortised next to nothing per byte.
void Rope::SealTail() {
  if (tail_.size == 0) return;
  auto pieces = sealed_ == nullptr ? std::make_shared<Pieces>()
                                   : std::make_shared<Pieces>(*sealed_);
  pieces->push_back(tail_);
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
  const size_t body = size - front_.size;
  body_size_ = body;
  const size_t end = dropped_ + body;
  if (tail_.chunk != nullptr && end >= tail_.start) {
    tail_.size = end - tail_.start;
    return;
  }
  // The cut lies in a sealed piece, which becomes the tail again.
  tail_ = Piece();
  if (sealed_ == nullptr) return;
  auto pieces = std::make_shared<Pieces>(*sealed_);
  while (!pieces->empty() && pieces->back().start >= end) pieces->pop_back();
  if (!pieces->empty()) {
    tail_ = pieces->back();
    tail_.size = end - tail_.start;
    pieces->pop_back();
  }
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

size_t Rope::FirstPieceAt(size_t body_offset) const {
  const auto after = std::upper_bound(
      sealed_->begin(), sealed_->end(), dropped_ + body_offset,
      [](size_t at, const Piece& piece) { return at < piece.start; });
  return static_cast<size_t>(after - sealed_->begin()) - 1;
}

void Rope::CopyTo(size_t offset, size_t count, std::string* out) const {
  CHECK_LE(offset, size());
  CHECK_LE(count, size() - offset);
  if (offset < front_.size) {
    const size_t from_front = std::min(count, front_.size - offset);
    out->append(front_.bytes.data() + offset, from_front);
    offset += from_front;
    count -= from_front;
  }
  size_t at = offset - front_.size + dropped_;  // as in Piece::start
  const auto copy_from = [&](const Piece& piece) {
    const size_t skip = at - piece.start;
    const size_t part = std::min(count, piece.size - skip);
    out->append(piece.chunk->bytes.get() + skip, part);
    at += part;
    count -= part;
  };
  if (sealed_ != nullptr && at < sealed_->back().start + sealed_->back().size) {
    for (size_t i = FirstPieceAt(at - dropped_);
         i < sealed_->size() && count > 0; ++i) {
      copy_from((*sealed_)[i]);
    }
  }
  if (count > 0) copy_from(tail_);
}

std::string_view Rope::Back(size_t count) const {
  CHECK_LE(count, tail_.size);
  return count == 0 ? std::string_view()
                    : std::string_view(tail_.chunk->bytes.get(), tail_.size)
                          .substr(tail_.size - count);
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

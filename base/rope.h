// A byte string in shared chunks: copying costs O(1), appending what is added.
//
// A server saves its whole log at every change (the course's persister keeps
// one value). With a rope the saved value shares its unchanged part with the
// one saved before, so that a save costs what changed. Copies are independent:
// nothing done to one shows in another. Bytes, once written, never move or
// change while any rope refers to them.
//
// Thread safety: compatible, like std::string: one rope needs a lock, but
// copies of it may be used by different threads at the same time.

#ifndef BASE_ROPE_H_
#define BASE_ROPE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace base {

class Rope {
 public:
  Rope() = default;
  Rope(std::string_view bytes) { Append(bytes); }  // NOLINT: as std::string's
  Rope(const std::string& bytes) : Rope(std::string_view(bytes)) {}  // NOLINT
  Rope(const char* bytes) : Rope(std::string_view(bytes)) {}         // NOLINT

  Rope(const Rope&) = default;
  Rope& operator=(const Rope&) = default;
  // A rope moved from is empty.
  Rope(Rope&& other) noexcept
      : front_(std::exchange(other.front_, {})),
        sealed_(std::move(other.sealed_)),
        tail_(std::exchange(other.tail_, {})),
        body_size_(std::exchange(other.body_size_, 0)),
        dropped_(std::exchange(other.dropped_, 0)) {}
  Rope& operator=(Rope&& other) noexcept {
    Rope moved(std::move(other));
    Swap(&moved);
    return *this;
  }
  friend void swap(Rope& a, Rope& b) noexcept { a.Swap(&b); }

  size_t size() const { return front_.size + body_size_; }
  bool empty() const { return size() == 0; }

  // Adds `bytes`, and `more` after them, at the end, contiguously in one
  // chunk. Amortised O(bytes + more), and from kShareFrom on a step for each
  // chunk too: what is there already is not copied.
  void Append(std::string_view bytes, std::string_view more = {});

  // Adds the bytes of another rope, contiguously too. If they lie in one piece
  // and are at least kShareFrom, that memory is shared; fewer are copied, since
  // a list of many small pieces costs more than it saves. As many for Append()
  // get a chunk of just their size.
  static constexpr size_t kShareFrom = 32 << 10;
  void Concat(const Rope& other);

  // Puts `bytes`, none of its own, at the beginning: a small header. O(bytes)
  // as long as all that was put there has room in kMaxFront bytes, which every
  // copy of the rope carries along; otherwise O(size()).
  static constexpr size_t kMaxFront = 64;
  void Prepend(std::string_view bytes);

  // Keeps only the first `size` bytes. REQUIRES: size <= size().
  void Truncate(size_t size);

  // Drops the first `count` bytes. The memory of chunks that no rope needs any
  // more is freed. REQUIRES: count <= size().
  void RemovePrefix(size_t count);

  // Adds the `count` bytes from `offset` on to the end of `out`.
  // REQUIRES: offset + count <= size().
  void CopyTo(size_t offset, size_t count, std::string* out) const;

  // Returns the `count` bytes from `offset` on, in the same memory, which stays
  // as long as the slice does. REQUIRES: offset + count <= size().
  Rope Slice(size_t offset, size_t count) const;

  // Returns the bytes from `offset` on as far as they lie in one piece of
  // memory; none at the end. REQUIRES: offset <= size().
  std::string_view PieceAt(size_t offset) const;

  // The last `count` bytes, as they lie in memory.
  // REQUIRES: one Append() or Concat() added them.
  std::string_view Back(size_t count) const;

  // Calls `visit` with each piece of the bytes, in order, as they lie in
  // memory.
  template <typename Visit>
  void ForEachPiece(Visit visit) const {
    if (front_.size > 0) {
      visit(std::string_view(front_.bytes.data(), front_.size));
    }
    const auto visit_piece = [&](const Piece& piece) {
      const size_t skip = piece.start < dropped_ ? dropped_ - piece.start : 0;
      if (skip >= piece.size) return;
      visit(piece.bytes().substr(skip));
    };
    if (sealed_ != nullptr) {
      for (const Piece& piece : *sealed_) visit_piece(piece);
    }
    visit_piece(tail_);
  }

  // The whole value in one piece. O(size()).
  std::string ToString() const;

  // How many bytes both have in front in the same memory: those are equal.
  friend size_t SharedPrefix(const Rope& a, const Rope& b);

  friend bool operator==(const Rope& a, const Rope& b) {
    return a.size() == b.size() && a.ToString() == b.ToString();
  }

 private:
  // Memory that ropes share. `used` only grows; the rope that does owns
  // what it gained, so two ropes that share a chunk never write to one place.
  struct Chunk {
    Chunk(size_t size, bool is_huge);
    ~Chunk() { std::free(bytes); }
    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;

    const size_t capacity;
    char* const bytes;
    std::atomic<size_t> used{0};
  };
  // `size` bytes of a chunk from `offset` on; they stand at `start` in the
  // body. Those before dropped_ are removed.
  struct Piece {
    std::shared_ptr<Chunk> chunk;
    size_t offset = 0;
    size_t size = 0;
    size_t start = 0;

    std::string_view bytes() const { return {chunk->bytes + offset, size}; }
  };
  using Pieces = std::vector<Piece>;

  void Swap(Rope* other) noexcept;
  // Reserves `count` contiguous bytes at the end, for Append to fill.
  char* Claim(size_t count);
  // Adds bytes of a chunk that are there already.
  void AddPiece(std::shared_ptr<Chunk> chunk, size_t offset, size_t count);
  // Adds tail_, if it is not empty, and `added`, if it is not null, to sealed_.
  void Seal(const Piece* added);
  // The piece with the byte at `position`, which counts as Piece::start does.
  // REQUIRES: there is that byte.
  const Piece& PieceWith(size_t position) const;

  // From Prepend. Not in a chunk: a header is made for each save, and must
  // not cost an allocation.
  struct Front {
    size_t size = 0;
    std::array<char, kMaxFront> bytes{};
  };

  Front front_;
  std::shared_ptr<const Pieces> sealed_;  // what grows no more; null if none
  Piece tail_;            // may grow in its chunk, if it has one
  size_t body_size_ = 0;  // bytes in sealed_ and tail_
  size_t dropped_ = 0;    // body bytes removed in front
};

}  // namespace base

#endif  // BASE_ROPE_H_

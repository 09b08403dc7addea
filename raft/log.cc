#include "raft/log.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"

namespace raft {

Log::Log(Index last_included_index, Term last_included_term, base::Rope entries)
    : last_included_index_(last_included_index),
      last_included_term_(last_included_term),
      bytes_(std::move(entries)) {
  size_t begin = 0;
  bytes_.ForEachPiece([&](std::string_view piece) {
    AddPositions(Entries::Iterator(piece), begin);
    begin += piece.size();
  });
}

// Of entries that begin at `begin` of bytes_ and what was discarded before.
void Log::AddPositions(Entries::Iterator entry, size_t begin) {
  Term last_term = LastTerm();
  for (; !entry.rest().empty(); ++entry) {
    const EntryView view = *entry;
    CHECK_GE(view.term, last_term);
    last_term = view.term;
    begin += Entries::kHeaderBytes + view.command.size();
    positions_.push_back({view.term, begin});
  }
}

Term Log::TermAt(Index index) const {
  CHECK_GE(index, last_included_index_);
  CHECK_LE(index, LastIndex());
  return index == last_included_index_ ? last_included_term_
                                       : positions_[index - FirstIndex()].term;
}

bool Log::Matches(Index index, Term term) const {
  if (index < last_included_index_) return true;
  return index <= LastIndex() && TermAt(index) == term;
}

bool Log::IsUpToDate(Index last_index, Term last_term) const {
  if (last_term != LastTerm()) return last_term > LastTerm();
  return last_index >= LastIndex();
}

Index Log::Append(Term term, std::string_view command) {
  CHECK_GE(term, LastTerm());
  const auto header = Entries::PackHeader(term, command);
  bytes_.Append({header.data(), header.size()}, command);
  positions_.push_back({term, discarded_bytes_ + bytes_.size()});
  ++version_;
  return LastIndex();
}

Index Log::FirstNewIndex(Index prev_index, const Entries& entries) const {
  Index index = prev_index + 1;
  for (const EntryView entry : entries) {
    if (!Matches(index, entry.term)) return index;
    ++index;
  }
  return index;
}

void Log::AppendFrom(const Entries& entries, size_t skip) {
  if (skip == entries.size()) return;
  auto entry = entries.begin();
  size_t skipped = 0;
  for (size_t i = 0; i < skip; ++i, ++entry) {
    skipped += Entries::kHeaderBytes + (*entry).command.size();
  }
  const size_t begin = discarded_bytes_ + bytes_.size();
  bytes_.Concat(
      entries.bytes().Slice(skipped, entries.bytes().size() - skipped));
  AddPositions(entry, begin);
  ++version_;
}

void Log::TruncateFrom(Index index) {
  CHECK_GE(index, FirstIndex());
  if (index > LastIndex()) return;
  bytes_.Truncate(Begin(index));
  positions_.resize(index - FirstIndex());
  ++version_;
}

void Log::DiscardUpTo(Index index) {
  CHECK_GE(index, last_included_index_);
  CHECK_LE(index, LastIndex());
  if (index == last_included_index_) return;
  const size_t bytes = End(index);
  last_included_term_ = TermAt(index);
  positions_.erase(positions_.begin(),
                   positions_.begin() +
                       static_cast<ptrdiff_t>(index - last_included_index_));
  last_included_index_ = index;
  bytes_.RemovePrefix(bytes);
  discarded_bytes_ += bytes;
  ++version_;
}

void Log::DiscardAll(Index last_included_index, Term last_included_term) {
  const uint64_t version = version_;
  *this = Log(last_included_index, last_included_term);
  version_ = version + 1;
}

Index Log::FirstIndexFromTerm(Term term) const {
  const auto found = std::lower_bound(
      positions_.begin(), positions_.end(), term,
      [](const Position& position, Term t) { return position.term < t; });
  return FirstIndex() + static_cast<Index>(found - positions_.begin());
}

Conflict Log::ConflictAt(Index index) const {
  CHECK_GE(index, FirstIndex());
  if (index > LastIndex()) return {/*term=*/0, LastIndex() + 1};
  const Term term = TermAt(index);
  return {term, FirstIndexFromTerm(term)};
}

Index Log::LastIndexOf(Term term) const {
  const Index last = FirstIndexFromTerm(term + 1) - 1;
  return TermAt(last) == term ? last : 0;
}

Index Log::NextAfterConflict(Index prev_index, const Conflict& conflict) const {
  const Index last = conflict.term == 0 ? 0 : LastIndexOf(conflict.term);
  return last != 0 && last < prev_index ? last + 1 : conflict.index;
}

Entries Log::Slice(Index first, Index last, size_t max_bytes) const {
  CHECK_GE(first, FirstIndex());
  CHECK_LE(last, LastIndex());
  if (first > last) return Entries();
  const auto at = [this](Index index) {
    return positions_.begin() + static_cast<ptrdiff_t>(index - FirstIndex());
  };
  const size_t begin = Begin(first);
  const size_t limit =
      discarded_bytes_ + begin + std::min(max_bytes, bytes_.size());
  auto stop = std::upper_bound(at(first), at(last) + 1, limit,
                               [](size_t bound, const Position& position) {
                                 return bound < position.end;
                               });
  if (stop == at(first)) ++stop;  // one entry, whatever its size
  const size_t size = (stop - 1)->end - discarded_bytes_ - begin;
  return Entries(static_cast<size_t>(stop - at(first)),
                 bytes_.Slice(begin, size));
}

size_t Log::BytesFrom(Index first) const {
  if (first > LastIndex()) return 0;
  return bytes_.size() - Begin(std::max(first, FirstIndex()));
}

}  // namespace raft

#include "raft/durable_index.h"

#include <algorithm>

namespace raft {

void DurableIndex::OnExtended(Ticket ticket, Index last) {
  if (last <= value_) return;
  if (ticket <= durable_) {
    value_ = last;
  } else if (pending_.empty() || pending_.back().last < last) {
    pending_.push_back({ticket, last});
  }
}

void DurableIndex::OnTruncated(Index index) {
  value_ = std::min(value_, index - 1);
  // A ticket of which a part is left still stands for that part.
  while (!pending_.empty() && pending_.back().last >= index) {
    const Ticket ticket = pending_.back().ticket;
    pending_.pop_back();
    const Index before = pending_.empty() ? value_ : pending_.back().last;
    if (before + 1 < index) {
      pending_.push_back({ticket, index - 1});
      break;
    }
  }
}

void DurableIndex::OnDurable(Ticket ticket) {
  durable_ = ticket;
  while (!pending_.empty() && pending_.front().ticket <= ticket) {
    value_ = pending_.front().last;
    pending_.pop_front();
  }
}

}  // namespace raft

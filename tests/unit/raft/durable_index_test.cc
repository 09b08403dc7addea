// Unit tests of raft/durable_index.h.

#include "raft/durable_index.h"

#include <cstdint>
#include <deque>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace raft {
namespace {

TEST(DurableIndex, BeginsWithWhatTheDiskHeld) {
  EXPECT_EQ(DurableIndex().value(), 0u);
  EXPECT_EQ(DurableIndex(7).value(), 7u);
}

TEST(DurableIndex, FollowsTheTickets) {
  DurableIndex durable;
  durable.OnExtended(1, 1);
  durable.OnExtended(2, 5);
  durable.OnExtended(4, 6);
  EXPECT_EQ(durable.value(), 0u);
  durable.OnDurable(1);
  EXPECT_EQ(durable.value(), 1u);
  durable.OnDurable(3);
  EXPECT_EQ(durable.value(), 5u);
  durable.OnDurable(9);
  EXPECT_EQ(durable.value(), 6u);
}

TEST(DurableIndex, WhatIsDurableWhenItIsToldCountsAtOnce) {
  DurableIndex durable;
  durable.OnExtended(0, 3);
  EXPECT_EQ(durable.value(), 3u);
  durable.OnDurable(5);
  durable.OnExtended(5, 4);
  EXPECT_EQ(durable.value(), 4u);
}

TEST(DurableIndex, ATruncatedEntrysTicketDoesNotCountForAnother) {
  DurableIndex durable;
  durable.OnExtended(1, 3);
  durable.OnTruncated(3);
  durable.OnExtended(3, 3);
  durable.OnDurable(2);
  EXPECT_EQ(durable.value(), 2u);
  durable.OnDurable(3);
  EXPECT_EQ(durable.value(), 3u);
}

TEST(DurableIndex, WhatWasDurableAndIsTruncatedIsNotDurable) {
  DurableIndex durable(5);
  durable.OnTruncated(3);
  EXPECT_EQ(durable.value(), 2u);
  durable.OnExtended(8, 4);
  EXPECT_EQ(durable.value(), 2u);
  durable.OnDurable(8);
  EXPECT_EQ(durable.value(), 4u);
}

// Against a list of the ticket of each entry.
TEST(DurableIndex, IsThatOfTheEntriesInFront) {
  base::Random random(3);
  for (int run = 0; run < 100; ++run) {
    DurableIndex durable;
    std::vector<uint64_t> tickets;  // of entry i + 1
    uint64_t last = 0;
    uint64_t done = 0;
    for (int step = 0; step < 100; ++step) {
      switch (random.Below(3)) {
        case 0: {
          tickets.resize(tickets.size() + random.Below(4), ++last);
          durable.OnExtended(last, tickets.size());
          break;
        }
        case 1: {
          const size_t left = tickets.size() - random.Below(std::min<size_t>(
                                                   tickets.size() + 1, 4));
          tickets.resize(left);
          durable.OnTruncated(left + 1);
          ++last;
          break;
        }
        default:
          done += random.Below(last - done + 1);
          durable.OnDurable(done);
      }
      Index expected = 0;
      while (expected < tickets.size() && tickets[expected] <= done) ++expected;
      ASSERT_EQ(durable.value(), expected);
    }
  }
}

}  // namespace
}  // namespace raft

// Unit tests of base/channel.h.
//
// "Blocks" cannot be observed, only that a thread has not gone on yet. These
// tests never wait for that: each is written so that a channel that does not
// block gives a wrong result, and one that blocks too long hangs.

#include "base/channel.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace base {
namespace {

TEST(Channel, BufferedKeepsTheOrder) {
  Channel<int> channel(3);
  EXPECT_TRUE(channel.Send(1));
  EXPECT_TRUE(channel.SendBatch({2, 3}));
  EXPECT_EQ(channel.Receive(), 1);
  EXPECT_EQ(channel.ReceiveBatch(), (std::vector<int>{2, 3}));
}

TEST(Channel, CarriesWhatCannotBeCopied) {
  Channel<std::unique_ptr<int>> channel(1);
  EXPECT_TRUE(channel.Send(std::make_unique<int>(7)));
  std::optional<std::unique_ptr<int>> item = channel.Receive();
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(**item, 7);
}

TEST(Channel, FullBufferHoldsTheSenderBack) {
  Channel<int> channel(2);
  std::atomic<int> sent{0};
  std::thread sender([&] {
    for (int i = 0; i < 100; ++i) {
      if (channel.Send(i)) ++sent;
    }
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(channel.Receive(), i);
    // Those received and the two in the buffer; nothing is received meanwhile.
    EXPECT_LE(sent.load(), i + 1 + 2);
  }
  sender.join();
}

TEST(Channel, BatchLargerThanTheBufferPassesInParts) {
  Channel<int> channel(2);
  std::thread sender([&] {
    EXPECT_TRUE(channel.SendBatch({0, 1, 2, 3, 4, 5, 6}));
  });
  for (int i = 0; i < 7; ++i) EXPECT_EQ(channel.Receive(), i);
  sender.join();
}

TEST(Channel, ABatchTakesTheRoomThatIsLeft) {
  Channel<int> channel(4);
  EXPECT_TRUE(channel.Send(0));
  std::thread sender([&] { EXPECT_TRUE(channel.SendBatch({1, 2, 3, 4, 5})); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // it is full
  std::vector<int> received = channel.ReceiveBatch();
  EXPECT_LE(received.size(), 4u);
  while (received.size() < 6) received.push_back(channel.Receive().value());
  EXPECT_EQ(received, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  sender.join();
  channel.Close();
  EXPECT_EQ(channel.ReceiveBatch(), std::vector<int>());
}

// Whole batches change hands without their items being touched, but only where
// nothing else waits; the order must not show it.
TEST(Channel, BatchesAndItemsKeepTheirOrder) {
  Channel<int> channel(6);
  EXPECT_TRUE(channel.SendBatch({0, 1, 2}));
  EXPECT_TRUE(channel.SendBatch({3, 4}));
  EXPECT_EQ(channel.Receive(), 0);
  EXPECT_TRUE(channel.Send(5));
  EXPECT_EQ(channel.ReceiveBatch(), (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_TRUE(channel.SendBatch({6, 7}));
  EXPECT_EQ(channel.ReceiveBatch(), (std::vector<int>{6, 7}));
  EXPECT_TRUE(channel.SendBatch({}));
  EXPECT_TRUE(channel.SendBatch({8}));
  EXPECT_EQ(channel.Receive(), 8);
}

TEST(Channel, RunsForeverWithoutBecomingEmpty) {
  Channel<int> channel(8);
  EXPECT_TRUE(channel.SendBatch({0, 1, 2}));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(channel.Send(i + 3));
    EXPECT_EQ(channel.Receive(), i);
  }
  EXPECT_EQ(channel.ReceiveBatch(), (std::vector<int>{1000, 1001, 1002}));
}

TEST(Channel, BatchThroughARendezvousPassesOneByOne) {
  Channel<int> channel(0);
  std::thread sender([&] { EXPECT_TRUE(channel.SendBatch({0, 1, 2})); });
  EXPECT_EQ(channel.ReceiveBatch(), (std::vector<int>{0}));
  EXPECT_EQ(channel.Receive(), 1);
  EXPECT_EQ(channel.Receive(), 2);
  sender.join();
}

TEST(Channel, BatchWakesEveryReceiverThatItServes) {
  Channel<int> channel(4);
  std::atomic<int> sum{0};
  std::vector<std::thread> receivers;
  for (int i = 0; i < 3; ++i) {
    receivers.emplace_back([&] { sum += channel.Receive().value_or(0); });
  }
  EXPECT_TRUE(channel.SendBatch({1, 2, 4}));
  for (std::thread& receiver : receivers) receiver.join();
  EXPECT_EQ(sum, 7);
}

TEST(Channel, RendezvousReturnsOnlyAfterTheItemIsTaken) {
  Channel<int> channel(0);
  std::atomic<bool> about_to_receive{false};
  std::thread receiver([&] {
    about_to_receive = true;
    EXPECT_EQ(channel.Receive(), 1);
  });
  EXPECT_TRUE(channel.Send(1));
  EXPECT_TRUE(about_to_receive);
  receiver.join();
}

TEST(Channel, RendezvousServesManySendersAndReceivers) {
  Channel<int> channel(0);
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 1; j <= 100; ++j) EXPECT_TRUE(channel.Send(j));
    });
    threads.emplace_back([&] {
      for (int j = 1; j <= 100; ++j) sum += channel.Receive().value_or(0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 4 * 5050);
}

TEST(Channel, CloseLetsWhatIsBufferedOut) {
  Channel<int> channel(4);
  EXPECT_TRUE(channel.SendBatch({1, 2, 3}));
  channel.Close();
  EXPECT_EQ(channel.Receive(), 1);
  EXPECT_EQ(channel.ReceiveBatch(), (std::vector<int>{2, 3}));
  EXPECT_EQ(channel.Receive(), std::nullopt);
  EXPECT_TRUE(channel.ReceiveBatch().empty());
}

TEST(Channel, SendAfterCloseIsRefused) {
  Channel<int> channel(4);
  channel.Close();
  channel.Close();  // idempotent
  EXPECT_FALSE(channel.Send(1));
  EXPECT_FALSE(channel.SendBatch({1, 2}));
  EXPECT_EQ(channel.Receive(), std::nullopt);
}

// Whether the sender waits already or comes later, its item is withdrawn.
TEST(Channel, CloseWithdrawsTheItemOfARendezvous) {
  Channel<int> channel(0);
  std::thread sender([&] { EXPECT_FALSE(channel.Send(1)); });
  channel.Close();
  sender.join();
  EXPECT_EQ(channel.Receive(), std::nullopt);
}

TEST(Channel, CloseEndsABatchInARendezvous) {
  Channel<int> channel(0);
  std::thread sender([&] { EXPECT_FALSE(channel.SendBatch({1, 2, 3})); });
  EXPECT_EQ(channel.Receive(), 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // 2 is offered
  channel.Close();
  sender.join();
}

TEST(Channel, CloseReleasesASenderAtAFullBuffer) {
  Channel<int> channel(1);
  EXPECT_TRUE(channel.Send(1));
  std::thread sender([&] { EXPECT_FALSE(channel.Send(2)); });
  channel.Close();
  sender.join();
  EXPECT_EQ(channel.Receive(), 1);
  EXPECT_EQ(channel.Receive(), std::nullopt);
}

TEST(Channel, CloseReleasesEveryReceiver) {
  Channel<int> channel(1);
  std::vector<std::thread> receivers;
  for (int i = 0; i < 3; ++i) {
    receivers.emplace_back([&] { EXPECT_EQ(channel.Receive(), std::nullopt); });
  }
  channel.Close();
  for (std::thread& receiver : receivers) receiver.join();
}

// --- Threads that wait already ----------------------------------------------
//
// A test above may pass by luck if its threads come late. Here they have time
// to fall asleep; one that comes late all the same only makes its test too
// easy.

void LetThemFallAsleep() {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

TEST(Channel, AnItemWakesTheReceiverThatWaits) {
  for (const size_t capacity : {0, 1}) {
    Channel<int> channel(capacity);
    for (int i = 1; i <= 3; ++i) {
      std::thread receiver([&] { EXPECT_EQ(channel.Receive(), i); });
      LetThemFallAsleep();
      EXPECT_TRUE(channel.Send(i));
      receiver.join();
    }
  }
}

TEST(Channel, ABatchWakesAllReceiversThatWait) {
  Channel<int> channel(4);
  std::atomic<int> sum{0};
  std::vector<std::thread> receivers;
  for (int i = 0; i < 3; ++i) {
    receivers.emplace_back([&] { sum += channel.Receive().value_or(0); });
  }
  LetThemFallAsleep();
  EXPECT_TRUE(channel.SendBatch({1, 2, 4}));
  for (std::thread& receiver : receivers) receiver.join();
  EXPECT_EQ(sum, 7);
}

TEST(Channel, WhatIsTakenWakesAllSendersThatWait) {
  Channel<int> channel(2);
  EXPECT_TRUE(channel.SendBatch({0, 0}));
  std::vector<std::thread> senders;
  for (int i = 0; i < 2; ++i) {
    senders.emplace_back([&] { EXPECT_TRUE(channel.Send(1)); });
  }
  LetThemFallAsleep();
  EXPECT_EQ(channel.ReceiveBatch(), (std::vector<int>{0, 0}));
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(channel.ReceiveBatch(), (std::vector<int>{1, 1}));
}

TEST(Channel, CloseWakesAllThatWait) {
  Channel<int> rendezvous(0);
  Channel<int> full(1);
  Channel<int> empty(1);
  EXPECT_TRUE(full.Send(0));
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] { EXPECT_FALSE(rendezvous.Send(1)); });
    threads.emplace_back([&] { EXPECT_FALSE(full.Send(1)); });
    threads.emplace_back([&] { EXPECT_EQ(empty.Receive(), std::nullopt); });
    threads.emplace_back([&] { EXPECT_TRUE(empty.ReceiveBatch().empty()); });
  }
  LetThemFallAsleep();
  for (Channel<int>* channel : {&rendezvous, &full, &empty}) channel->Close();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(rendezvous.Receive(), std::nullopt);
  EXPECT_EQ(full.ReceiveBatch(), (std::vector<int>{0}));
}

// What waits for a receiver may take seconds.
TEST(ChannelDeathTest, SendUnderALockDiesAtTheCall) {
  Channel<int> channel(4);
  Mutex mu;
  MutexLock lock(&mu);
  EXPECT_DEATH(channel.Send(1), "Channel::Send\\(\\) is called while");
  EXPECT_DEATH(channel.SendBatch({1}), "Channel::SendBatch\\(\\) is called");
}

// Every Send that returned true is received, and no other.
TEST(Channel, CloseInTheMidstLosesNothingThatWasAccepted) {
  for (const size_t capacity : {0, 1, 8}) {
    for (int round = 0; round < 50; ++round) {
      Channel<int> channel(capacity);
      std::atomic<int> accepted{0};
      std::thread sender([&] {
        while (channel.Send(1)) ++accepted;
      });
      int received = 0;
      for (int i = 0; i < round; ++i) received += *channel.Receive();
      channel.Close();
      while (channel.Receive().has_value()) ++received;
      sender.join();
      EXPECT_EQ(received, accepted) << "capacity " << capacity;
    }
  }
}

}  // namespace
}  // namespace base

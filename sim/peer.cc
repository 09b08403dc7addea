#include "sim/peer.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>

#include "sim/interpose.h"
#include "sim/raw.h"
#include "sim/sched.h"
#include "sim/sim.h"

namespace sim {
namespace {

// Bytes in order. Grows by the kernel's pages, so that the program's
// allocations stay where they are.
class Bytes {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  char* data() { return data_ + begin_; }

  // Room for `more` bytes at the end, which are then part of it.
  char* Extend(size_t more) {
    if (begin_ + size_ + more > capacity_) Grow(more);
    char* const end = data_ + begin_ + size_;
    size_ += more;
    return end;
  }

  void RemoveFirst(size_t count) {
    size_ -= count;
    begin_ = size_ == 0 ? 0 : begin_ + count;
  }

 private:
  void Grow(size_t more) {
    const size_t capacity = std::max(2 * (size_ + more), size_t{1} << 20);
    auto* const data = reinterpret_cast<char*>(
        RawSyscall(SYS_mmap, 0, static_cast<long>(capacity),
                   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    Copy(data, data_ + begin_, size_);
    if (data_ != nullptr) {
      RawSyscall(SYS_munmap, reinterpret_cast<long>(data_),
                 static_cast<long>(capacity_));
    }
    data_ = data;
    capacity_ = capacity;
    begin_ = 0;
  }

  char* data_ = nullptr;
  size_t begin_ = 0;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// What goes with the turn, before the bytes.
struct Header {
  Time now;
  Time next;      // the sender's earliest timer
  uint64_t size;  // of the bytes
  uint64_t ends;  // 1: every thread of both processes waits, without end
};

// Another process.
struct Peer {
  int socket = -1;
  bool is_gone = false;  // has ended
  Time next = 0;         // its earliest timer, as it said last
  Bytes received;
  Bytes to_send;
};

constinit Peer peers[kMaxPeers] = {};
constinit int peer_count = 0;
// This process was the first to send: it has one or more peers, which have no
// other than it, and it decides whose turn is next.
constinit bool is_hub = false;
constinit Peer* with_turn = nullptr;  // null: this process
constinit volatile bool waits_for_turn = false;

// Both return false if the other process has ended.
bool WriteAll(int socket, const void* data, size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const long count =
        RawSyscall(SYS_sendto, socket, reinterpret_cast<long>(bytes),
                   static_cast<long>(size), MSG_NOSIGNAL);
    if (count == -EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool ReadAll(int socket, void* data, size_t size) {
  char* bytes = static_cast<char*>(data);
  while (size > 0) {
    const long count =
        RawSyscall(SYS_recvfrom, socket, reinterpret_cast<long>(bytes),
                   static_cast<long>(size));
    if (count == -EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool GiveTurn(Peer* peer, Time next, bool ends) {
  const Header header = {scheduler.now(), next, peer->to_send.size(), ends};
  with_turn = peer;
  const bool is_there =
      WriteAll(peer->socket, &header, sizeof(header)) &&
      WriteAll(peer->socket, peer->to_send.data(), peer->to_send.size());
  peer->to_send.RemoveFirst(peer->to_send.size());
  return is_there;
}

bool TakeTurn(Peer* peer) {
  Header header;
  if (!ReadAll(peer->socket, &header, sizeof(header))) return false;
  constexpr uint64_t kMost = uint64_t{1} << 30;
  if (header.size > kMost) return false;
  const auto size = static_cast<size_t>(header.size);
  if (size > 0 && !ReadAll(peer->socket, peer->received.Extend(size), size)) {
    return false;
  }
  with_turn = nullptr;
  peer->next = header.next;
  scheduler.AdvanceTo(header.now);
  if (header.ends != 0) {
    scheduler.GiveUp(kExitDeadlock,
                     "every thread of all processes waits, and for no time to "
                     "come");
  }
  return true;
}

// Gives the turn and waits for it.
void LetRun(Peer* peer, Time next, bool ends) {
  waits_for_turn = true;
  const bool is_back =
      (with_turn == peer || GiveTurn(peer, next, ends)) && TakeTurn(peer);
  waits_for_turn = false;
  if (is_back) {
    scheduler.Wake(peer, Scheduler::kMaxThreads);
    return;
  }
  with_turn = nullptr;
  peer->is_gone = true;
  peer->next = kNever;
  peer->to_send.RemoveFirst(peer->to_send.size());
  scheduler.Wake(peer, Scheduler::kMaxThreads);
}

bool IsThere(const Peer& peer) { return peer.socket >= 0 && !peer.is_gone; }

// The peer to run before `next`: one that has been sent something, else the one
// with the earliest timer. Null if there is none.
Peer* NextPeer(Time next) {
  Peer* earliest = nullptr;
  for (int i = 0; i < peer_count; ++i) {
    Peer& peer = peers[i];
    if (!IsThere(peer)) continue;
    if (!peer.to_send.empty()) return &peer;
    if (peer.next < next) {
      earliest = &peer;
      next = peer.next;
    }
  }
  return earliest;
}

// Until when `peer` may run: what others have to do comes then.
Time LimitFor(const Peer* peer, Time next) {
  for (int i = 0; i < peer_count; ++i) {
    const Peer& other = peers[i];
    if (&other == peer || !IsThere(other)) continue;
    if (!other.to_send.empty()) return scheduler.now();
    next = std::min(next, other.next);
  }
  return next;
}

// No process has anything to do, ever: each says what its threads wait for.
void EndAll() {
  for (int i = 0; i < peer_count; ++i) {
    if (IsThere(peers[i])) LetRun(&peers[i], kNever, /*ends=*/true);
  }
}

bool IsKnown(int socket) {
  for (int i = 0; i < peer_count; ++i) {
    if (peers[i].socket == socket) return socket >= 0;
  }
  return false;
}

bool HasOption(int socket, int name, int wanted) {
  int value = 0;
  socklen_t size = sizeof(value);
  const long result =
      RawSyscall(SYS_getsockopt, socket, SOL_SOCKET, name,
                 reinterpret_cast<long>(&value), reinterpret_cast<long>(&size));
  return result == 0 && value == wanted;
}

// The first use of a first socket makes this process the hub or not.
Peer* PeerAt(int socket, bool sends) {
  Peer* free = nullptr;
  for (int i = 0; i < peer_count; ++i) {
    if (peers[i].socket == socket) return &peers[i];
    if (peers[i].socket < 0 && free == nullptr) free = &peers[i];
  }
  if (peer_count == 0) is_hub = sends;
  if (free == nullptr && peer_count < (is_hub ? kMaxPeers : 1)) {
    free = &peers[peer_count++];
  }
  if (free == nullptr) {
    scheduler.GiveUp(kExitUnsupported, "send() or recv() on too many sockets");
  }
  free->socket = socket;
  free->is_gone = false;
  free->next = 0;
  if (!is_hub) with_turn = free;
  return free;
}

}  // namespace

bool LeadsToPeer(int socket, int flags) {
  if (!IsKnown(socket) && (!HasOption(socket, SO_DOMAIN, AF_UNIX) ||
                           !HasOption(socket, SO_TYPE, SOCK_STREAM))) {
    return false;
  }
  if ((flags & ~MSG_NOSIGNAL) != 0) {
    scheduler.GiveUp(kExitUnsupported,
                     "send() or recv() with flags, on a socket that leads to "
                     "another simulated process");
  }
  return true;
}

ssize_t SendToPeer(int socket, const void* bytes, size_t size) {
  Peer* const peer = PeerAt(socket, /*sends=*/true);
  scheduler.Point(Op::kSend, nullptr);
  if (peer->is_gone) {
    errno = EPIPE;
    return -1;
  }
  Copy(peer->to_send.Extend(size), bytes, size);
  return static_cast<ssize_t>(size);
}

ssize_t ReceiveFromPeer(int socket, void* bytes, size_t size) {
  Peer* const peer = PeerAt(socket, /*sends=*/false);
  scheduler.Point(Op::kReceive, nullptr);
  while (peer->received.empty() && !peer->is_gone) {
    scheduler.Block(Wait::kPeer, peer, kNever);
  }
  const size_t count = std::min(size, peer->received.size());
  Copy(bytes, peer->received.data(), count);
  peer->received.RemoveFirst(count);
  // The number may come back as another socket's.
  if (count == 0 && size > 0) peer->socket = -1;
  return static_cast<ssize_t>(count);
}

bool AwaitPeer(Time next) {
  if (with_turn != nullptr) {
    LetRun(with_turn, next, /*ends=*/false);
    return true;
  }
  Peer* peer = NextPeer(next);
  if (peer == nullptr && next == kNever) {
    if (is_hub) EndAll();
    // The hub knows whether others have something to do.
    if (!is_hub && peer_count > 0 && IsThere(peers[0])) peer = &peers[0];
  }
  if (peer == nullptr) return false;
  LetRun(peer, LimitFor(peer, next), /*ends=*/false);
  return true;
}

bool WaitsForTurn() { return waits_for_turn; }

}  // namespace sim

using sim::OnSimulatedThread;
using sim::Real;

extern "C" {

ssize_t send(int socket, const void* bytes, size_t size, int flags) {
  if (!OnSimulatedThread() || !sim::LeadsToPeer(socket, flags)) {
    return Real().send(socket, bytes, size, flags);
  }
  return sim::SendToPeer(socket, bytes, size);
}

ssize_t recv(int socket, void* bytes, size_t size, int flags) {
  if (!OnSimulatedThread() || !sim::LeadsToPeer(socket, flags)) {
    return Real().recv(socket, bytes, size, flags);
  }
  return sim::ReceiveFromPeer(socket, bytes, size);
}

}  // extern "C"

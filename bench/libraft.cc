#include "bench/libraft.h"

#ifdef BENCH_LIBRAFT

extern "C" {
#include <raft.h>
}

#include <climits>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "bench/commands.h"

namespace bench {
namespace {

constexpr raft_id kServers = 3;
constexpr raft_time kTickMs = 100;
constexpr int kMostSteps = 10'000;  // of the clock, for one thing to happen

void Check(int error) { CHECK_EQ(error, 0) << raft_strerror(error); }

template <typename T>
T* Allocate(size_t count) {
  return static_cast<T*>(raft_malloc(count * sizeof(T)));
}

class Server;

// What the loop has still to do, in its order.
struct Event {
  Server* server = nullptr;
  raft_io_send* sent = nullptr;
  raft_io_append* appended = nullptr;
  raft_message message = {};  // received, if it is neither of these
};

// What the servers share.
struct World {
  std::deque<Event> events;
  std::vector<std::unique_ptr<Server>> servers;
  raft_time now_ms = 0;
  unsigned random = 1;
};

class Server {
 public:
  Server(World* world, raft_id id, size_t command_bytes)
      : world_(world), commands_(command_bytes) {
    io_.version = 2;
    io_.impl = this;
    io_.init = [](raft_io*, raft_id, const char*) { return 0; };
    io_.load = Load;
    io_.start = Start;
    io_.bootstrap = Bootstrap;
    io_.set_term = [](raft_io*, raft_term) { return 0; };
    io_.set_vote = [](raft_io*, raft_id) { return 0; };
    io_.send = Send;
    io_.append = Append;
    io_.truncate = [](raft_io*, raft_index) { return 0; };
    io_.time = [](raft_io* io) { return Of(io)->world_->now_ms; };
    io_.random = [](raft_io* io, int least, int most) {
      unsigned& last = Of(io)->world_->random;
      last = last * 1'103'515'245 + 12'345;
      return least + static_cast<int>(last >> 8) % (most - least);
    };
    fsm_.version = 1;
    fsm_.data = this;
    fsm_.apply = Apply;
    Check(raft_init(&raft_, &io_, &fsm_, id, absl::StrCat(id).c_str()));
    raft_set_snapshot_threshold(&raft_, UINT_MAX);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  raft* get() { return &raft_; }
  uint64_t applied() const { return applied_; }

  void Tick() { tick_(&io_); }
  void Handle(Event* event) {
    if (event->sent != nullptr) {
      event->sent->cb(event->sent, 0);
    } else if (event->appended != nullptr) {
      event->appended->cb(event->appended, 0);
    } else {
      receive_(&io_, &event->message);
    }
  }

 private:
  static Server* Of(raft_io* io) { return static_cast<Server*>(io->impl); }

  static int Bootstrap(raft_io* io, const raft_configuration* configuration) {
    return raft_configuration_encode(configuration, &Of(io)->configuration_);
  }

  // The log begins with the configuration.
  static int Load(raft_io* io, raft_term* term, raft_id* voted_for,
                  raft_snapshot** snapshot, raft_index* start_index,
                  raft_entry* entries[], size_t* count) {
    *term = 1;
    *voted_for = 0;
    *snapshot = nullptr;
    *start_index = 1;
    *count = 1;
    *entries = Allocate<raft_entry>(1);
    const raft_buffer& first = Of(io)->configuration_;
    **entries = {1, RAFT_CHANGE, first, first.base};
    return 0;
  }

  static int Start(raft_io* io, unsigned, raft_io_tick_cb tick,
                   raft_io_recv_cb receive) {
    Of(io)->tick_ = tick;
    Of(io)->receive_ = receive;
    return 0;
  }

  // The receiver owns the entries of a message, and frees their batch.
  static void CopyEntries(raft_append_entries* args) {
    if (args->n_entries == 0) return;
    size_t bytes = 0;
    for (unsigned i = 0; i < args->n_entries; ++i) {
      bytes += args->entries[i].buf.len;
    }
    char* const batch = Allocate<char>(bytes);
    auto* const copies = Allocate<raft_entry>(args->n_entries);
    char* end = batch;
    for (unsigned i = 0; i < args->n_entries; ++i) {
      copies[i] = args->entries[i];
      std::memcpy(end, copies[i].buf.base, copies[i].buf.len);
      copies[i].buf.base = end;
      copies[i].batch = batch;
      end += copies[i].buf.len;
    }
    args->entries = copies;
  }

  static int Send(raft_io* io, raft_io_send* request,
                  const raft_message* message, raft_io_send_cb done) {
    Server* const from = Of(io);
    World& world = *from->world_;
    request->cb = done;
    Event arrival{world.servers[message->server_id - 1].get(), nullptr, nullptr,
                  *message};
    arrival.message.server_id = from->raft_.id;
    arrival.message.server_address = from->raft_.address;
    if (message->type == RAFT_IO_APPEND_ENTRIES) {
      CopyEntries(&arrival.message.append_entries);
    }
    world.events.push_back({from, request, nullptr, {}});
    world.events.push_back(arrival);
    return 0;
  }

  static int Append(raft_io* io, raft_io_append* request, const raft_entry*,
                    unsigned, raft_io_append_cb done) {
    request->cb = done;
    Of(io)->world_->events.push_back({Of(io), nullptr, request, {}});
    return 0;
  }

  static int Apply(raft_fsm* fsm, const raft_buffer* command, void** result) {
    auto* const server = static_cast<Server*>(fsm->data);
    const std::string_view bytes(static_cast<const char*>(command->base),
                                 command->len);
    CHECK(server->commands_.Is(++server->applied_, bytes))
        << "command " << server->applied_ << " is not what was applied";
    *result = nullptr;
    return 0;
  }

  World* const world_;
  const Commands commands_;
  uint64_t applied_ = 0;
  raft_buffer configuration_ = {};
  raft_io_tick_cb tick_ = nullptr;
  raft_io_recv_cb receive_ = nullptr;
  raft_io io_ = {};
  raft_fsm fsm_ = {};
  raft raft_ = {};
};

}  // namespace

class Libraft::Cluster {
 public:
  explicit Cluster(size_t command_bytes) : commands_(command_bytes) {
    raft_configuration all;
    raft_configuration_init(&all);
    for (raft_id id = 1; id <= kServers; ++id) {
      const std::string address = absl::StrCat(id);
      Check(raft_configuration_add(&all, id, address.c_str(), RAFT_VOTER));
      world_.servers.push_back(
          std::make_unique<Server>(&world_, id, command_bytes));
    }
    for (const auto& server : world_.servers) {
      Check(raft_bootstrap(server->get(), &all));
      Check(raft_start(server->get()));
    }
    raft_configuration_close(&all);
    Await([this] { return FindLeader(); });
  }

  void Submit(uint64_t count) {
    std::vector<raft_buffer> buffers(count);
    for (raft_buffer& buffer : buffers) {
      const std::string_view command = commands_.Make(++submitted_);
      buffer = {Allocate<char>(command.size()), command.size()};
      std::memcpy(buffer.base, command.data(), command.size());
    }
    // The library owns the buffers from here on.
    Check(raft_apply(leader_->get(), new struct raft_apply, buffers.data(),
                     static_cast<unsigned>(count),
                     [](struct raft_apply* request, int status, void*) {
                       Check(status);
                       delete request;
                     }));
  }

  uint64_t submitted() const { return submitted_; }

  void AwaitLeader(uint64_t count) {
    Await([this, count] { return leader_->applied() >= count; });
  }
  void AwaitAll() {
    Await([this] {
      for (const auto& server : world_.servers) {
        if (server->applied() < submitted_) return false;
      }
      return true;
    });
  }

 private:
  bool FindLeader() {
    for (const auto& server : world_.servers) {
      if (raft_state(server->get()) == RAFT_LEADER) leader_ = server.get();
    }
    return leader_ != nullptr;
  }

  // Does what there is to do until `is_over`.
  template <typename Condition>
  void Await(const Condition& is_over) {
    for (int steps = 0; !is_over(); ++steps) {
      CHECK_LT(steps, kMostSteps) << "nothing happens any more";
      while (!world_.events.empty()) {
        Event event = world_.events.front();
        world_.events.pop_front();
        event.server->Handle(&event);
        if (is_over()) return;
      }
      world_.now_ms += kTickMs;
      for (const auto& server : world_.servers) server->Tick();
    }
  }

  Commands commands_;
  uint64_t submitted_ = 0;
  World world_;
  Server* leader_ = nullptr;
};

bool Libraft::IsThere() { return true; }

Libraft::Libraft(size_t command_bytes)
    : cluster_(std::make_unique<Cluster>(command_bytes)) {}
Libraft::~Libraft() = default;

void Libraft::Submit(uint64_t count) { cluster_->Submit(count); }
uint64_t Libraft::submitted() const { return cluster_->submitted(); }
void Libraft::AwaitLeader(uint64_t count) { cluster_->AwaitLeader(count); }
void Libraft::AwaitAll() { cluster_->AwaitAll(); }

}  // namespace bench

#else

namespace bench {

class Libraft::Cluster {};

bool Libraft::IsThere() { return false; }
Libraft::Libraft(size_t) {}
Libraft::~Libraft() = default;
void Libraft::Submit(uint64_t) {}
uint64_t Libraft::submitted() const { return 0; }
void Libraft::AwaitLeader(uint64_t) {}
void Libraft::AwaitAll() {}

}  // namespace bench

#endif

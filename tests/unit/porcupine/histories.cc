#include "tests/unit/porcupine/histories.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "porcupine/operations.h"
#include "porcupine/search.h"

namespace porcupine {
namespace {

Record Make(Kind kind, int64_t call, int64_t returned) {
  Record record;
  record.key = "k";
  record.kind = kind;
  record.call = call;
  record.returned = returned;
  return record;
}

class Clients {
 public:
  explicit Clients(const Load& load)
      : load_(load), random_(load.seed), free_at_(load.clients, 0) {}

  // Operations without results, and the moments of their execution.
  void Call() {
    for (int i = 0; i < load_.operations; ++i) {
      const auto client = std::min_element(free_at_.begin(), free_at_.end());
      Record record;
      record.client = client - free_at_.begin();
      record.key = absl::StrCat("k", Below(load_.keys));
      record.call = *client + Below(3);
      record.returned = record.call + 2000 + Below(18000);
      *client = *record.returned + 1;
      Choose(&record);
      moments_.push_back(record.call +
                         Below(*record.returned - record.call + 1));
      history_.push_back(std::move(record));
    }
  }

  // Executes them in the order of these moments.
  History Execute() {
    std::vector<size_t> order(history_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return moments_[a] < moments_[b];
    });
    uint64_t index = 0;
    for (const size_t i : order) {
      ExecuteOne(&history_[i]);
      if (load_.logged) history_[i].log_index = ++index;
    }
    return std::move(history_);
  }

 private:
  int64_t Below(int64_t n) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(n));
  }

  void Choose(Record* record) {
    const int64_t dice = Below(100);
    const int put = load_.put_percent;
    if (load_.versioned) {
      record->kind = dice < put ? Kind::kVersionedPut : Kind::kVersionedGet;
    } else if (dice < put) {
      record->kind = Kind::kPut;
    } else if (dice < put + load_.append_percent) {
      record->kind = Kind::kAppend;
    }
    if (record->kind != Kind::kGet && record->kind != Kind::kVersionedGet) {
      record->argument =
          absl::StrCat("x ", record->client, " ", ++writes_, " y");
    }
  }

  void ExecuteOne(Record* record) {
    State& state = states_[record->key];
    switch (record->kind) {
      case Kind::kPut:
        state.value.clear();
        [[fallthrough]];
      case Kind::kAppend:
        state.value += record->argument;
        ++state.version;
        break;
      case Kind::kVersionedPut:
        // Mostly the right version.
        record->version = state.version - (state.version > 0 && Below(4) == 0);
        if (record->version != state.version) {
          record->answer = Answer::kErrVersion;
          break;
        }
        if (Below(8) == 0) record->answer = Answer::kErrMaybe;
        state = {record->argument, state.version + 1};
        break;
      case Kind::kVersionedGet:
        record->result_version = state.version;
        [[fallthrough]];
      default:
        record->result = state.value;
    }
  }

  const Load load_;
  std::mt19937_64 random_;
  std::vector<int64_t> free_at_;
  int writes_ = 0;
  History history_;
  std::vector<int64_t> moments_;
  std::map<std::string, State> states_;
};

}  // namespace

Record Get(int64_t call, int64_t returned, const std::string& value) {
  Record record = Make(Kind::kGet, call, returned);
  record.result = value;
  return record;
}

Record Put(int64_t call, int64_t returned, const std::string& value) {
  Record record = Make(Kind::kPut, call, returned);
  record.argument = value;
  return record;
}

Record Append(int64_t call, int64_t returned, const std::string& value) {
  Record record = Make(Kind::kAppend, call, returned);
  record.argument = value;
  return record;
}

Record VersionedGet(int64_t call, int64_t returned, const std::string& value,
                    uint64_t version) {
  Record record = Make(Kind::kVersionedGet, call, returned);
  record.result = value;
  record.result_version = version;
  return record;
}

Record VersionedPut(int64_t call, int64_t returned, const std::string& value,
                    uint64_t version, Answer answer) {
  Record record = Make(Kind::kVersionedPut, call, returned);
  record.argument = value;
  record.version = version;
  record.answer = answer;
  return record;
}

Record Pending(Record record) {
  record.returned.reset();
  return record;
}

Record Of(int64_t client, Record record) {
  record.client = client;
  return record;
}

Verdict MustCheck(const History& history, const Options& options) {
  absl::StatusOr<Verdict> verdict = Check(history, options);
  EXPECT_TRUE(verdict.ok()) << verdict.status();
  return *std::move(verdict);
}

Outcome OutcomeOf(const History& history) { return MustCheck(history).outcome; }

Outcome SearchAlone(const History& history) {
  std::vector<size_t> places(history.size());
  std::iota(places.begin(), places.end(), 0);
  Budget budget;
  return Search(MakeOperations(history, places), {State{}}, &budget).outcome;
}

History ValidHistory(const Load& load) {
  Clients clients(load);
  clients.Call();
  return clients.Execute();
}

}  // namespace porcupine

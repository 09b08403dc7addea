#include "tests/shardkv/key_values.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/kvraft/pace.h"

namespace tests {

using harness::Place;
using harness::ShardClient;
using harness::ShardCluster;
using std::chrono::milliseconds;

KeyValues::KeyValues(ShardCluster* cluster, int count, int length, Place place)
    : cluster_(cluster),
      client_(cluster->MakeClient()),
      random_(base::Random::ForOwner("values")) {
  for (int i = 0; i < count; ++i) {
    values_.push_back(random_.Name(length));
    client_->Put(Key(values_.size() - 1), values_.back(), place);
  }
}

std::string KeyValues::Key(size_t i) { return absl::StrCat(i); }

void KeyValues::Check(Place place) { CheckFirst(size(), place); }

void KeyValues::CheckFirst(size_t count, Place place) {
  for (size_t i = 0; i < count; ++i) {
    cluster_->Check(client_.get(), Key(i), values_[i], place);
  }
}

void KeyValues::CheckAndAppend(int length, Place place) {
  for (size_t i = 0; i < size(); ++i) {
    cluster_->Check(client_.get(), Key(i), values_[i], place);
    const std::string more = random_.Name(length);
    client_->Append(Key(i), more, place);
    values_[i] += more;
  }
}

Appenders::Appenders(ShardCluster* cluster, KeyValues* values, int length,
                     milliseconds pause, Place place)
    : cluster_(cluster), values_(values), threads_([this, cluster] {
        stopped_ = true;
        cluster->stage().CheckHasFailed();
      }) {
  for (size_t i = 0; i < values->size(); ++i) {
    cluster->Spawn(&threads_, [this, i, length, pause, place] {
      const std::shared_ptr<ShardClient> client = cluster_->MakeClient();
      base::Random random =
          base::Random::ForOwner(absl::StrCat("appender/", i));
      std::string& value = values_->values_[i];
      while (!stopped_) {
        const std::string more = random.Name(length);
        client->Append(KeyValues::Key(i), more, place);
        value += more;
        if (pause > pause.zero()) {
          std::this_thread::sleep_for(pause);
        } else {
          AwaitRound(milliseconds(10));
        }
      }
    });
  }
}

void Appenders::StopAndCheck(Place place) {
  stopped_ = true;
  threads_.Join();
  cluster_->stage().CheckError(place);
  values_->Check(place);
}

}  // namespace tests

#include "bench/databases.h"

#include <cstdint>
#include <memory>

#include "base/logging.h"

#ifdef BENCH_LEVELDB
#include <leveldb/db.h>
#include <leveldb/write_batch.h>
#endif
#ifdef BENCH_ROCKSDB
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#endif

namespace bench {
namespace {

// Big-endian, so that keys are in the order of the indexes.
[[maybe_unused]] std::string KeyOf(uint64_t index) {
  std::string key;
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(index >> shift));
  }
  return key;
}

// Both have the same interface.
template <typename Db, typename Batch, typename WriteOptions>
[[maybe_unused]] Database::Write WriterOf(Db* opened) {
  const std::shared_ptr<Db> db(opened);
  auto next = std::make_shared<uint64_t>(1);
  return [db, next](std::string_view values, size_t size) {
    Batch batch;
    for (; !values.empty(); values.remove_prefix(size)) {
      batch.Put(KeyOf((*next)++), {values.data(), size});
    }
    WriteOptions options;
    options.sync = true;
    const auto status = db->Write(options, &batch);
    CHECK(status.ok()) << status.ToString();
  };
}

#ifdef BENCH_LEVELDB
Database::Write OpenLevelDb(const std::string& path) {
  leveldb::Options options;
  options.create_if_missing = true;
  leveldb::DB* db = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, path, &db);
  CHECK(status.ok()) << status.ToString();
  return WriterOf<leveldb::DB, leveldb::WriteBatch, leveldb::WriteOptions>(db);
}
#endif

#ifdef BENCH_ROCKSDB
Database::Write OpenRocksDb(const std::string& path) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, &db);
  CHECK(status.ok()) << status.ToString();
  return WriterOf<rocksdb::DB, rocksdb::WriteBatch, rocksdb::WriteOptions>(db);
}
#endif

}  // namespace

std::vector<Database> Databases() {
  std::vector<Database> databases;
#ifdef BENCH_LEVELDB
  databases.push_back({"leveldb", OpenLevelDb});
#endif
#ifdef BENCH_ROCKSDB
  databases.push_back({"rocksdb", OpenRocksDb});
#endif
  return databases;
}

}  // namespace bench

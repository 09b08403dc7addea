// Arguments and replies of any method, as they are on the network.

#ifndef TESTS_ISOLATION_RAW_BYTES_H_
#define TESTS_ISOLATION_RAW_BYTES_H_

#include <string>

#include "rpc/codec.h"
#include "rpc/rpc.h"

namespace isolation {

struct RawBytes {
  std::string bytes;
};

inline void save(rpc::ByteWriter& writer, const RawBytes& value) {
  writer.Write(value.bytes.data(), value.bytes.size());
}

inline void load(rpc::ByteReader& reader, RawBytes& value) {
  value.bytes.resize(reader.remaining());
  reader.Read(value.bytes.data(), value.bytes.size());
}

using RawMethod = rpc::Method<RawBytes, RawBytes>;

}  // namespace isolation

#endif  // TESTS_ISOLATION_RAW_BYTES_H_

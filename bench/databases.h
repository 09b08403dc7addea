// Debian's databases, as logs: a value for each entry, under its index. Those
// that were not there when this was built are left out.
//
// Thread safety: what is opened is used by one thread at a time.

#ifndef BENCH_DATABASES_H_
#define BENCH_DATABASES_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct Database {
  // Appends values that lie one after the other, each of `size` bytes, with one
  // flush.
  using Write = std::function<void(std::string_view values, size_t size)>;

  std::string name;
  std::function<Write(const std::string& path)> open;  // a new one
};

std::vector<Database> Databases();

}  // namespace bench

#endif  // BENCH_DATABASES_H_

// A directory for the files of one case: on the disk that the tree is on, for
// the temporary directory may be in memory. It is removed at the end.
//
// Thread safety: immutable.

#ifndef BENCH_BENCH_DIRECTORY_H_
#define BENCH_BENCH_DIRECTORY_H_

#include <filesystem>
#include <string>

namespace bench {

class BenchDirectory {
 public:
  BenchDirectory() {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~BenchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  BenchDirectory(const BenchDirectory&) = delete;
  BenchDirectory& operator=(const BenchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_ = "out/bench_disk";
};

}  // namespace bench

#endif  // BENCH_BENCH_DIRECTORY_H_

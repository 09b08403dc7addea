// storage_dump --dir=DIR: prints what is in the directory of a FileStorage, and
// checks it, without changing it. Called by `make storage-dump`. The exit
// status is 0 if all is whole, 2 for a wrong command line, or as in
// persister/storage.h.

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "base/flags.h"
#include "persister/files/dump.h"
#include "persister/files/posix_files.h"
#include "persister/storage.h"

ABSL_FLAG(std::string, dir, "", "the directory");

namespace {

constexpr int kUsage = 2;

int Refuse(const std::string& problem, int exit_status) {
  std::cerr << "storage_dump: " << problem << "\n";
  return exit_status;
}

}  // namespace

int main(int argc, char** argv) {
  const absl::StatusOr<base::CommandLine> line = base::ParseFlags(argc, argv);
  if (!line.ok()) return Refuse(std::string(line.status().message()), kUsage);
  if (line->help) {
    std::cout << "storage_dump --dir=DIR; persister/files/README.md has the "
                 "format\n";
    return EXIT_SUCCESS;
  }
  const std::string directory = absl::GetFlag(FLAGS_dir);
  if (directory.empty()) {
    return Refuse("give a directory: make storage-dump DIR=...", kUsage);
  }
  persister::PosixFiles files;
  const absl::Status status = persister::Dump(&files, directory, std::cout);
  if (status.ok()) return EXIT_SUCCESS;
  return Refuse(std::string(status.message()), persister::ExitStatusOf(status));
}

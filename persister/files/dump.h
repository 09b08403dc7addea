// Prints what is in a directory, for a person, and checks it.
//
// Thread safety: pure functions of what is on the disk, which they do not
// change.

#ifndef PERSISTER_FILES_DUMP_H_
#define PERSISTER_FILES_DUMP_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "persister/files/files.h"

namespace persister {

// One line for each segment, batch and record, and one for what it all comes
// to. Fails as opening it would; FailedPrecondition also while it is used.
absl::Status Dump(Files* files, const std::string& directory,
                  std::ostream& out);

}  // namespace persister

#endif  // PERSISTER_FILES_DUMP_H_

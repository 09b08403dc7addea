// How the oracle reads the disks of the Raft under test.

#ifndef TESTS_ORACLE_DISK_H_
#define TESTS_ORACLE_DISK_H_

#include "tests/oracle/oracle.h"

namespace oracle {

// By raft/saved_state.h; null if the Raft under test does not offer it.
DecodeDisk DecoderOfTheRaft();

}  // namespace oracle

#endif  // TESTS_ORACLE_DISK_H_

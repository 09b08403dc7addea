// The one place that includes glog: CHECK, LOG and VLOG for every folder.
//
// Why one place: newer glog versions want their own export macro defined before
// the first include; the Makefile takes it from pkg-config, and no other file
// has to know. Initialize glog once, in main(), before any thread starts.
//
// Thread safety: glog's macros may be used from any thread.

#ifndef BASE_LOGGING_H_
#define BASE_LOGGING_H_

#include <glog/logging.h>  // IWYU pragma: export

#endif  // BASE_LOGGING_H_

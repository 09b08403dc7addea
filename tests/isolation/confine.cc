// raft_confine PROGRAM [ARGUMENT...]: runs a program that is not to be trusted,
// as a process that can compute, start threads, read the system's files, and
// use the descriptors that it was given, and can do nothing else: neither start
// nor signal or trace a process, nor write or delete a file, nor open a socket,
// nor leave its process group. The kernel ends it with its parent.
//
// What this needs is in every kernel that Debian has (seccomp); where the
// kernel also has Landlock, it can read nothing but the system's files and its
// own.

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "raft_confine: %s: %s\n", what.c_str(),
               std::strerror(errno));
  std::exit(127);
}

// ------------------------------------------------------------ system calls

// Refused whatever the arguments are.
constexpr std::array kRefused = {
    // Processes, signals, other processes' memory.
    "fork", "vfork", "setsid", "setpgid", "kill", "tkill", "rt_sigqueueinfo",
    "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal", "pidfd_getfd",
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
    "process_mrelease", "kcmp", "setpriority", "ioprio_set", "migrate_pages",
    "move_pages", "sched_setscheduler", "sched_setparam", "sched_setattr",
    // Files.
    "creat", "mkdir", "mkdirat", "mknod", "mknodat", "rmdir", "unlink",
    "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
    "symlinkat", "truncate", "chmod", "fchmod", "fchmodat", "chown", "fchown",
    "lchown", "fchownat", "utime", "utimes", "utimensat", "futimesat",
    "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr",
    "fremovexattr", "name_to_handle_at", "open_by_handle_at", "mount",
    "umount2", "move_mount", "open_tree", "fsopen", "pivot_root", "chroot",
    // Talking to others.
    "socket", "socketpair", "connect", "bind", "listen", "shmget", "shmat",
    "semget", "msgget", "mq_open",
    // Other ways to any of these, and what no Raft needs.
    "io_uring_setup", "unshare", "setns", "bpf", "perf_event_open",
    "userfaultfd", "add_key", "request_key", "keyctl", "seccomp"};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW)) {
    if (context_ == nullptr) Fail("seccomp_init");
  }
  ~Filter() { seccomp_release(context_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  // A call that this machine's architecture lacks needs no rule.
  void Refuse(const char* call, int error = EPERM) {
    const int number = seccomp_syscall_resolve_name(call);
    if (number == __NR_SCMP_ERROR) return;
    Check(seccomp_rule_add(context_, SCMP_ACT_ERRNO(error), number, 0));
  }

  // Refuses the call if an argument compares so.
  void RefuseIf(int number, scmp_arg_cmp argument) {
    Check(
        seccomp_rule_add(context_, SCMP_ACT_ERRNO(EPERM), number, 1, argument));
  }

  void Load() { Check(seccomp_load(context_)); }

 private:
  static void Check(int result) {
    if (result == 0) return;
    errno = -result;
    Fail("seccomp");
  }

  scmp_filter_ctx context_;
};

scmp_arg_cmp Argument(unsigned number, scmp_compare compare, uint64_t a,
                      uint64_t b = 0) {
  return {number, compare, a, b};
}

void RestrictSystemCalls() {
  Filter filter;
  for (const char* const call : kRefused) filter.Refuse(call);
  // glibc then takes the older ones, whose arguments a filter can see.
  filter.Refuse("clone3", ENOSYS);
  filter.Refuse("openat2", ENOSYS);
  // Threads are no processes.
  filter.RefuseIf(SCMP_SYS(clone),
                  Argument(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  // abort() signals its own process.
  filter.RefuseIf(SCMP_SYS(tgkill),
                  Argument(0, SCMP_CMP_NE, static_cast<uint64_t>(getpid())));
  for (const int mode : {O_WRONLY, O_RDWR}) {
    const auto value = static_cast<uint64_t>(mode);
    filter.RefuseIf(SCMP_SYS(open),
                    Argument(1, SCMP_CMP_MASKED_EQ, O_ACCMODE, value));
    filter.RefuseIf(SCMP_SYS(openat),
                    Argument(2, SCMP_CMP_MASKED_EQ, O_ACCMODE, value));
  }
  for (const int flag : {O_CREAT, O_TRUNC}) {
    const auto value = static_cast<uint64_t>(flag);
    filter.RefuseIf(SCMP_SYS(open),
                    Argument(1, SCMP_CMP_MASKED_EQ, value, value));
    filter.RefuseIf(SCMP_SYS(openat),
                    Argument(2, SCMP_CMP_MASKED_EQ, value, value));
  }
  // Its own limits and processors, not another's.
  filter.RefuseIf(SCMP_SYS(prlimit64), Argument(0, SCMP_CMP_NE, 0));
  filter.RefuseIf(SCMP_SYS(sched_setaffinity), Argument(0, SCMP_CMP_NE, 0));
  // The kernel signals the owner of a file that may be read or written.
  for (const int command : {F_SETOWN, F_SETOWN_EX, F_SETSIG}) {
    filter.RefuseIf(SCMP_SYS(fcntl),
                    Argument(1, SCMP_CMP_EQ, static_cast<uint64_t>(command)));
  }
  for (const auto request : {FIOSETOWN, SIOCSPGRP}) {
    filter.RefuseIf(SCMP_SYS(ioctl), Argument(1, SCMP_CMP_EQ, request));
  }
  filter.RefuseIf(
      SCMP_SYS(prctl),
      Argument(0, SCMP_CMP_EQ, static_cast<uint64_t>(PR_SET_PDEATHSIG)));
  filter.Load();
}

// ------------------------------------------------------------------- files

void AllowReading(int ruleset, const char* path, uint64_t access) {
  landlock_path_beneath_attr rule = {};
  rule.allowed_access = access;
  rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
  if (rule.parent_fd < 0) return;  // not on this machine
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
              0) != 0) {
    Fail(path);
  }
  close(rule.parent_fd);
}

void RestrictFiles(const char* program) {
  constexpr uint64_t kReadFile =
      LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
  constexpr uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
  landlock_ruleset_attr attributes = {};
  attributes.handled_access_fs = kRead;
  const auto ruleset = static_cast<int>(
      syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0));
  if (ruleset < 0) return;  // this kernel has no Landlock
  for (const char* const path :
       {"/usr", "/lib", "/lib64", "/lib32", "/etc", "/proc", "/sys",
        "/dev/null", "/dev/urandom"}) {
    AllowReading(ruleset, path, path[1] == 'd' ? kReadFile : kRead);
  }
  AllowReading(ruleset, program, kReadFile);
  if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) Fail("landlock");
  close(ruleset);
}

// ------------------------------------------------------------------ limits

void Limit(__rlimit_resource_t resource, rlim_t most) {
  const rlimit limit = {most, most};
  setrlimit(resource, &limit);
}

void RestrictResources() {
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_NOFILE, 256);
  Limit(RLIMIT_CPU, 600);
  const char* const gigabytes = std::getenv("RAFT_MEMORY_GB");
  if (gigabytes != nullptr && std::atoi(gigabytes) > 0) {
    Limit(RLIMIT_DATA, static_cast<rlim_t>(std::atoi(gigabytes)) << 30);
  }
  // If memory gets short this process goes first.
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "1000", 4) < 0) Fail("oom_score_adj");
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: raft_confine PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  RestrictResources();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail("no_new_privs");
  RestrictFiles(argv[1]);
  RestrictSystemCalls();
  execv(argv[1], argv + 1);
  Fail(argv[1]);
}

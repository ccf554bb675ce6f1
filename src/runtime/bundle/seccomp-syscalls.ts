/**
 * The system calls that every container may use, grouped by what they are for. The set is the one that Docker
 * documents for its default profile ("Seccomp security profiles for Docker"); names that an architecture or a
 * library version does not know are skipped by the runtimes.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const FILES = words(`
  access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
  fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64
  fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents
  getdents64 ioctl lchown lchown32 link linkat listmount _llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat
  name_to_handle_at newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead
  readlink readlinkat readv rename renameat renameat2 rmdir sendfile sendfile64 splice stat stat64 statfs statfs64
  statmount statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime
  utimensat utimensat_time64 utimes vmsplice write writev
`);

const EXTENDED_ATTRIBUTES = words(`
  fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr
  lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat
`);

const WAITING_FOR_EVENTS = words(`
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
  eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy
  io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect pipe pipe2 poll ppoll ppoll_time64
  pselect6 pselect6_time64 select signalfd signalfd4
`);

const MEMORY = words(`
  brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap
  mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease
  remap_file_pages
`);

const PROCESSES = words(`
  capget capset execve execveat exit exit_group fork getcpu getpgid getpgrp getpid getppid getpriority getrlimit
  getrusage getsid gettid get_thread_area ioprio_get ioprio_set landlock_add_rule landlock_create_ruleset
  landlock_restrict_self pidfd_open prctl prlimit64 riscv_hwprobe rseq sched_getaffinity sched_getattr
  sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
  sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
  setpgid setpriority setrlimit setsid set_thread_area set_tid_address sysinfo times ugetrlimit uname uretprobe
  vfork wait4 waitid waitpid
`);

const IDENTITIES = words(`
  getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid
  getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid
  setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32
`);

const SIGNALS = words(`
  kill pause pidfd_send_signal restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
  rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask
  sigreturn tgkill tkill
`);

const SYNCHRONISATION = words(`
  futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list set_robust_list ipc
  mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
  msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
`);

const SOCKETS = words(`
  accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64
  recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair
`);

const TIME = words(`
  adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 getitimer getrandom gettimeofday nanosleep setitimer time timer_create
  timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
  timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
`);

/** Everything above. */
export const ALWAYS_ALLOWED: readonly string[] = [
  ...FILES,
  ...EXTENDED_ATTRIBUTES,
  ...WAITING_FOR_EVENTS,
  ...MEMORY,
  ...PROCESSES,
  ...IDENTITIES,
  ...SIGNALS,
  ...SYNCHRONISATION,
  ...SOCKETS,
  ...TIME,
];

/** Looking into other processes: safe since Linux 4.8, where seccomp is checked after the tracer had its turn. */
export const TRACING: readonly string[] = words('process_vm_readv process_vm_writev ptrace');

/** What a capability is for, beyond what everybody may use. */
export const BY_CAPABILITY: Readonly<Record<string, readonly string[]>> = {
  CAP_DAC_READ_SEARCH: words('open_by_handle_at'),
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount
    open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare
  `),
  CAP_SYS_BOOT: words('reboot'),
  CAP_SYS_CHROOT: words('chroot'),
  CAP_SYS_MODULE: words('delete_module finit_module init_module'),
  CAP_SYS_PACCT: words('acct'),
  CAP_SYS_PTRACE: words(
    'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  ),
  CAP_SYS_RAWIO: words('ioperm iopl'),
  CAP_SYS_TIME: words('clock_settime clock_settime64 settimeofday stime'),
  CAP_SYS_TTY_CONFIG: words('vhangup'),
  CAP_SYS_NICE: words('get_mempolicy mbind set_mempolicy set_mempolicy_home_node'),
  CAP_SYSLOG: words('syslog'),
  CAP_BPF: words('bpf'),
  CAP_PERFMON: words('perf_event_open'),
};

/** What only some architectures have, by Go's names. */
export const BY_ARCHITECTURE: readonly {
  names: readonly string[];
  architectures: readonly string[];
}[] = [
  {
    names: words(
      'arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2',
    ),
    architectures: ['arm', 'arm64'],
  },
  { names: words('arch_prctl'), architectures: ['amd64'] },
  { names: words('modify_ldt'), architectures: ['amd64'] },
  { names: words('sync_file_range2 swapcontext'), architectures: ['ppc64le'] },
  { names: words('riscv_flush_icache'), architectures: ['riscv64'] },
  {
    names: words('s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr'),
    architectures: ['s390x'],
  },
];

/** Calls whose work a single mapped id cannot do: they are answered with success and do nothing. */
export const IDENTITY_CHANGES: readonly string[] = words(`
  chown chown32 fchown fchown32 fchownat lchown lchown32 mknod mknodat setfsgid setfsgid32 setfsuid setfsuid32 setgid
  setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32
  setuid setuid32
`);

//! The heap of the process.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::ffi::c_int;

/// `M_ARENA_MAX` of `malloc.h`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: c_int = -8;

/// `M_TOP_PAD` of `malloc.h`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const PAD: c_int = -2;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    fn mallopt(parameter: c_int, value: c_int) -> c_int;
}

/// One heap for all threads, that grows by a megabyte. A command does nearly all its work on one thread that is not
/// the first, whose own heap glibc would let grow page by page, with a system call each time: a tenth of a short run.
/// Other libraries are left as they are.
pub fn one_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes two ints, may be called at any time, and where it refuses nothing changes.
    unsafe {
        mallopt(ARENAS, 1);
        mallopt(PAD, 1 << 20);
    }
}

//! Host functions that compiled code calls beside the machine functions and kernels.

use crate::math::functions;

/// Copies bytes between parts of the arena, which may overlap.
///
/// # Safety
/// Both ranges lie in the arena.
pub(super) unsafe extern "C" fn copy(target: *mut u8, source: *const u8, bytes: usize) {
    // SAFETY: by the caller's promise.
    unsafe { std::ptr::copy(source, target, bytes) };
}

/// Sets bytes of the arena to zero.
///
/// # Safety
/// The range lies in the arena.
pub(super) unsafe extern "C" fn clear(target: *mut u8, bytes: usize) {
    // SAFETY: by the caller's promise.
    unsafe { std::ptr::write_bytes(target, 0, bytes) };
}

/// A power of the number of which these are the powers.
///
/// # Safety
/// There are 256 of them.
pub(super) unsafe extern "C" fn power_of(powers: *const f64, n: i64) -> f64 {
    // SAFETY: by the caller's promise.
    functions::power_of(unsafe { std::slice::from_raw_parts(powers, 256) }, n)
}

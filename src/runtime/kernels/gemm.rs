//! `gemm`: matrix products by a library.
//!
//! Numbers: `batch, m, k, n`, then for each of `a`, `b` and `c` in elements: start, and how far
//! apart rows, columns and members of the batch are.

use super::call::Call;
use crate::runtime::Context;

/// What the library multiplies.
pub(super) trait Multiply: Copy {
    /// `c = a b`.
    ///
    /// # Safety
    /// As for the library: every element that the sizes and strides reach lies in its array.
    unsafe fn multiply(
        m: usize,
        k: usize,
        n: usize,
        a: (*const Self, isize, isize),
        b: (*const Self, isize, isize),
        c: (*mut Self, isize, isize),
    );
}

impl Multiply for f64 {
    unsafe fn multiply(
        m: usize,
        k: usize,
        n: usize,
        a: (*const f64, isize, isize),
        b: (*const f64, isize, isize),
        c: (*mut f64, isize, isize),
    ) {
        // SAFETY: by the caller's promise.
        unsafe {
            matrixmultiply::dgemm(m, k, n, 1.0, a.0, a.1, a.2, b.0, b.1, b.2, 0.0, c.0, c.1, c.2);
        }
    }
}

impl Multiply for f32 {
    unsafe fn multiply(
        m: usize,
        k: usize,
        n: usize,
        a: (*const f32, isize, isize),
        b: (*const f32, isize, isize),
        c: (*mut f32, isize, isize),
    ) {
        // SAFETY: by the caller's promise.
        unsafe {
            matrixmultiply::sgemm(m, k, n, 1.0, a.0, a.1, a.2, b.0, b.1, b.2, 0.0, c.0, c.1, c.2);
        }
    }
}

/// Matrix products.
///
/// # Safety
/// As for [`Call::new`]; the numbers come from a plan, which took them from indices in range.
pub unsafe extern "C" fn gemm<T: Multiply>(context: *mut Context, arena: *mut u8, record: *const i64) {
    // SAFETY: by the caller's promise.
    let call = unsafe { Call::new(context, arena, record) };
    let [batch, m, k, n] = [0, 1, 2, 3].map(|at| call.sized(at));
    let distance = |at: usize| isize::try_from(call.number(at)).unwrap_or(0);
    for member in 0..batch {
        let member = isize::try_from(member).unwrap_or(0);
        let start = |first: usize| distance(first) + member * distance(first + 3);
        // SAFETY: by the caller's promise.
        unsafe {
            let a = call.operand::<T>(0).as_ptr().offset(start(4));
            let b = call.operand::<T>(1).as_ptr().offset(start(8));
            let c = call.out::<T>().as_mut_ptr().offset(start(12));
            T::multiply(
                m,
                k,
                n,
                (a, distance(5), distance(6)),
                (b, distance(9), distance(10)),
                (c, distance(13), distance(14)),
            );
        }
    }
}

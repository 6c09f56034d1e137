//! `gemm`: matrix products by a library.
//!
//! Numbers: `batch, m, k, n`, then for each of `a`, `b` and `c` in elements: start, and how far
//! apart rows, columns and members of the batch are; then whether zero times anything is zero (0 or
//! 1); then how many rows and columns of `c` are one part. Parts run on several threads. To the library zero times infinite is NaN, so only what is NaN then is multiplied again by hand.

use super::call::Call;
use crate::runtime::Context;
use crate::runtime::pool::{Shared, each};

/// Batches of fewer multiplications stay on one thread.
const LARGE: usize = 1 << 20;

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

    /// Zero.
    const ZERO: Self;

    /// `sum + a b`, but `sum` where a factor is zero.
    fn add_masked(sum: Self, a: Self, b: Self) -> Self;

    /// Whether it is NaN.
    fn is_nan(self) -> bool;
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

    const ZERO: f64 = 0.0;

    fn add_masked(sum: f64, a: f64, b: f64) -> f64 {
        if a == 0.0 || b == 0.0 { sum } else { sum + a * b }
    }

    fn is_nan(self) -> bool {
        f64::is_nan(self)
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

    const ZERO: f32 = 0.0;

    fn add_masked(sum: f32, a: f32, b: f32) -> f32 {
        if a == 0.0 || b == 0.0 { sum } else { sum + a * b }
    }

    fn is_nan(self) -> bool {
        f32::is_nan(self)
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
    let numbers: [isize; 12] = std::array::from_fn(|at| isize::try_from(call.number(4 + at)).unwrap_or(0));
    let masked = call.number(16) != 0;
    let [rows, columns] = [17, 18].map(|at| call.sized(at).max(1));
    let [down, across] = [m.div_ceil(rows), n.div_ceil(columns)];
    // SAFETY: by the caller's promise.
    let (a, b, c) = unsafe { (call.operand::<T>(0), call.operand::<T>(1), call.out::<T>()) };
    let (a, b, c) = (Shared(a.as_ptr()), Shared(b.as_ptr()), Shared(c.as_mut_ptr().cast_const()));
    // Entering the threads costs more than small products do.
    let threads = if batch * m * k * n < LARGE { 1 } else { call.threads() };
    each(threads, batch * down * across, &|part| {
        let (member, place) = (part / (down * across), part % (down * across));
        let [i, j] = [place / across * rows, place % across * columns];
        let [row, column, member] = [i, j, member].map(|at| isize::try_from(at).unwrap_or(0));
        let start = |at: usize, i: isize, j: isize| {
            numbers[at] + i * numbers[at + 1] + j * numbers[at + 2] + member * numbers[at + 3]
        };
        // SAFETY: by the caller's promise; every part of `c` is written by one call.
        unsafe {
            let a = (a.get().offset(start(0, row, 0)), numbers[1], numbers[2]);
            let b = (b.get().offset(start(4, 0, column)), numbers[5], numbers[6]);
            let c = (c.get().cast_mut().offset(start(8, row, column)), numbers[9], numbers[10]);
            let sizes = [rows.min(m - i), k, columns.min(n - j)];
            T::multiply(sizes[0], k, sizes[2], a, b, c);
            if masked {
                mask(sizes, a, b, c);
            }
        }
    });
}

/// Multiplies again what is NaN in `c = a b`, zero times anything being zero.
///
/// # Safety
/// As for [`Multiply::multiply`].
unsafe fn mask<T: Multiply>(
    sizes: [usize; 3],
    a: (*const T, isize, isize),
    b: (*const T, isize, isize),
    c: (*mut T, isize, isize),
) {
    let [m, k, n] = sizes.map(|size| isize::try_from(size).unwrap_or(0));
    for i in 0..m {
        for j in 0..n {
            // SAFETY: by the caller's promise.
            unsafe {
                let place = c.0.offset(i * c.1 + j * c.2);
                if (*place).is_nan() {
                    *place = (0..k).fold(T::ZERO, |sum, l| {
                        let (a, b) = (*a.0.offset(i * a.1 + l * a.2), *b.0.offset(l * b.1 + j * b.2));
                        T::add_masked(sum, a, b)
                    });
                }
            }
        }
    }
}

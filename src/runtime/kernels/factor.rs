//! `cholesky` and `triangular_solve`.
//!
//! Numbers: `batch, n`, and for the solve `k, transposed`.

use super::call::{Call, Element};
use crate::runtime::Context;

/// The lower Cholesky factor, row by row; NaN where the matrix is not positive definite.
///
/// # Safety
/// As for [`Call::new`].
pub unsafe extern "C" fn cholesky<T: Element>(context: *mut Context, arena: *mut u8, record: *const i64) {
    // SAFETY: by the caller's promise.
    let call = unsafe { Call::new(context, arena, record) };
    let n = call.sized(1);
    // SAFETY: the op takes and gives reals.
    let (out, value): (&mut [T], &[T]) = unsafe { (call.out(), call.operand(0)) };
    if n == 0 {
        return;
    }
    for (l, a) in out.chunks_exact_mut(n * n).zip(value.chunks_exact(n * n)) {
        if !factor(a, l, n) {
            l.fill(T::from_wide(f64::NAN));
        }
    }
}

/// The factor of one matrix; false if there is none.
fn factor<T: Element>(a: &[T], l: &mut [T], n: usize) -> bool {
    l.fill(T::ZERO);
    for i in 0..n {
        for j in 0..=i {
            let known: f64 =
                (l[i * n..][..j].iter().zip(&l[j * n..][..j])).map(|(x, y)| x.wide() * y.wide()).sum();
            let rest = a[i * n + j].wide() - known;
            let entry = if i != j {
                rest / l[j * n + j].wide()
            } else if rest > 0.0 && rest.is_finite() {
                rest.sqrt()
            } else {
                return false;
            };
            l[i * n + j] = T::from_wide(entry);
        }
    }
    true
}

/// Systems with lower triangular matrices, or their transposes.
///
/// # Safety
/// As for [`Call::new`].
pub unsafe extern "C" fn triangular_solve<T: Element>(
    context: *mut Context,
    arena: *mut u8,
    record: *const i64,
) {
    // SAFETY: by the caller's promise.
    let call = unsafe { Call::new(context, arena, record) };
    let (n, k, transposed) = (call.sized(1), call.sized(2), call.number(3) != 0);
    // SAFETY: the op takes and gives reals.
    let (out, l, b): (&mut [T], &[T], &[T]) = unsafe { (call.out(), call.operand(0), call.operand(1)) };
    out.copy_from_slice(b);
    if n * k == 0 {
        return;
    }
    for (l, x) in l.chunks_exact(n * n).zip(out.chunks_exact_mut(n * k)) {
        solve(l, x, n, k, transposed);
    }
}

/// One system in place, by substitution from the front, or the back if `transposed`.
fn solve<T: Element>(l: &[T], x: &mut [T], n: usize, k: usize, transposed: bool) {
    let entry = |i: usize, j: usize| {
        let at = if transposed { j * n + i } else { i * n + j };
        l[at].wide()
    };
    for step in 0..n {
        let (i, done) = if transposed { (n - 1 - step, n - step..n) } else { (step, 0..step) };
        for column in 0..k {
            let known: f64 = (done.clone()).map(|j| entry(i, j) * x[j * k + column].wide()).sum();
            let at = i * k + column;
            x[at] = T::from_wide((x[at].wide() - known) / entry(i, i));
        }
    }
}

//! `cumsum`, `argsort` and `arg_reduce`: along one axis.
//!
//! Numbers: `outer, n, inner`, then a switch (`cumsum`: from the back; `arg_reduce`: the greatest;
//! none for `argsort`), then the kind of the elements.

use std::cmp::Ordering;

use super::call::{Call, Element};
use crate::runtime::Context;

/// `f(first element, distance)` for each line along the axis.
fn lines(call: &Call, mut f: impl FnMut(usize, usize)) {
    let (outer, n, inner) = (call.sized(0), call.sized(1), call.sized(2));
    for at in 0..outer {
        for k in 0..inner {
            f(at * n * inner + k, inner);
        }
    }
}

/// Running sums.
///
/// # Safety
/// As for [`Call::new`].
pub unsafe extern "C" fn cumsum<T: Element>(context: *mut Context, arena: *mut u8, record: *const i64) {
    // SAFETY: by the caller's promise; the kind says what the elements are.
    unsafe {
        let call = Call::new(context, arena, record);
        if call.number(4) == 0 {
            sums::<T, f64>(&call, T::wide, T::from_wide, |a, b| a + b);
        } else {
            sums::<i64, i64>(&call, |x| x, |x| x, i64::plus);
        }
    }
}

/// # Safety
/// The elements are of type `T`.
unsafe fn sums<T: Element, S: Copy>(
    call: &Call,
    wide: impl Fn(T) -> S,
    narrow: impl Fn(S) -> T,
    plus: impl Fn(S, S) -> S,
) {
    let (n, back) = (call.sized(1), call.number(3) != 0);
    // SAFETY: by the caller's promise.
    let (out, value): (&mut [T], &[T]) = unsafe { (call.out(), call.operand(0)) };
    lines(call, |first, distance| {
        let mut so_far = None;
        for i in 0..n {
            let at = first + distance * if back { n - 1 - i } else { i };
            let sum = match so_far {
                None => wide(value[at]),
                Some(sum) => plus(sum, wide(value[at])),
            };
            out[at] = narrow(sum);
            so_far = Some(sum);
        }
    });
}

/// The indices that sort a line: ascending, stable, NaN last.
///
/// # Safety
/// As for [`Call::new`].
pub unsafe extern "C" fn argsort<T: Element>(context: *mut Context, arena: *mut u8, record: *const i64) {
    // SAFETY: by the caller's promise; the kind says what the elements are.
    unsafe {
        let call = Call::new(context, arena, record);
        if call.number(3) == 0 {
            sort::<T>(&call);
        } else {
            sort::<i64>(&call);
        }
    }
}

/// # Safety
/// The elements are of type `T`.
unsafe fn sort<T: Element>(call: &Call) {
    let n = call.sized(1);
    // SAFETY: by the caller's promise; the result is integers.
    let (out, value): (&mut [i64], &[T]) = unsafe { (call.out(), call.operand(0)) };
    lines(call, |first, distance| {
        let key = |i: i64| value[first + distance * usize::try_from(i).unwrap_or(0)];
        // Ties go by index, so the order is the stable one.
        let before = |i: i64, j: i64| {
            let (a, b) = (key(i), key(j));
            let nan_last = a.is_nan().cmp(&b.is_nan());
            a.partial_cmp(&b).unwrap_or(nan_last).then(i.cmp(&j))
        };
        for i in 0..n {
            out[first + distance * i] = i64::try_from(i).unwrap_or(i64::MAX);
        }
        if distance == 1 {
            out[first..][..n].sort_unstable_by(|i, j| before(*i, *j));
        } else {
            heap_sort(out, first, distance, n, before);
        }
    });
}

/// Sorts elements that do not lie side by side, in place.
fn heap_sort(
    out: &mut [i64],
    first: usize,
    distance: usize,
    n: usize,
    compare: impl Fn(i64, i64) -> Ordering,
) {
    let place = |i: usize| first + distance * i;
    let sift = |out: &mut [i64], mut root: usize, end: usize| {
        while 2 * root + 1 < end {
            let mut child = 2 * root + 1;
            if child + 1 < end && compare(out[place(child)], out[place(child + 1)]).is_lt() {
                child += 1;
            }
            if compare(out[place(root)], out[place(child)]).is_ge() {
                break;
            }
            out.swap(place(root), place(child));
            root = child;
        }
    };
    for root in (0..n / 2).rev() {
        sift(out, root, n);
    }
    for end in (1..n).rev() {
        out.swap(place(0), place(end));
        sift(out, 0, end);
    }
}

/// The index of the first greatest or least element of a line; NaN wins.
///
/// # Safety
/// As for [`Call::new`].
pub unsafe extern "C" fn arg_reduce<T: Element>(context: *mut Context, arena: *mut u8, record: *const i64) {
    // SAFETY: by the caller's promise; the kind says what the elements are.
    unsafe {
        let call = Call::new(context, arena, record);
        if call.number(4) == 0 {
            best::<T>(&call);
        } else {
            best::<i64>(&call);
        }
    }
}

/// # Safety
/// The elements are of type `T`.
unsafe fn best<T: Element>(call: &Call) {
    let (n, max) = (call.sized(1), call.number(3) != 0);
    // SAFETY: by the caller's promise; the result is integers.
    let (out, value): (&mut [i64], &[T]) = unsafe { (call.out(), call.operand(0)) };
    let mut next = 0;
    lines(call, |first, distance| {
        let mut best = (value[first], 0);
        for i in 1..n {
            let new = value[first + distance * i];
            let beats = if best.0.is_nan() {
                false
            } else if new.is_nan() {
                true
            } else if max {
                new > best.0
            } else {
                new < best.0
            };
            if beats {
                best = (new, i);
            }
        }
        out[next] = i64::try_from(best.1).unwrap_or(i64::MAX);
        next += 1;
    });
}

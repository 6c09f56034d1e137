//! What the derivatives of matrix ops are made of: arithmetic on the last two axes.

use super::{Emit, shape};
use crate::ir::{Build, Ty, Value};

/// The last two axes swapped.
pub(super) fn swapped(build: &mut Build, value: Value) -> Value {
    let rank = build.ty(value).rank();
    let order: Vec<usize> = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
    build.permute(value, &order)
}

/// The product of matrices on the last two axes; leading axes run together.
pub(super) fn product(build: &mut Build, a: Value, b: Value) -> Value {
    let rank = build.ty(a).rank();
    let batch: Vec<(usize, usize)> = (0..rank - 2).map(|axis| (axis, axis)).collect();
    build.dot(a, b, &batch, &[(rank - 1, rank - 2)])
}

/// The lower triangle, its diagonal times `diagonal`, with zeros above.
pub(super) fn lower(build: &mut Build, value: Value, diagonal: f64) -> Value {
    let ty = build.ty(value).clone();
    let rows = build.iota(&ty.dims, ty.rank() - 2);
    let columns = build.iota(&ty.dims, ty.rank() - 1);
    let zeros = build.zeros(&ty);
    let below = build.call("gt", &[rows, columns]);
    let on = build.call("eq", &[rows, columns]);
    let scale = build.full(&ty, diagonal);
    let scaled = build.call("mul", &[value, scale]);
    let rest = build.call("where", &[on, scaled, zeros]);
    build.call("where", &[below, value, rest])
}

/// The symmetric matrix with the lower triangle of `value`.
pub(super) fn symmetric(build: &mut Build, value: Value) -> Value {
    let half = lower(build, value, 0.5);
    let other = swapped(build, half);
    build.call("add", &[half, other])
}

/// The number of matrices in an array of them, and their order.
pub(super) fn batches(ty: &Ty) -> [i64; 2] {
    let sizes = ty.sizes();
    let last = sizes.len() - 1;
    let count = sizes[..last - 1].iter().product();
    [shape::number(count), shape::number(sizes[last])]
}

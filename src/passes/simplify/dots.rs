//! Sums of products of repeated values are dots.
//!
//! `sum(A[i, j] * x[j] for j)`, batched over `i`, is a sum over the last axis of `A` times `x`
//! repeated. Each axis of the product belongs to one factor or both, and is summed or kept:
//! both and summed is contracted, both and kept is a batch, one and kept is free.

use crate::ir::{Elem, Fold, Op, Value};
use crate::ops::{Broadcast, Dot, Emit, Iota, Permute, Reduce};

use super::{Candidate, Graph};

/// A factor of the product: a value, and the axis of the product of each of its axes.
struct Factor {
    value: Value,
    axes: Vec<usize>,
}

impl Factor {
    fn of(graph: &Graph, value: Value) -> Factor {
        match graph.made_by::<Broadcast>(value) {
            Some((op, from)) => Factor { value: from[0], axes: op.axes },
            None => Factor { value, axes: (0..graph.build.ty(value).rank()).collect() },
        }
    }

    fn place(&self, axis: usize) -> Option<usize> {
        self.axes.iter().position(|own| *own == axis)
    }
}

/// `reduce(sum, a * b)` as a dot, if one factor is repeated along an axis that is kept.
pub(super) fn sum_of_products(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let op = c.op.downcast::<Reduce>()?;
    if op.fold != Fold::Sum || c.ty.elem != Elem::Real {
        return None;
    }
    let product = c.operands[0];
    let factors = graph.made_by_primitive(product, "mul")?;
    if !graph.read_once(product) {
        return None;
    }
    let (a, b) = (Factor::of(graph, factors[0]), Factor::of(graph, factors[1]));
    let rank = graph.build.ty(product).rank();
    let (mut batch, mut contract) = (Vec::new(), Vec::new());
    let (mut batch_axes, mut free_a, mut free_b) = (Vec::new(), Vec::new(), Vec::new());
    for axis in 0..rank {
        let summed = op.axes.contains(&axis);
        match (a.place(axis), b.place(axis)) {
            (Some(in_a), Some(in_b)) if summed => contract.push((in_a, in_b)),
            (Some(in_a), Some(in_b)) => {
                batch.push((in_a, in_b));
                batch_axes.push(axis);
            }
            (Some(in_a), None) if !summed => free_a.push((in_a, axis)),
            (None, Some(in_b)) if !summed => free_b.push((in_b, axis)),
            // An axis of one factor only is summed, or of none: other rules come first.
            _ => return None,
        }
    }
    let outer = !free_a.is_empty() && !free_b.is_empty();
    let stored = |graph: &Graph, factor: &Factor, free: &[(usize, usize)]| {
        !free.is_empty() && is_stored(graph, factor.value)
    };
    let worth = outer || stored(graph, &a, &free_a) || stored(graph, &b, &free_b);
    if contract.is_empty() || !worth {
        return None;
    }
    let dot = graph.build.dot(a.value, b.value, &batch, &contract);
    // The free axes come out in the order of the factors' own axes.
    free_a.sort_unstable();
    free_b.sort_unstable();
    let free = free_a.iter().chain(&free_b).map(|(_, axis)| *axis);
    let axes: Vec<usize> = batch_axes.into_iter().chain(free).collect();
    let mut kept = axes.clone();
    kept.sort_unstable();
    let order: Option<Vec<usize>> = kept.iter().map(|axis| axes.iter().position(|own| own == axis)).collect();
    Some(graph.build.permute(dot, &order?))
}

/// A sum over what one factor of a dot has alone is a dot of the sum: `sum(A @ B, columns)` is
/// `A @ sum(B, columns)`.
pub(super) fn sum_of_dot(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let op = c.op.downcast::<Reduce>()?;
    let (dot, order) = match graph.made_by::<Permute>(c.operands[0]) {
        Some((moved, from)) => (from[0], moved.order),
        None => (c.operands[0], (0..graph.build.ty(c.operands[0]).rank()).collect()),
    };
    let (inner, from) = graph.made_by::<Dot>(dot)?;
    let once = graph.read_once(c.operands[0]) && graph.read_once(dot);
    if op.fold != Fold::Sum || inner.masked || !once {
        return None;
    }
    // The axes of the dot: those of the batch, then what each factor has alone.
    let alone = |value: Value, used: Vec<usize>| -> Vec<usize> {
        (0..graph.build.ty(value).rank()).filter(|axis| !used.contains(axis)).collect()
    };
    let pairs = || inner.batch.iter().chain(&inner.contract);
    let left = alone(from[0], pairs().map(|pair| pair.0).collect());
    let right = alone(from[1], pairs().map(|pair| pair.1).collect());
    let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
    for axis in &op.axes {
        let axis = order[*axis].checked_sub(inner.batch.len())?;
        match left.get(axis) {
            Some(own) => of_left.push(*own),
            None => of_right.push(*right.get(axis - left.len())?),
        }
    }
    let build = &mut graph.build;
    let a = if of_left.is_empty() { from[0] } else { build.reduce(Fold::Sum, from[0], &of_left) };
    let b = if of_right.is_empty() { from[1] } else { build.reduce(Fold::Sum, from[1], &of_right) };
    let moved = |axis: usize, gone: &[usize]| axis - gone.iter().filter(|other| **other < axis).count();
    let both = |pairs: &[(usize, usize)]| -> Vec<(usize, usize)> {
        pairs.iter().map(|(l, r)| (moved(*l, &of_left), moved(*r, &of_right))).collect()
    };
    let value = build.dot(a, b, &both(&inner.batch), &both(&inner.contract));
    let kept: Vec<usize> = (0..order.len()).filter(|at| !op.axes.contains(at)).map(|at| order[at]).collect();
    let place = |axis: &usize| kept.iter().filter(|other| *other < axis).count();
    Some(build.permute(value, &kept.iter().map(place).collect::<Vec<_>>()))
}

/// A dot with the identity matrix is the other operand, with the summed axis last: all directions of
/// a Jacobian at once are an identity matrix.
pub(super) fn with_identity(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let op = c.op.downcast::<Dot>()?;
    let [(i, j)] = op.contract[..] else { return None };
    if !op.batch.is_empty() {
        return None;
    }
    let (left, right) = (c.operands[0], c.operands[1]);
    let rank = |graph: &Graph, value: Value| graph.build.ty(value).rank();
    if is_identity(graph, right) {
        let others = (0..rank(graph, left)).filter(|axis| *axis != i);
        let order: Vec<usize> = others.chain([i]).collect();
        return Some(graph.build.permute(left, &order));
    }
    if is_identity(graph, left) {
        let others = (0..rank(graph, right)).filter(|axis| *axis != j);
        let order: Vec<usize> = [j].into_iter().chain(others).collect();
        return Some(graph.build.permute(right, &order));
    }
    None
}

/// Whether a value is `real(i == j)` of its own two indices.
fn is_identity(graph: &Graph, value: Value) -> bool {
    let counts = |value: Value| -> Option<usize> {
        if let Some((op, _)) = graph.made_by::<Iota>(value) {
            return Some(op.axis);
        }
        let (op, from) = graph.made_by::<Broadcast>(value)?;
        let (inner, _) = graph.made_by::<Iota>(from[0])?;
        op.axes.get(inner.axis).copied()
    };
    let ty = graph.build.ty(value);
    let square = ty.rank() == 2 && ty.dims[0] == ty.dims[1];
    let found = || {
        let c = graph.made_by_primitive(value, "bool_to_real")?;
        let sides = graph.made_by_primitive(c[0], "eq")?;
        Some((counts(sides[0])?, counts(sides[1])?))
    };
    square && matches!(found(), Some((0, 1) | (1, 0)))
}

/// A dot with a number is a product.
pub(super) fn of_number(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let product = if c.op.downcast::<Dot>()?.masked { "both_masked_mul" } else { "mul" };
    let ranks = c.operands.iter().map(|v| graph.build.ty(*v).rank());
    let at = ranks.into_iter().position(|rank| rank == 0)?;
    let number = graph.build.broadcast(c.operands[at], &c.ty.dims, &[]);
    let mut operands = c.operands.to_vec();
    operands[at] = number;
    Some(graph.build.call(product, &operands))
}

/// Whether a value lies in memory anyway: a parameter, a literal, the result of a dot or of a
/// control form, or a value that is read more than once.
fn is_stored(graph: &Graph, value: Value) -> bool {
    let Some(binding) = graph.def(value) else {
        return true;
    };
    match &binding.op {
        Op::Primitive(_) => !graph.read_once(value),
        Op::Structural(_) => {
            super::facts::is_move(&binding.op)
                || binding.op.downcast::<Dot>().is_some()
                || !graph.read_once(value)
        }
        Op::Constant(_) | Op::Loop(_) | Op::If(_) | Op::Map(_) | Op::Custom(_) | Op::Jvp(_) | Op::Vjp(_) => {
            true
        }
    }
}

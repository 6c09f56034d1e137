//! Moves of elements: what moves nothing, and two moves in one.

use crate::ir::{Dim, Op, Value};
use crate::ops::{Broadcast, Emit, Pad, Permute, Reshape, Reverse, Slice};

use super::fold::full;
use super::{Candidate, Graph};

/// A move that leaves everything where it is.
pub(super) fn nothing_moved(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let value = *c.operands.first()?;
    let zero = |dims: &[Dim]| dims.iter().all(|dim| *dim == Dim::Known(0));
    let same_shape = graph.build.ty(value) == c.ty;
    let nothing = if let Some(op) = c.op.downcast::<Broadcast>() {
        same_shape && op.axes.iter().copied().eq(0..op.axes.len())
    } else if c.op.downcast::<Reshape>().is_some() {
        same_shape
    } else if let Some(op) = c.op.downcast::<Permute>() {
        op.order.iter().copied().eq(0..op.order.len())
    } else if let Some(op) = c.op.downcast::<Slice>() {
        same_shape && zero(&op.starts) && op.strides.iter().all(|dim| *dim == Dim::Known(1))
    } else if let Some(op) = c.op.downcast::<Pad>() {
        zero(&op.before) && zero(&op.after) && zero(&op.inner)
    } else if let Some(op) = c.op.downcast::<Reverse>() {
        c.ty.dims[op.axis] == Dim::Known(1)
    } else {
        false
    };
    nothing.then_some(value)
}

/// A move of a move.
pub(super) fn two_moves(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let value = *c.operands.first()?;
    if let Some(outer) = c.op.downcast::<Reshape>() {
        let (_, inner) = graph.made_by::<Reshape>(value)?;
        return Some(graph.build.reshape(inner[0], &outer.dims));
    }
    if let Some(outer) = c.op.downcast::<Permute>() {
        return permuted(graph, outer, value);
    }
    if let Some(outer) = c.op.downcast::<Broadcast>() {
        return broadcast(graph, outer, value);
    }
    if let Some(outer) = c.op.downcast::<Slice>() {
        let (inner, from) = graph.made_by::<Slice>(value)?;
        return sliced(graph, outer, &inner, from[0]);
    }
    if let Some(outer) = c.op.downcast::<Reverse>() {
        let (inner, from) = graph.made_by::<Reverse>(value)?;
        return (inner.axis == outer.axis).then_some(from[0]);
    }
    None
}

fn permuted(graph: &mut Graph, outer: &Permute, value: Value) -> Option<Value> {
    if let Some((inner, from)) = graph.made_by::<Permute>(value) {
        let order: Vec<usize> = outer.order.iter().map(|axis| inner.order[*axis]).collect();
        return Some(graph.build.permute(from[0], &order));
    }
    let (inner, from) = graph.made_by::<Broadcast>(value)?;
    let dims: Vec<Dim> = outer.order.iter().map(|axis| inner.dims[*axis].clone()).collect();
    let place = |axis: &usize| outer.order.iter().position(|from| from == axis);
    let axes: Option<Vec<usize>> = inner.axes.iter().map(place).collect();
    Some(graph.build.broadcast(from[0], &dims, &axes?))
}

fn broadcast(graph: &mut Graph, outer: &Broadcast, value: Value) -> Option<Value> {
    if let Some((inner, from)) = graph.made_by::<Broadcast>(value) {
        let axes: Vec<usize> = inner.axes.iter().map(|axis| outer.axes[*axis]).collect();
        return Some(graph.build.broadcast(from[0], &outer.dims, &axes));
    }
    if let Some((inner, from)) = graph.made_by::<Permute>(value) {
        let mut axes = vec![0; outer.axes.len()];
        for (axis, from) in outer.axes.iter().zip(&inner.order) {
            axes[*from] = *axis;
        }
        return Some(graph.build.broadcast(from[0], &outer.dims, &axes));
    }
    None
}

fn sliced(graph: &mut Graph, outer: &Slice, inner: &Slice, from: Value) -> Option<Value> {
    let (mut starts, mut limits, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    for axis in 0..outer.starts.len() {
        let stride = &inner.strides[axis];
        let start = inner.starts[axis].add(&outer.starts[axis].mul(stride)?)?;
        // One past the last index that is taken.
        let last = outer.limits[axis].sub(&Dim::Known(1))?.mul(stride)?;
        let limit = inner.starts[axis].add(&last)?.add(&Dim::Known(1))?;
        if outer.starts[axis] == outer.limits[axis] {
            return None;
        }
        starts.push(start);
        limits.push(limit);
        strides.push(stride.mul(&outer.strides[axis])?);
    }
    Some(graph.build.slice(from, &starts, &limits, &strides))
}

/// A slice of a repeated value: the value sliced, then repeated.
pub(super) fn slice_of_broadcast(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let slice = c.op.downcast::<Slice>()?;
    let (inner, from) = graph.made_by::<Broadcast>(c.operands[0])?;
    let pick = |list: &[Dim]| -> Vec<Dim> { inner.axes.iter().map(|axis| list[*axis].clone()).collect() };
    let (starts, limits) = (pick(&slice.starts), pick(&slice.limits));
    let part = graph.build.slice(from[0], &starts, &limits, &pick(&slice.strides));
    Some(graph.build.broadcast(part, &c.ty.dims, &inner.axes))
}

/// A move of one number repeated: the number repeated.
pub(super) fn moved_number(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    if !super::facts::is_move(c.op) || graph.build.ty(c.operands[0]).rank() == 0 {
        return None;
    }
    let scalar = graph.uniform(c.operands[0])?;
    Some(full(&mut graph.build, c.ty, scalar))
}

/// A primitive of values that are repeated in the same way: repeated afterwards.
pub(super) fn primitive_of_broadcasts(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let Op::Primitive(prim) = c.op else {
        return None;
    };
    let mut pattern: Option<(Broadcast, Vec<Dim>)> = None;
    let mut sources = Vec::with_capacity(c.operands.len());
    for operand in c.operands {
        if let Some(scalar) = graph.uniform(*operand) {
            sources.push(Err((scalar, graph.build.ty(*operand).elem)));
            continue;
        }
        let (op, from) = graph.made_by::<Broadcast>(*operand)?;
        let dims = graph.build.ty(from[0]).dims.clone();
        match &pattern {
            None => pattern = Some((op, dims)),
            Some((known, _)) if known.axes != op.axes => return None,
            Some(_) => {}
        }
        sources.push(Ok(from[0]));
    }
    let (op, dims) = pattern?;
    let operands: Vec<Value> = sources
        .into_iter()
        .map(|source| match source {
            Ok(value) => value,
            Err((scalar, elem)) => {
                let ty = crate::ir::Ty::new(elem, dims.clone());
                full(&mut graph.build, &ty, scalar)
            }
        })
        .collect();
    let small = graph.build.primitive(*prim, &operands);
    Some(graph.build.broadcast(small, &op.dims, &op.axes))
}

//! Scatters into zeros by affine indices become pads: the transposes of slices.

use crate::ir::{Dim, Fold, Op, Value};
use crate::ops::{Emit, Scatter};

use super::facts::Form;
use super::indexing::runs;
use super::{Candidate, Graph};

/// `zeros` with updates added at affine places: the updates, padded.
pub(super) fn scatter(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let op = c.op.downcast::<Scatter>()?;
    if !op.add || !graph.is_zero(c.operands[0]) {
        return None;
    }
    let (updates, indices) = (c.operands[1], &c.operands[2..]);
    let forms: Option<Vec<Form>> = indices.iter().map(|v| graph.form(*v)).collect();
    let index_ty = graph.build.ty(indices[0]).clone();
    if !index_ty.is_known() || !c.ty.is_known() {
        return None;
    }
    let runs = runs(&forms?, &index_ty.sizes(), &c.ty.dims)?;
    let rank = index_ty.rank();
    let build = &mut graph.build;

    // Sum over the axes along which no index runs; then the axes in the order of the value.
    let idle: Vec<usize> = (0..rank).filter(|axis| runs.iter().all(|run| run.along != Some(*axis))).collect();
    let part = build.reduce(Fold::Sum, updates, &idle);
    let place = |axis: usize| axis - idle.iter().filter(|gone| **gone < axis).count();
    let rest = (rank..build.ty(updates).rank()).map(place);
    let order: Vec<usize> = runs.iter().filter_map(|run| run.along).map(place).chain(rest).collect();
    let mut part = build.permute(part, &order);
    // The axes that stand still come back with one element.
    let mut dims = c.ty.dims.clone();
    for (dim, run) in dims.iter_mut().zip(&runs) {
        *dim = Dim::Known(run.count);
    }
    part = build.reshape(part, &dims);
    let none = vec![Dim::Known(0); dims.len()];
    let (mut before, mut after, mut inner) = (none.clone(), none.clone(), none);
    for (axis, run) in runs.iter().enumerate() {
        if run.step < 0 {
            part = build.reverse(part, axis);
        }
        before[axis] = Dim::Known(run.first());
        after[axis] = c.ty.dims[axis].sub(&Dim::Known(run.limit()))?;
        inner[axis] = Dim::Known(run.step.abs() - 1);
    }
    Some(build.pad(part, &before, &after, &inner))
}

/// `a + (zeros with updates added)`: a with updates added. In a backward loop this is what makes
/// each iteration touch only what it must.
pub(super) fn sum_of_scatter(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    let Op::Primitive(prim) = c.op else {
        return None;
    };
    if prim.name() != "add" {
        return None;
    }
    for (a, b) in [(0, 1), (1, 0)] {
        let scattered = c.operands[b];
        let Some((op, operands)) = graph.made_by::<Scatter>(scattered) else {
            continue;
        };
        if op.add && graph.is_zero(operands[0]) && graph.read_once(scattered) {
            let new = graph.build.scatter(true, c.operands[a], operands[1], &operands[2..]);
            return Some(new);
        }
    }
    None
}

//! Gathers whose indices are affine in the loop variables become slices.
//!
//! `[x[i + 1] for i in 0..n]` is lowered to a gather of `x` by `iota + 1`. If every index array
//! runs along its own axis with a constant step, and stays in range, the gather is a strided
//! slice, with its axes in another order and repeated where no index runs.

use crate::ir::{Build, Dim, Value};
use crate::ops::{Broadcast, Emit, Gather};

use super::facts::Form;
use super::{Candidate, Graph};

/// How one indexed axis is run through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// The first index.
    pub start: i64,
    /// The step, not 0; 1 where the index stands still.
    pub step: i64,
    /// How many indices.
    pub count: i64,
    /// The axis of the index arrays it runs along; none if it stands still.
    pub along: Option<usize>,
}

impl Run {
    /// The least index.
    pub fn first(&self) -> i64 {
        self.start + (self.step * (self.count - 1)).min(0)
    }

    /// One past the greatest index.
    pub fn limit(&self) -> i64 {
        self.first() + self.step.abs() * (self.count - 1) + 1
    }
}

/// The runs of index arrays of dimensions `sizes` into dimensions `into`: one axis each at most,
/// no axis twice, all in range.
pub(super) fn runs(forms: &[Form], sizes: &[usize], into: &[Dim]) -> Option<Vec<Run>> {
    if sizes.contains(&0) {
        return None;
    }
    let mut taken = vec![false; sizes.len()];
    let mut found = Vec::with_capacity(forms.len());
    for (form, dim) in forms.iter().zip(into) {
        let (lo, hi) = form.bounds(sizes)?;
        if lo < 0 || hi >= dim.known()? {
            return None;
        }
        let mut running = (0..sizes.len()).filter(|at| form.coefficients[*at] != 0 && sizes[*at] > 1);
        let along = running.next();
        if running.next().is_some() {
            return None;
        }
        if let Some(axis) = along
            && std::mem::replace(&mut taken[axis], true)
        {
            return None;
        }
        found.push(Run {
            start: form.offset,
            step: along.map_or(1, |axis| form.coefficients[axis]),
            count: along.map_or(1, |axis| i64::try_from(sizes[axis]).unwrap_or(i64::MAX)),
            along,
        });
    }
    Some(found)
}

/// A gather by affine indices: slice, reverse, drop the axes that stand still, repeat.
pub(super) fn gather(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    c.op.downcast::<Gather>()?;
    let (value, indices) = (c.operands[0], &c.operands[1..]);
    let forms: Option<Vec<Form>> = indices.iter().map(|v| graph.form(*v)).collect();
    let index_ty = graph.build.ty(indices[0]).clone();
    let ty = graph.build.ty(value).clone();
    if !index_ty.is_known() || !ty.is_known() {
        return None;
    }
    let runs = runs(&forms?, &index_ty.sizes(), &ty.dims)?;
    let build = &mut graph.build;
    let part = sliced(build, value, &runs);
    let rest: Vec<usize> = (0..ty.rank() - runs.len()).map(|at| index_ty.rank() + at).collect();
    let axes: Vec<usize> = runs.iter().filter_map(|run| run.along).chain(rest).collect();
    let dims: Vec<Dim> = axes.iter().map(|axis| c.ty.dims[*axis].clone()).collect();
    let part = build.reshape(part, &dims);
    Some(build.broadcast(part, &c.ty.dims, &axes))
}

fn sliced(build: &mut Build, value: Value, runs: &[Run]) -> Value {
    let dims = build.ty(value).dims.clone();
    let mut starts = vec![Dim::Known(0); dims.len()];
    let mut limits = dims.clone();
    let mut strides = vec![Dim::Known(1); dims.len()];
    for (axis, run) in runs.iter().enumerate() {
        starts[axis] = Dim::Known(run.first());
        limits[axis] = Dim::Known(run.limit());
        strides[axis] = Dim::Known(run.step.abs());
    }
    let whole = starts.iter().all(|dim| *dim == Dim::Known(0))
        && limits == dims
        && strides.iter().all(|dim| *dim == Dim::Known(1));
    let mut part = value;
    if !whole {
        part = build.slice(part, &starts, &limits, &strides);
    }
    for (axis, run) in runs.iter().enumerate() {
        if run.step < 0 {
            part = build.reverse(part, axis);
        }
    }
    part
}

/// A gather of which only the first indices are computed: `[data[ids[i], j] for i, j]`. The last
/// index runs over the last axis of the index arrays, and the others do not depend on that axis:
/// whole rows are gathered.
pub(super) fn gather_rows(graph: &mut Graph, c: &Candidate) -> Option<Value> {
    c.op.downcast::<Gather>()?;
    let (value, indices) = (c.operands[0], &c.operands[1..]);
    let (last, others) = indices.split_last()?;
    let index_ty = graph.build.ty(*last).clone();
    let ty = graph.build.ty(value).clone();
    if others.is_empty() || index_ty.rank() < 2 || !index_ty.is_known() || !ty.is_known() {
        return None;
    }
    let form = graph.form(*last)?;
    let axis = index_ty.rank() - 1;
    let run = runs(&[form], &index_ty.sizes(), &ty.dims[others.len()..])?[0];
    if run.along != Some(axis) || run.step < 0 {
        return None;
    }
    let rows: Option<Vec<Value>> = others
        .iter()
        .map(|index| {
            let (op, from) = graph.made_by::<Broadcast>(*index)?;
            op.axes.iter().copied().eq(0..axis).then_some(from[0])
        })
        .collect();
    let rows = rows?;
    let mut all = vec![Run { start: 0, step: 1, count: 0, along: None }; others.len()];
    for (run, dim) in all.iter_mut().zip(&ty.dims) {
        run.count = dim.known()?;
    }
    all.push(run);
    let part = sliced(&mut graph.build, value, &all);
    Some(graph.build.gather(part, &rows))
}

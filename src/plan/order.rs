//! In which order a nest runs its loops, which of them run as one, and which in vectors.
//!
//! Vectors want neighbours in memory. Where the innermost loop has them, it runs in vectors. Where
//! it folds over elements far apart (as in a sum over rows), a dimension of the result runs in
//! vectors instead: around the folded loops, so that sums stay in registers, or, for arrays too
//! large to be gone through in strips, inside them. Either way each sum keeps its order.

use crate::ir::{Affine, Elem, Node, NodeId};

use super::steps::{Block, NestStep, Plan, Step};

/// Arrays of more bytes than this are gone through row by row.
const STRIPS: usize = 4 << 20;

/// Folds of at most this many elements are short.
const SHORT: usize = 64;

/// Orders the loops of all nests.
pub(super) fn order(plan: &mut Plan) {
    let mut body = std::mem::take(&mut plan.body);
    visit(plan, &mut body);
    plan.body = body;
}

fn visit(plan: &Plan, block: &mut Block) {
    for step in &mut block.steps {
        match step {
            Step::Nest(nest) => decide(plan, nest),
            Step::Loop(step) => {
                if let Some((block, _)) = &mut step.condition {
                    visit(plan, block);
                }
                visit(plan, &mut step.body);
            }
            Step::If(step) => {
                visit(plan, &mut step.then);
                visit(plan, &mut step.otherwise);
            }
            Step::Outlined(step) => visit(plan, &mut step.block),
            Step::Scalar(_) | Step::Kernel(_) | Step::Copy { .. } => {}
        }
    }
}

/// The forms a nest indexes memory with, and the others it computes.
struct Forms {
    /// With the bytes of the array.
    memory: Vec<(Affine, usize)>,
    other: Vec<Affine>,
}

impl Forms {
    fn of(plan: &Plan, nest: &NestStep) -> Forms {
        let mut forms = Forms { memory: Vec::new(), other: Vec::new() };
        let bytes = |item| {
            let item = plan.item(item);
            item.count().saturating_mul(plan.width(item.elem))
        };
        for (at, node) in nest.nodes.iter().enumerate() {
            match node {
                Node::Index(form) => forms.other.push(form.clone()),
                Node::Within { ranges, .. } => {
                    forms.other.extend(ranges.iter().map(|(form, _, _)| form.clone()));
                }
                Node::Read { .. } => {
                    if let Some(flat) = nest.flat(plan, NodeId(at)) {
                        forms.memory.push((flat.form, bytes(flat.item)));
                    }
                }
                Node::Constant(_) | Node::Primitive(..) => {}
            }
        }
        for output in &nest.outputs {
            forms.memory.push((nest.target(plan, output), bytes(output.item)));
        }
        forms
    }

    /// Whether neighbours along a variable are neighbours in memory, or the same element.
    fn lie_together(&self, var: usize) -> bool {
        self.memory.iter().all(|(form, _)| matches!(form.coefficient(var), 0 | 1))
    }
}

/// Orders the loops of a nest.
pub(super) fn decide(plan: &Plan, nest: &mut NestStep) {
    let Some(last) = nest.loops.len().checked_sub(1) else {
        return;
    };
    let forms = Forms::of(plan, nest);
    let kept = nest.outputs.iter().map(|output| output.kept).min().unwrap_or(0);
    if let Some(var) = long(nest, &forms, kept).filter(|_| real(plan, nest)) {
        // What every output keeps, the long one last; then what some of them fold.
        nest.order = around(nest, &forms, kept, var);
        nest.lanes = Some(var);
        return put_together(nest, &forms);
    }
    if forms.lie_together(last) {
        nest.lanes = real(plan, nest).then_some(last);
    } else if nest.outputs.len() == 1
        && kept > 0
        && kept <= last
        && forms.lie_together(kept - 1)
        && nest.loops[kept - 1] >= 2
    {
        let var = kept - 1;
        let largest = forms.memory.iter().map(|(_, bytes)| *bytes).max();
        let strips = largest.unwrap_or(0) <= STRIPS || nest.loops[kept..].iter().product::<usize>() <= SHORT;
        nest.order = if strips {
            around(nest, &forms, kept, var)
        } else {
            (0..var).chain(kept..=last).chain([var]).collect()
        };
        nest.lanes = real(plan, nest).then_some(var);
    }
    put_together(nest, &forms);
}

/// The loops in order, vectors running along one that all results keep, around what is folded. What
/// lies along the vectors stays at hand while the loops that do not move it run inside.
fn around(nest: &NestStep, forms: &Forms, kept: usize, var: usize) -> Vec<usize> {
    let again = |other: &usize| {
        let stays = |(form, _): &(Affine, usize)| form.coefficient(var) != 0 && form.coefficient(*other) == 0;
        kept < nest.loops.len() && forms.memory.iter().any(stays)
    };
    let others = || (0..kept).filter(|other| *other != var);
    let outside = others().filter(|other| !again(other));
    let inside = others().filter(again);
    outside.chain([var]).chain(inside).chain(kept..nest.loops.len()).collect()
}

/// Whether no result is whole numbers.
fn real(plan: &Plan, nest: &NestStep) -> bool {
    nest.outputs.iter().all(|output| plan.item(output.item).elem != Elem::Int)
}

/// A dimension of all results, not the last, that lies innermost in memory, and is longer than what
/// does so elsewhere.
fn long(nest: &NestStep, forms: &Forms, kept: usize) -> Option<usize> {
    let var = (0..kept).filter(|var| forms.lie_together(*var)).max_by_key(|var| nest.loops[*var])?;
    let last = nest.loops.len() - 1;
    let last_together = forms.lie_together(last);
    let usual = var == last || (var + 1 == kept && nest.outputs.len() == 1 && !last_together);
    let last_is_long = last_together && nest.loops[last] >= nest.loops[var];
    (!usual && !last_is_long && nest.loops[var] >= 8).then_some(var)
}

/// Loops that follow each other and go through memory as one become one.
fn put_together(nest: &mut NestStep, forms: &Forms) {
    for outer in 0..nest.loops.len().saturating_sub(1) {
        let inner = outer + 1;
        let size = nest.sizes[inner];
        let whole = i64::try_from(size).unwrap_or(i64::MAX);
        let even = |form: &Affine| form.coefficient(outer) == form.coefficient(inner).saturating_mul(whole);
        let place = |var: usize| nest.order.iter().position(|v| *v == var);
        let follows = place(outer).map(|at| at + 1) == place(inner);
        let border = nest.outputs.iter().any(|output| output.kept == inner);
        let together = follows
            && !border
            && forms.memory.iter().all(|(form, _)| even(form))
            && forms.other.iter().all(even);
        if together && let Some(product) = nest.sizes[outer].checked_mul(size) {
            nest.sizes[inner] = product;
            nest.sizes[outer] = 1;
        }
    }
}

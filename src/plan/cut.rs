//! Which nests are cut into parts, so that threads may share them.
//!
//! Whether a nest is cut, and where, depends on its sizes alone, never on the number of threads, so
//! any number of threads gives the same bits. A fold over the loop that is cut leaves a result for
//! each part; a nest behind it folds these in the order of the parts.

use crate::ir::{Affine, At, Elem, Fold, Node, NodeId};

use super::cost::{Costs, number};
use super::order;
use super::steps::{Block, Cut, Item, ItemId, NestStep, Output, Piece, Plan, Step};

/// Nests of less work than this are not cut: some 40 microseconds, of which entering the threads takes a few.
pub const LARGE: u64 = 400_000;
/// The work of a part, where that makes neither too few parts nor too many.
const PART: f64 = 64_000.0;
/// The most parts.
const PARTS: usize = 64;
/// A loop further inside is cut where the loops before it give fewer parts.
const ENOUGH: usize = 16;
/// More pieces than this are not cut apart.
const PIECES: usize = 9;
/// Parts along neighbours in memory are multiples of this, so that they end with whole vectors.
const GRAIN: usize = 32;
/// Parts have their rows on their thread's stack, and no more of them than this.
const ROWS: usize = 64;

/// Cuts the large nests of a plan.
pub(super) fn cut(plan: &mut Plan, large: u64) {
    let mut body = std::mem::take(&mut plan.body);
    visit(plan, &mut body, large);
    plan.body = body;
}

fn visit(plan: &mut Plan, block: &mut Block, large: u64) {
    let mut done = Vec::with_capacity(block.steps.len());
    for mut step in std::mem::take(&mut block.steps) {
        let mut after = Vec::new();
        match &mut step {
            Step::Nest(nest) => after = apart(plan, nest, large),
            Step::Loop(step) => {
                if let Some((block, _)) = &mut step.condition {
                    visit(plan, block, large);
                }
                visit(plan, &mut step.body, large);
            }
            Step::If(step) => {
                visit(plan, &mut step.then, large);
                visit(plan, &mut step.otherwise, large);
            }
            Step::Outlined(step) => visit(plan, &mut step.block, large),
            Step::Scalar(_) | Step::Kernel(_) | Step::Copy { .. } => {}
        }
        done.push(step);
        done.extend(after.into_iter().map(Step::Nest));
    }
    block.steps = done;
}

/// Cuts a nest if it is large; gives the nests that fold the results of its parts.
fn apart(plan: &mut Plan, nest: &mut NestStep, large: u64) -> Vec<NestStep> {
    let Some((var, pieces)) = decide(plan, nest, large) else {
        return Vec::new();
    };
    let parts = pieces.iter().map(Piece::parts).sum();
    let mut after = Vec::new();
    for at in 0..nest.outputs.len() {
        let output = &nest.outputs[at];
        if let (Some(fold), true) = (output.fold, var >= output.kept) {
            after.push(gather(plan, nest, at, fold, parts));
        }
    }
    let mut inputs: Vec<ItemId> = Vec::new();
    for id in &nest.operands {
        let item = plan.item_mut(*id);
        if item.sizes.is_empty() && item.literal.is_none() {
            item.home = true;
            inputs.push(*id);
        }
    }
    inputs.sort_unstable();
    inputs.dedup();
    nest.cut = Some(Cut { var, pieces, inputs });
    after
}

/// Puts an item for the results of the parts in the place of a folded output; gives the nest that
/// folds them.
fn gather(plan: &mut Plan, nest: &mut NestStep, at: usize, fold: Fold, parts: usize) -> NestStep {
    let output = &mut nest.outputs[at];
    let whole = plan.item(output.item);
    let sizes: Vec<usize> = [parts].iter().chain(&nest.loops[..output.kept]).copied().collect();
    // Behind the parts, dimensions lie as in the whole: the order of loops goes by that.
    let inner = whole.layout.as_ref().map(|layout| layout.iter().map(|dim| dim + 1));
    let layout = inner.map(|inner| [0].into_iter().chain(inner).collect());
    let partial = Item { layout, ..Item::new(whole.elem, sizes, whole.span) };
    let partial = plan.add(partial);
    let (item, kept) = (std::mem::replace(&mut output.item, partial), output.kept);
    let loops: Vec<usize> = nest.loops[..kept].iter().chain(&[parts]).copied().collect();
    let vars = [kept].into_iter().chain(0..kept);
    let mut gather = NestStep {
        order: (0..loops.len()).collect(),
        sizes: loops.clone(),
        loops,
        lanes: None,
        operands: vec![partial],
        nodes: vec![Node::Read { operand: 0, at: vars.map(|var| At::Affine(Affine::var(var))).collect() }],
        spans: vec![nest.spans[output.root.0]],
        outputs: vec![Output { item, root: NodeId(0), fold: Some(fold), kept }],
        cut: None,
    };
    order::decide(plan, &mut gather);
    gather
}

/// The loop variable to cut, and how.
fn decide(plan: &Plan, nest: &NestStep, large: u64) -> Option<(usize, Vec<Piece>)> {
    let large = number(usize::try_from(large).unwrap_or(usize::MAX));
    // No node costs as much as this.
    let points: f64 = nest.sizes.iter().map(|size| number(*size)).product();
    if points * number(nest.nodes.len() + nest.outputs.len()) * 1000.0 < large {
        return None;
    }
    let costs = Costs::of(plan, nest);
    let work = costs.before(nest, nest.order.len());
    if nest.sizes.contains(&0) || work < large || costs.rows > ROWS {
        return None;
    }
    let wanted = parts_of(work);
    let mut best: Option<(usize, usize, Vec<Piece>)> = None;
    let order = nest.order.iter().enumerate().filter(|(_, var)| nest.sizes[**var] > 1);
    // The first index out of range is reported, so where there are any the order stays.
    for (level, var) in order.take(if has_computed(nest) { 1 } else { usize::MAX }) {
        let again = costs.before(nest, level);
        if !may_cut(plan, nest, *var) {
            continue;
        }
        let pieces = pieces(nest, *var, wanted);
        let parts: usize = pieces.iter().map(Piece::parts).sum();
        let repeats = again * number(parts);
        if parts < 2 || repeats > work / 4.0 || !few_results(plan, nest, *var, parts) {
            continue;
        }
        if best.as_ref().is_none_or(|(most, _, _)| parts > *most) {
            best = Some((parts, *var, pieces));
        }
        if parts >= ENOUGH.min(wanted) {
            break;
        }
    }
    best.map(|(_, var, pieces)| (var, pieces))
}

/// Whether a nest computes indices.
fn has_computed(nest: &NestStep) -> bool {
    let computed = |at: &At| matches!(at, At::Computed(_));
    nest.nodes.iter().any(|node| matches!(node, Node::Read { at, .. } if at.iter().any(computed)))
}

/// How many parts some work is worth.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 4 and 64")]
fn parts_of(work: f64) -> usize {
    (work / PART).clamp(4.0, number(PARTS)) as usize
}

/// Whether parts of a loop may run at once and their folds be put together.
fn may_cut(plan: &Plan, nest: &NestStep, var: usize) -> bool {
    nest.outputs.iter().all(|output| {
        let Some(fold) = output.fold else { return true };
        if var >= output.kept {
            return match fold {
                Fold::Sum => !plan.ordered || plan.item(output.item).elem == Elem::Int,
                Fold::Max | Fold::Min | Fold::All | Fold::Any => true,
                Fold::Prod => false,
            };
        }
        // A result that is folded in memory is set to its start before, wherever the loops go.
        let place = |wanted: &dyn Fn(usize) -> bool| nest.order.iter().position(|var| wanted(*var));
        let folding = place(&|other| other >= output.kept);
        folding.is_none_or(|folding| place(&|other| other == var).is_some_and(|at| at < folding))
    })
}

/// Whether the results of parts take little memory beside what the nest reads.
fn few_results(plan: &Plan, nest: &NestStep, var: usize, parts: usize) -> bool {
    let bytes = |id: &ItemId| plan.item(*id).count().saturating_mul(8);
    let partial = nest.outputs.iter().filter(|output| output.fold.is_some() && var >= output.kept);
    let results: usize = partial.map(|output| bytes(&output.item).saturating_mul(parts)).sum();
    let read: usize = nest.operands.iter().map(bytes).sum();
    results <= (read / 8).max(PARTS * 64)
}

/// The range of a variable in pieces in which the ranges of nodes are decided, and these in parts.
fn pieces(nest: &NestStep, var: usize, wanted: usize) -> Vec<Piece> {
    let size = nest.sizes[var];
    let mut ends = bounds(nest, var);
    if ends.len() > PIECES + 1 {
        ends = vec![0, size];
    }
    let grain = if nest.lanes == Some(var) && size >= 8 * GRAIN { GRAIN } else { 1 };
    let part = size.div_ceil(wanted).next_multiple_of(grain);
    ends.windows(2)
        .map(|ends| Piece { from: ends[0], to: ends[1], part: even(ends[1] - ends[0], part, grain) })
        .collect()
}

/// A size of parts near `part` of which the length is a multiple, if there is one.
fn even(length: usize, part: usize, grain: usize) -> usize {
    let sizes = (part..=part + part / 2).step_by(grain).take(1000);
    sizes.into_iter().find(|size| length.is_multiple_of(*size)).unwrap_or(part).min(length)
}

/// Where ranges of a variable alone begin and end.
fn bounds(nest: &NestStep, var: usize) -> Vec<usize> {
    let size = nest.sizes[var];
    let mut bounds = vec![0, size];
    for node in &nest.nodes {
        if let Node::Within { ranges, .. } = node {
            bounds.extend(ranges.iter().flat_map(|range| nest.borders(range, var)));
        }
    }
    bounds.sort_unstable();
    bounds.dedup();
    bounds
}

//! In which order the dimensions of an array lie in memory.
//!
//! Arrays lie row by row, the last dimension innermost, and so vectors run along it. Where the last
//! dimension is short and another is long, as in the distances of many points to few centres, the long
//! one is put innermost in all arrays of a computation at once, if more of it then runs in vectors.
//! Arrays given from outside are copied into that order first, which is worth its time where much
//! more is computed from them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::ir::{Affine, At, Elem, Node, NodeId};

use super::contraction;
use super::order;
use super::steps::{Block, Item, ItemId, NestStep, Output, Plan, Step};

/// A last dimension of at least this many elements is long enough.
const LONG: usize = 64;
/// How much longer another dimension is to be.
const LONGER: usize = 4;
/// How many times as much is to be computed from a copy as is copied.
const WORTH: usize = 8;
/// What an element costs where a nest does not run in vectors, in those where it does.
const SCALAR: usize = 6;

/// Chooses the order of dimensions of all arrays.
pub(super) fn choose(plan: &mut Plan) {
    let mut lengths = BTreeSet::new();
    long_loops(&plan.body, &mut lengths);
    if lengths.is_empty() {
        return;
    }
    let mut found = Found::default();
    found.block(plan, &plan.body, true);
    for length in lengths.into_iter().rev() {
        attempt(plan, &found, length);
    }
}

/// The longest loop of a nest of several, if it is long.
fn longest(loops: &[usize]) -> Option<usize> {
    let most = loops.iter().copied().max()?;
    (loops.len() > 1 && most >= LONG * LONGER).then_some(most)
}

/// The long loops of all nests.
fn long_loops(block: &Block, lengths: &mut BTreeSet<usize>) {
    for step in &block.steps {
        if let Step::Nest(nest) = step {
            lengths.extend(longest(&nest.loops));
        }
        step.blocks().into_iter().for_each(|(block, _)| long_loops(block, lengths));
    }
}

/// What is in a plan.
#[derive(Default)]
struct Found {
    nests: Vec<NestStep>,
    /// Arrays that something else than a nest reads or binds, or that others are another view of.
    fixed: HashSet<ItemId>,
}

impl Found {
    fn block(&mut self, plan: &Plan, block: &Block, outermost: bool) {
        if outermost {
            let given =
                plan.params.iter().chain(&plan.results).chain(plan.constants.iter().map(|(id, _)| id));
            self.fixed.extend(given);
            for (at, item) in plan.items.iter().enumerate() {
                if let (Some(root), Ok(at)) = (item.alias, u32::try_from(at)) {
                    self.fixed.extend([root, ItemId(at)]);
                }
            }
        }
        for step in &block.steps {
            if let Step::Nest(nest) = step {
                self.nests.push(nest.clone());
            } else {
                step.reads(&mut |item| {
                    self.fixed.insert(item);
                });
                step.binds(&mut |item| {
                    self.fixed.insert(item);
                });
            }
            if let Step::If(step) = step {
                self.fixed.extend(step.results.iter().flat_map(|(item, then, other)| [*item, *then, *other]));
            }
            for (block, after) in step.blocks() {
                self.fixed.extend(after);
                self.block(plan, block, false);
            }
        }
    }
}

/// The dimension of an item that would be put innermost, if its length is this.
fn moved(item: &Item, length: usize) -> Option<usize> {
    let last = *item.sizes.last()?;
    let at = item.sizes.iter().position(|size| *size == length)?;
    (last < LONG && at + 1 < item.sizes.len() && item.layout.is_none() && item.elem != Elem::Int)
        .then_some(at)
}

/// Puts the dimension of a length innermost where that is better on the whole.
fn attempt(plan: &mut Plan, found: &Found, length: usize) {
    let given: HashSet<ItemId> =
        plan.params.iter().chain(plan.constants.iter().map(|(id, _)| id)).copied().collect();
    let concerned: Vec<&NestStep> = found.nests.iter().filter(|nest| nest.loops.contains(&length)).collect();
    let points = |nest: &NestStep| nest.loops.iter().product::<usize>();
    let mut moves: BTreeMap<ItemId, usize> = BTreeMap::new();
    let mut copies: BTreeSet<ItemId> = BTreeSet::new();
    for nest in &concerned {
        for id in nest.operands.iter().copied().chain(nest.outputs.iter().map(|output| output.item)) {
            let item = plan.item(id);
            let Some(at) = moved(item, length) else { continue };
            if !found.fixed.contains(&id) {
                moves.insert(id, at);
            } else if given.contains(&id) && item.alias.is_none() && points(nest) >= WORTH * item.count() {
                moves.insert(id, at);
                copies.insert(id);
            }
        }
    }
    if moves.is_empty() {
        return;
    }
    let before: usize = concerned.iter().map(|nest| cost(plan, nest)).sum();
    let kept: Vec<(ItemId, Option<Vec<usize>>)> =
        moves.keys().map(|id| (*id, plan.item(*id).layout.clone())).collect();
    for (id, at) in &moves {
        let item = plan.item_mut(*id);
        item.layout = Some((0..item.sizes.len()).filter(|dim| dim != at).chain([*at]).collect());
    }
    let after: usize = concerned.iter().map(|nest| cost(plan, nest)).sum();
    let copying: usize = copies.iter().map(|id| SCALAR * plan.item(*id).count()).sum();
    if after + copying >= before {
        for (id, layout) in kept {
            plan.item_mut(id).layout = layout;
        }
        return;
    }
    let mut renamed = HashMap::new();
    let mut first = Vec::new();
    for id in copies {
        let copy = plan.item(id).clone();
        plan.item_mut(id).layout = None;
        let copy = Item { lasting: false, home: false, buffer: None, ..copy };
        let to = plan.add(copy);
        first.push(Step::Nest(copying_nest(plan, id, to)));
        renamed.insert(id, to);
    }
    let mut body = std::mem::take(&mut plan.body);
    rename(&mut body, &renamed, length);
    first.append(&mut body.steps);
    plan.body = Block { steps: first };
}

/// About what a nest costs with the orders of dimensions as they are.
fn cost(plan: &Plan, nest: &NestStep) -> usize {
    let points: usize = nest.loops.iter().product();
    if contraction::of(plan, nest).is_some() {
        return points;
    }
    let mut ordered = nest.clone();
    order::decide(plan, &mut ordered);
    let length = ordered.lanes.map_or(1, |var| ordered.sizes[var]);
    let computed = nest.nodes.iter().filter(|node| matches!(node, Node::Primitive(..))).count();
    let work = points.saturating_mul(computed.max(1));
    match length {
        0..4 => work.saturating_mul(SCALAR),
        4..16 => work.saturating_mul(SCALAR / 2),
        _ => work,
    }
}

/// A nest that copies an array.
fn copying_nest(plan: &Plan, from: ItemId, to: ItemId) -> NestStep {
    let sizes = plan.item(from).sizes.clone();
    let at = (0..sizes.len()).map(|var| At::Affine(Affine::var(var))).collect();
    NestStep {
        order: (0..sizes.len()).collect(),
        sizes: sizes.clone(),
        lanes: None,
        operands: vec![from],
        nodes: vec![Node::Read { operand: 0, at }],
        spans: vec![plan.item(from).span],
        outputs: vec![Output { item: to, root: NodeId(0), fold: None, kept: sizes.len() }],
        cut: None,
        loops: sizes,
    }
}

/// Lets the nests with a loop of the length read the copies.
fn rename(block: &mut Block, names: &HashMap<ItemId, ItemId>, length: usize) {
    for step in &mut block.steps {
        match step {
            Step::Nest(nest) if nest.loops.contains(&length) => {
                for operand in &mut nest.operands {
                    *operand = names.get(operand).copied().unwrap_or(*operand);
                }
            }
            Step::Loop(step) => {
                if let Some((block, _)) = &mut step.condition {
                    rename(block, names, length);
                }
                rename(&mut step.body, names, length);
            }
            Step::If(step) => {
                rename(&mut step.then, names, length);
                rename(&mut step.otherwise, names, length);
            }
            Step::Outlined(step) => rename(&mut step.block, names, length),
            Step::Nest(_) | Step::Scalar(_) | Step::Kernel(_) | Step::Copy { .. } => {}
        }
    }
}

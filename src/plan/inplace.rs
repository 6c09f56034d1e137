//! Arrays that take the place of others: states of loops that are changed in place, and results of
//! elementwise nests in the place of what is read there for the last time.
//!
//! The next value of a carried array may take the memory of the present one if, from the step that
//! makes it on, nobody reads the present one any more, and that step itself reads only the element
//! it writes. Then nothing is copied at the end of an iteration.

use std::collections::{HashMap, HashSet};

use crate::ir::NodeId;
use crate::runtime::kernels;

use super::steps::{Block, ItemId, LoopStep, NestStep, Plan, Step};

/// Puts next values where the present ones are, in all loops.
pub(super) fn in_place(plan: &mut Plan) {
    let mut body = std::mem::take(&mut plan.body);
    visit(plan, &mut body);
    let results = plan.results.clone();
    reuse(plan, &body, &results);
    plan.body = body;
}

/// What is known of the items of a block.
#[derive(Default)]
struct Uses {
    /// The last step that reads an item, or has something inside that does.
    last: HashMap<ItemId, usize>,
    /// The step that binds it.
    bound: HashMap<ItemId, usize>,
}

/// Results of elementwise nests in the place of what they read for the last time, in a block and those
/// inside; `after` is read behind it.
fn reuse(plan: &mut Plan, block: &Block, after: &[ItemId]) {
    let mut uses = Uses::default();
    for (at, step) in block.steps.iter().enumerate() {
        every_read(plan, step, &mut |item| {
            uses.last.insert(item, at);
        });
        step.binds(&mut |item| {
            uses.bound.insert(item, at);
        });
    }
    for item in after {
        uses.last.insert(plan.root(*item), usize::MAX);
    }
    for (at, step) in block.steps.iter().enumerate() {
        if let Step::Nest(nest) = step {
            for output in 0..nest.outputs.len() {
                replace(plan, nest, output, at, &mut uses);
            }
        }
        for (block, after) in step.blocks() {
            reuse(plan, block, &after);
        }
    }
}

/// Puts an output in the place of an operand that nothing reads behind the nest.
fn replace(plan: &mut Plan, nest: &NestStep, output: usize, at: usize, uses: &mut Uses) {
    let output = &nest.outputs[output];
    let item = plan.item(output.item);
    let whole = output.fold.is_none() && output.kept == nest.loops.len();
    if !whole || item.is_scalar() || item.lasting || item.alias.is_some() {
        return;
    }
    let fits = |root: &ItemId| {
        let old = plan.item(*root);
        let dies = uses.last.get(root) == Some(&at) && uses.bound.contains_key(root);
        let same = old.elem == item.elem && old.sizes == item.sizes && old.layout == item.layout;
        dies && same && !old.lasting && *root != output.item && beside(plan, nest, *root, output.item)
    };
    let Some(old) = nest.operands.iter().map(|id| plan.root(*id)).find(fits) else { return };
    // From here on they are one, and live as long as the new one.
    let last = uses.last.get(&output.item).copied().unwrap_or(at);
    uses.last.insert(old, last.max(at + 1));
    plan.item_mut(output.item).alias = Some(old);
}

/// The items that a step and those inside it read.
fn every_read(plan: &Plan, step: &Step, visit: &mut dyn FnMut(ItemId)) {
    step.reads(&mut |item| visit(plan.root(item)));
    for (block, after) in step.blocks() {
        after.into_iter().for_each(|item| visit(plan.root(item)));
        block.steps.iter().for_each(|step| every_read(plan, step, visit));
    }
}

fn visit(plan: &mut Plan, block: &mut Block) {
    for step in &mut block.steps {
        match step {
            Step::Loop(step) => {
                // Outer loops first: an inner state may then join an outer one.
                put_off(plan, step);
                states(plan, step);
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
            Step::Scalar(_) | Step::Nest(_) | Step::Kernel(_) | Step::Copy { .. } => {}
        }
    }
}

/// Puts off the kernels that could change a state in place until what else reads it is done: a
/// backward loop puts zeros at a place that it then looks at as it was.
fn put_off(plan: &Plan, step: &mut LoopStep) {
    for carried in &step.carried {
        let (state, next) = (carried.state, plan.root(carried.next));
        let steps = &mut step.body.steps;
        let makes =
            |step: &Step| replaced(step).is_some_and(|(item, old)| item == next && plan.root(old) == state);
        let Some(at) = steps.iter().position(makes) else { continue };
        let last = steps.iter().rposition(|step| reads(plan, step, state)).unwrap_or(at);
        if last > at && !steps[at + 1..=last].iter().any(|step| reads(plan, step, next)) {
            steps[at..=last].rotate_left(1);
        }
    }
}

/// The result of a kernel and the operand whose place it may take.
fn replaced(step: &Step) -> Option<(ItemId, ItemId)> {
    let Step::Kernel(step) = step else { return None };
    kernels::in_place_of(step.name).map(|at| (step.item, step.operands[at]))
}

fn states(plan: &mut Plan, step: &LoopStep) {
    let mut taken: HashSet<ItemId> = HashSet::new();
    for carried in &step.carried {
        let (state, next) = (carried.state, plan.root(carried.next));
        if plan.item(state).is_scalar() || plan.root(state) != state || next == state {
            continue;
        }
        let item = plan.item(next);
        let used = step.carried.iter().filter(|other| plan.root(other.next) == next);
        if item.lasting || item.alias.is_some() || used.count() > 1 || !taken.insert(next) {
            continue;
        }
        let others = step.carried.iter().filter(|other| other.state != state).map(|other| other.next);
        let rows = step.stacked.iter().map(|stacked| stacked.row);
        let read_at_end = others.chain(rows).any(|item| plan.root(item) == state);
        if !read_at_end && may_replace(plan, &step.body, state, next) {
            plan.item_mut(next).alias = Some(state);
        }
    }
}

/// Whether a step of the block may write `next` over `state`.
fn may_replace(plan: &Plan, block: &Block, state: ItemId, next: ItemId) -> bool {
    let binds = |step: &Step| {
        let mut found = false;
        step.binds(&mut |item| found |= item == next);
        found
    };
    let Some(at) = block.steps.iter().position(binds) else {
        return false;
    };
    let reads_later = block.steps[at + 1..].iter().any(|step| reads(plan, step, state));
    !reads_later
        && match &block.steps[at] {
            Step::Nest(nest) => beside(plan, nest, state, next),
            Step::Copy { .. } => true,
            Step::Loop(step) => {
                let inside = [&step.body]
                    .into_iter()
                    .chain(step.condition.iter().map(|(block, _)| block))
                    .flat_map(|block| &block.steps)
                    .any(|step| reads(plan, step, state));
                let after = step.carried.iter().map(|carried| carried.next);
                let rows = step.stacked.iter().map(|stacked| stacked.row);
                let first = step
                    .carried
                    .iter()
                    .filter(|carried| plan.root(carried.initial) == state && carried.state != next);
                let own = step.carried.iter().any(|carried| carried.state == next);
                own && !inside
                    && first.count() == 0
                    && !after.chain(rows).any(|item| plan.root(item) == state)
            }
            Step::If(step) => !step.results.iter().any(|(item, then, otherwise)| {
                *item != next && (plan.root(*then) == state || plan.root(*otherwise) == state)
            }),
            Step::Kernel(step) => {
                let over = replaced(&block.steps[at]).is_some_and(|(_, old)| plan.root(old) == state);
                let count = step.operands.iter().filter(|item| plan.root(**item) == state).count();
                count == usize::from(over)
            }
            Step::Scalar(_) | Step::Outlined(_) => !reads(plan, &block.steps[at], state),
        }
}

/// Whether a step, or one inside it, reads an item.
fn reads(plan: &Plan, step: &Step, item: ItemId) -> bool {
    let mut found = false;
    step.reads(&mut |read| found |= plan.root(read) == item);
    found
        || step.blocks().iter().any(|(block, after)| {
            after.iter().any(|read| plan.root(*read) == item)
                || block.steps.iter().any(|step| reads(plan, step, item))
        })
}

/// Whether a nest that makes `next` reads only the element of `state` that it writes.
fn beside(plan: &Plan, nest: &NestStep, state: ItemId, next: ItemId) -> bool {
    let Some(output) = nest.outputs.iter().find(|output| output.item == next) else {
        return false;
    };
    let target = nest.target(plan, output);
    let mut reads = (0..nest.nodes.len())
        .filter_map(|at| nest.flat(plan, NodeId(at)))
        .filter(|flat| plan.root(flat.item) == state)
        .peekable();
    if reads.peek().is_some() && output.fold.is_some() {
        return false;
    }
    reads.all(|flat| flat.computed.is_empty() && flat.form == target)
}

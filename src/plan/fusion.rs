//! Fusion: arrays that need not exist are not made, and passes over the same indices become one.
//!
//! First, a nest that another reads is put in the place of the read (*inlined*), with its index
//! maps composed, if that repeats no work worth saving. Then nests with the same loops become one
//! nest with several outputs (*joined*), so that an optimizer's update is one pass. What nobody
//! reads any more is dropped. Folding keeps its order throughout.

use crate::ir::{Node, NodeId};

use super::graph::Graph;
use super::inline::inline;
use super::join::join;
use super::steps::{Block, ItemId, NestStep, Plan, Step};

/// Fuses the nests of a plan.
pub(super) fn fuse(plan: &mut Plan) {
    let mut body = std::mem::take(&mut plan.body);
    let uses = uses(plan, &body);
    inline(plan, uses, &mut body);
    drop_dead(plan, &mut body);
    join(plan, &mut body);
    drop_dead(plan, &mut body);
    plan.body = body;
}

/// How often each item is read, by whatever.
fn uses(plan: &Plan, body: &Block) -> Vec<usize> {
    let mut uses = vec![0; plan.items.len()];
    fn visit(plan: &Plan, uses: &mut [usize], block: &Block) {
        for step in &block.steps {
            if let Step::Nest(nest) = step {
                // Each read counts.
                for node in &nest.nodes {
                    if let Node::Read { operand, at: _ } = node {
                        note(plan, uses, nest.operands[*operand]);
                    }
                }
            } else {
                step.reads(&mut |item| note(plan, uses, item));
            }
            for (block, after) in step.blocks() {
                visit(plan, uses, block);
                after.into_iter().for_each(|item| note(plan, uses, item));
            }
        }
    }
    visit(plan, &mut uses, body);
    for result in &plan.results {
        note(plan, &mut uses, *result);
    }
    uses
}

fn note(plan: &Plan, uses: &mut [usize], mut item: ItemId) {
    loop {
        uses[item.0 as usize] += 1;
        match plan.item(item).alias {
            Some(root) => item = root,
            None => break,
        }
    }
}

/// Drops nests whose outputs nobody reads, and outputs that nobody reads.
fn drop_dead(plan: &Plan, body: &mut Block) {
    let mut live = vec![false; plan.items.len()];
    for result in &plan.results {
        mark(plan, &mut live, *result);
    }
    sweep(plan, &mut live, body);
}

fn mark(plan: &Plan, live: &mut [bool], item: ItemId) {
    live[item.0 as usize] = true;
    live[plan.root(item).0 as usize] = true;
}

fn sweep(plan: &Plan, live: &mut [bool], block: &mut Block) {
    for step in block.steps.iter_mut().rev() {
        for (_, after) in step.blocks() {
            after.into_iter().for_each(|item| mark(plan, live, item));
        }
        match step {
            Step::Nest(nest) => {
                nest.outputs.retain(|output| live[output.item.0 as usize]);
                trim(nest);
            }
            Step::Loop(step) => {
                sweep(plan, live, &mut step.body);
                if let Some((block, _)) = &mut step.condition {
                    sweep(plan, live, block);
                }
            }
            Step::If(step) => {
                sweep(plan, live, &mut step.then);
                sweep(plan, live, &mut step.otherwise);
            }
            Step::Outlined(step) => sweep(plan, live, &mut step.block),
            Step::Scalar(_) | Step::Kernel(_) | Step::Copy { .. } => {}
        }
        let dead = matches!(step, Step::Nest(nest) if nest.outputs.is_empty());
        if !dead {
            step.reads(&mut |item| mark(plan, live, item));
        }
    }
    block.steps.retain(|step| !matches!(step, Step::Nest(nest) if nest.outputs.is_empty()));
}

/// Drops nodes and operands that no output needs.
fn trim(nest: &mut NestStep) {
    let mut wanted = vec![false; nest.nodes.len()];
    for output in &nest.outputs {
        wanted[output.root.0] = true;
    }
    for at in (0..nest.nodes.len()).rev() {
        if !wanted[at] {
            continue;
        }
        nest.nodes[at].arguments(&mut |id| wanted[id.0] = true);
    }
    let mut graph = Graph::default();
    let mut map = vec![NodeId(0); nest.nodes.len()];
    for at in 0..nest.nodes.len() {
        if wanted[at] {
            map[at] = graph.copy(nest, at, &map, None);
        }
    }
    for output in &mut nest.outputs {
        output.root = map[output.root.0];
    }
    (nest.nodes, nest.spans, nest.operands) = (graph.nodes, graph.spans, graph.operands);
}

//! Joining: nests with the same loops as one nest with several outputs.

use std::collections::{HashMap, HashSet};

use crate::ir::{Node, NodeId};

use super::contraction;
use super::graph::Graph;
use super::inline::is_identity_at;
use super::steps::{Block, ItemId, NestStep, Plan, Step};

/// The most nodes of a nest with several outputs.
const JOINED_NODES: usize = 128;
/// How far back a nest looks for one to join.
const WINDOW: usize = 24;

/// Joins nests with the same loops, in every block.
pub(super) fn join(plan: &Plan, block: &mut Block) {
    for step in &mut block.steps {
        match step {
            Step::Loop(step) => {
                if let Some((block, _)) = &mut step.condition {
                    join(plan, block);
                }
                join(plan, &mut step.body);
            }
            Step::If(step) => {
                join(plan, &mut step.then);
                join(plan, &mut step.otherwise);
            }
            Step::Outlined(step) => join(plan, &mut step.block),
            Step::Scalar(_) | Step::Nest(_) | Step::Kernel(_) | Step::Copy { .. } => {}
        }
    }
    let mut done: Vec<Step> = Vec::new();
    for step in std::mem::take(&mut block.steps) {
        match step {
            Step::Nest(nest) if !nest.loops.is_empty() => place(plan, &mut done, nest),
            step => done.push(step),
        }
    }
    block.steps = done;
}

/// Puts a nest behind what is done, joined with an earlier one where that is possible.
fn place(plan: &Plan, done: &mut Vec<Step>, nest: NestStep) {
    // What the steps from `at + 1` on bind and read.
    let mut bound: HashSet<ItemId> = HashSet::new();
    let mut read: HashSet<ItemId> = HashSet::new();
    let needs: HashSet<ItemId> = nest.operands.iter().map(|id| plan.root(*id)).collect();
    let first = done.len().saturating_sub(WINDOW);
    for at in (first..done.len()).rev() {
        if let Step::Nest(other) = &done[at]
            && let Some(joined) = joined(plan, other, &nest)
        {
            let late = needs.iter().any(|item| bound.contains(item));
            let early = other.outputs.iter().any(|output| read.contains(&output.item));
            if !late {
                done[at] = Step::Nest(joined);
                return;
            }
            if !early {
                done.remove(at);
                done.push(Step::Nest(joined));
                return;
            }
        }
        everything(&done[at], plan, &mut read, &mut bound);
    }
    done.push(Step::Nest(nest));
}

/// The items a step and the steps inside it read and bind.
fn everything(step: &Step, plan: &Plan, read: &mut HashSet<ItemId>, bound: &mut HashSet<ItemId>) {
    step.reads(&mut |item| {
        read.insert(plan.root(item));
    });
    step.binds(&mut |item| {
        bound.insert(plan.root(item));
    });
    for (block, after) in step.blocks() {
        read.extend(after.into_iter().map(|item| plan.root(item)));
        for step in &block.steps {
            everything(step, plan, read, bound);
        }
    }
}

/// Two nests as one, if they have the same loops and something in common, and the later reads of
/// the earlier only the element at hand.
fn joined(plan: &Plan, first: &NestStep, second: &NestStep) -> Option<NestStep> {
    let outputs: HashMap<ItemId, usize> =
        first.outputs.iter().enumerate().map(|(at, output)| (output.item, at)).collect();
    let shared =
        second.operands.iter().any(|item| outputs.contains_key(item) || first.operands.contains(item));
    let points: usize = first.loops.iter().product();
    if first.loops != second.loops
        || first.nodes.len() + second.nodes.len() > JOINED_NODES
        || !(shared || points <= 32)
        || contraction::of(plan, first).is_some()
        || contraction::of(plan, second).is_some()
        || second.outputs.iter().any(|output| outputs.contains_key(&output.item))
    {
        return None;
    }
    let (mut graph, of_first) = Graph::of(first);
    let mut map: Vec<NodeId> = Vec::new();
    for at in 0..second.nodes.len() {
        if let Node::Read { operand, at: index } = &second.nodes[at] {
            let item = second.operands[*operand];
            if let Some(output) = outputs.get(&item) {
                let output = &first.outputs[*output];
                if output.fold.is_some() || !is_identity_at(index) {
                    return None;
                }
                map.push(of_first[output.root.0]);
                continue;
            }
            if outputs.contains_key(&plan.root(item)) {
                return None;
            }
        }
        let id = graph.copy(second, at, &map, None);
        map.push(id);
    }
    let mut joined = first.clone();
    for output in &mut joined.outputs {
        output.root = of_first[output.root.0];
    }
    joined.outputs.extend(second.outputs.iter().map(|output| {
        let mut output = output.clone();
        output.root = map[output.root.0];
        output
    }));
    (joined.nodes, joined.spans, joined.operands) = (graph.nodes, graph.spans, graph.operands);
    Some(joined)
}

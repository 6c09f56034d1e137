//! Machine functions of bounded size.
//!
//! The time a register allocator takes grows faster than the code it is given, so a block of much
//! code is cut into chunks, each a machine function of its own. Scalars that cross the cut go
//! through memory.

use std::collections::{HashMap, HashSet};

use super::steps::{Block, ItemId, Outlined, Plan, Step};

/// Cuts blocks into chunks of about `limit` instructions.
pub(super) fn outline(plan: &mut Plan, limit: usize) {
    let mut body = std::mem::take(&mut plan.body);
    plan.weight = body.steps.iter().map(weight).sum();
    cut(&mut body, limit);
    if body.steps.iter().any(has_outlined) {
        let mut reads = HashMap::new();
        count_reads(&body, &mut reads);
        // The host reads the results.
        for result in &plan.results {
            *reads.entry(*result).or_insert(0) += 1;
        }
        connect(&mut body, &reads, plan);
    }
    plan.body = body;
}

fn has_outlined(step: &Step) -> bool {
    matches!(step, Step::Outlined(_))
        || step.blocks().iter().any(|(block, _)| block.steps.iter().any(has_outlined))
}

/// About how many instructions a step becomes.
fn weight(step: &Step) -> usize {
    match step {
        Step::Scalar(_) => 2,
        Step::Nest(nest) => 12 + 12 * nest.loops.len() + 4 * nest.nodes.len(),
        Step::Kernel(_) | Step::Copy { .. } => 6,
        Step::Outlined(step) => 4 + step.outputs.len(),
        Step::Loop(_) | Step::If(_) => {
            let blocks = step.blocks();
            let inside = blocks
                .iter()
                .map(|(block, after)| after.len() * 3 + block.steps.iter().map(weight).sum::<usize>());
            10 + inside.sum::<usize>()
        }
    }
}

/// Cuts the blocks inside a block, then the block.
fn cut(block: &mut Block, limit: usize) {
    for step in &mut block.steps {
        match step {
            Step::Loop(step) => {
                if let Some((block, _)) = &mut step.condition {
                    cut(block, limit);
                }
                cut(&mut step.body, limit);
            }
            Step::If(step) => {
                cut(&mut step.then, limit);
                cut(&mut step.otherwise, limit);
            }
            Step::Outlined(step) => cut(&mut step.block, limit),
            Step::Scalar(_) | Step::Nest(_) | Step::Kernel(_) | Step::Copy { .. } => {}
        }
    }
    // Chunks of chunks, so that no function makes too many calls either.
    let mut left: usize = block.steps.iter().map(weight).sum();
    while left > 2 * limit && block.steps.len() > 1 {
        let before = block.steps.len();
        chunk(block, limit);
        left = block.steps.iter().map(weight).sum();
        if block.steps.len() >= before {
            break;
        }
    }
}

fn chunk(block: &mut Block, limit: usize) {
    let mut chunks = Vec::new();
    let (mut open, mut size) = (Block::default(), 0);
    for step in std::mem::take(&mut block.steps) {
        let weight = weight(&step);
        if size + weight > limit && !open.steps.is_empty() {
            chunks.push(close(&mut open));
            size = 0;
        }
        size += weight;
        open.steps.push(step);
    }
    chunks.push(close(&mut open));
    block.steps = chunks;
}

fn close(open: &mut Block) -> Step {
    Step::Outlined(Box::new(Outlined {
        block: std::mem::take(open),
        inputs: Vec::new(),
        outputs: Vec::new(),
    }))
}

/// How often each item is read.
fn count_reads(block: &Block, reads: &mut HashMap<ItemId, usize>) {
    for step in &block.steps {
        step.reads(&mut |item| *reads.entry(item).or_insert(0) += 1);
        for (block, after) in step.blocks() {
            count_reads(block, reads);
            for item in after {
                *reads.entry(item).or_insert(0) += 1;
            }
        }
    }
}

/// Finds which scalars go in and out of each chunk, and gives them homes.
fn connect(block: &mut Block, reads: &HashMap<ItemId, usize>, plan: &mut Plan) {
    for step in &mut block.steps {
        match step {
            Step::Loop(step) => {
                if let Some((block, _)) = &mut step.condition {
                    connect(block, reads, plan);
                }
                connect(&mut step.body, reads, plan);
            }
            Step::If(step) => {
                connect(&mut step.then, reads, plan);
                connect(&mut step.otherwise, reads, plan);
            }
            Step::Outlined(step) => {
                connect(&mut step.block, reads, plan);
                border(step, reads, plan);
            }
            Step::Scalar(_) | Step::Nest(_) | Step::Kernel(_) | Step::Copy { .. } => {}
        }
    }
}

fn border(step: &mut Outlined, reads: &HashMap<ItemId, usize>, plan: &mut Plan) {
    let mut inside = HashMap::new();
    count_reads(&step.block, &mut inside);
    let mut bound = Vec::new();
    binds(&step.block, &mut bound);
    let own: HashSet<ItemId> = bound.iter().copied().collect();
    let crosses = |plan: &Plan, id: &ItemId| {
        let item = plan.item(*id);
        item.is_scalar() && item.literal.is_none()
    };
    step.inputs = inside.keys().filter(|id| !own.contains(id) && crosses(plan, id)).copied().collect();
    step.inputs.sort();
    step.outputs =
        bound.into_iter().filter(|id| reads.get(id) > inside.get(id) && crosses(plan, id)).collect();
    for id in step.inputs.iter().chain(&step.outputs) {
        plan.items[id.0 as usize].home = true;
    }
}

fn binds(block: &Block, bound: &mut Vec<ItemId>) {
    for step in &block.steps {
        step.binds(&mut |item| bound.push(item));
        for (block, _) in step.blocks() {
            binds(block, bound);
        }
    }
}

//! Fusion: arrays that need not exist are not made, and passes over the same indices become one.
//!
//! First, a nest that another reads is put in the place of the read (*inlined*), with its index
//! maps composed, if that repeats no work worth saving. Then nests with the same loops become one
//! nest with several outputs (*joined*), so that an optimizer's update is one pass. What nobody
//! reads any more is dropped. Folding keeps its order throughout.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::ir::{Affine, At, Node, NodeId};

use super::contraction;
use super::graph::{Graph, work};
use super::steps::{Block, ItemId, NestStep, Plan, Step};

/// The most nodes of a nest.
const NODES: usize = 64;
/// The most nodes of a nest with several outputs.
const JOINED_NODES: usize = 128;
/// How much work may be repeated for every reader, and for how many.
const REPEATED: (usize, usize) = (4, 4);
/// How often a nest is looked at again for more to inline.
const ROUNDS: usize = 4;
/// How far back a nest looks for one to join.
const WINDOW: usize = 24;

/// Fuses the nests of a plan.
pub(super) fn fuse(plan: &mut Plan) {
    let mut body = std::mem::take(&mut plan.body);
    let uses = uses(plan, &body);
    let mut inline = Inline {
        plan,
        uses,
        made: HashMap::new(),
    };
    inline.block(&mut body, 0);
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

/// A nest that may be inlined.
#[derive(Clone)]
struct Made {
    nest: Rc<NestStep>,
    work: usize,
    /// How deep in the tree of blocks it stands.
    depth: usize,
}

struct Inline<'p> {
    plan: &'p mut Plan,
    uses: Vec<usize>,
    made: HashMap<ItemId, Made>,
}

impl Inline<'_> {
    fn block(&mut self, block: &mut Block, depth: usize) {
        for step in &mut block.steps {
            match step {
                Step::Nest(nest) => {
                    self.nest(nest, depth);
                    self.remember(nest, depth);
                }
                Step::Loop(step) => {
                    if let Some((block, _)) = &mut step.condition {
                        self.block(block, depth + 1);
                    }
                    self.block(&mut step.body, depth + 1);
                }
                Step::If(step) => {
                    self.block(&mut step.then, depth + 1);
                    self.block(&mut step.otherwise, depth + 1);
                }
                Step::Outlined(step) => self.block(&mut step.block, depth + 1),
                Step::Scalar(_) | Step::Kernel(_) | Step::Copy { .. } => {}
            }
        }
    }

    fn remember(&mut self, nest: &NestStep, depth: usize) {
        let [output] = &nest.outputs[..] else { return };
        if output.fold.is_none() && !nest.loops.is_empty() {
            let made = Made {
                nest: Rc::new(nest.clone()),
                work: nest.nodes.iter().map(work).sum(),
                depth,
            };
            self.made.insert(output.item, made);
        }
    }

    /// Inlines what a nest reads, and what it reads then.
    fn nest(&mut self, nest: &mut NestStep, depth: usize) {
        for _ in 0..ROUNDS {
            if !self.reads(nest, depth) {
                break;
            }
        }
    }

    /// Inlines what a nest reads; whether there was anything.
    fn reads(&mut self, nest: &mut NestStep, depth: usize) -> bool {
        let product = contraction::of(self.plan, nest).is_some();
        let eager = eager(nest);
        let mut found = false;
        let mut graph = Graph::default();
        let mut map: Vec<NodeId> = Vec::new();
        let mut size = nest.nodes.len();
        for at in 0..nest.nodes.len() {
            let inlined = match &nest.nodes[at] {
                Node::Read { operand, at: index } => {
                    let item = nest.operands[*operand];
                    self.wanted(nest, item, index, depth, eager[at], product, size)
                }
                Node::Constant(_) | Node::Index(_) | Node::Primitive(..) | Node::Within { .. } => {
                    None
                }
            };
            let id = match inlined {
                Some((made, vars)) => {
                    size += made.nodes.len();
                    found = true;
                    let nodes = graph.splice(&made, &vars);
                    nodes[made.outputs[0].root.0]
                }
                None => graph.copy(nest, at, &map, None),
            };
            map.push(id);
        }
        for output in &mut nest.outputs {
            output.root = map[output.root.0];
        }
        (nest.nodes, nest.spans, nest.operands) = (graph.nodes, graph.spans, graph.operands);
        found
    }

    /// The nest to put in the place of a read, with what to put for its variables.
    #[expect(clippy::too_many_arguments, reason = "all that the decision depends on")]
    fn wanted(
        &mut self,
        nest: &NestStep,
        item: ItemId,
        index: &[At],
        depth: usize,
        eager: bool,
        product: bool,
        size: usize,
    ) -> Option<(Rc<NestStep>, Vec<Affine>)> {
        let vars: Vec<Affine> = index
            .iter()
            .map(|at| match at {
                At::Affine(form) => Some(form.clone()),
                At::Computed(_) => None,
            })
            .collect::<Option<_>>()?;
        let (made, vars) = self.producer(item, vars)?;
        let traps = made.nest.nodes.iter().any(may_trap);
        let view = made.work == 0;
        let root = &made.nest.nodes[made.nest.outputs[0].root.0];
        if size + made.nest.nodes.len() > NODES
            || (traps && !(eager && covers(nest, &made.nest, &vars)))
            || (product && !(view && matches!(root, Node::Read { .. })))
            || (made.depth != depth && !view)
        {
            return None;
        }
        let points = |nest: &NestStep| nest.loops.iter().product::<usize>();
        let uses = self.uses[made.nest.outputs[0].item.0 as usize];
        let repeats = points(nest) > points(&made.nest);
        let same_loops = nest.loops == made.nest.loops && is_identity(&vars);
        let wanted = view
            || (!repeats && uses == 1)
            || (!repeats && !same_loops && made.work <= REPEATED.0 && uses <= REPEATED.1);
        wanted.then(|| (made.nest, vars))
    }

    /// The nest that makes an item, seen under the sizes of the item.
    fn producer(&mut self, item: ItemId, vars: Vec<Affine>) -> Option<(Made, Vec<Affine>)> {
        if let Some(made) = self.made.get(&item) {
            return Some((made.clone(), vars));
        }
        let from = self.plan.item(item).alias?;
        let (to_sizes, from_sizes) = (
            self.plan.item(item).sizes.clone(),
            self.plan.item(from).sizes.clone(),
        );
        if let Some(vars) = without_ones(&to_sizes, &from_sizes, &vars) {
            return self.producer(from, vars);
        }
        let made = self.made.get(&from)?.clone();
        let nest = self.reshaped(&made.nest, item)?;
        let made = Made {
            nest: Rc::new(nest),
            ..made
        };
        Some((made, vars))
    }

    /// An elementwise nest on operands of other sizes.
    fn reshaped(&mut self, nest: &NestStep, item: ItemId) -> Option<NestStep> {
        let sizes = self.plan.item(item).sizes.clone();
        let mut nest = nest.clone();
        let identity: Vec<At> = (0..sizes.len()).map(|v| At::Affine(Affine::var(v))).collect();
        for node in &mut nest.nodes {
            match node {
                Node::Constant(_) | Node::Primitive(..) => {}
                Node::Read { operand, at } => {
                    let old = self.plan.item(nest.operands[*operand]);
                    if old.is_scalar() {
                        continue;
                    }
                    if old.sizes != nest.loops || !is_identity_at(at) {
                        return None;
                    }
                    at.clone_from(&identity);
                }
                Node::Index(_) | Node::Within { .. } => return None,
            }
        }
        for operand in &mut nest.operands {
            let old = self.plan.item(*operand);
            if !old.is_scalar() {
                let mut new = old.clone();
                new.alias = Some(*operand);
                new.sizes.clone_from(&sizes);
                (new.lasting, new.home, new.buffer) = (false, false, None);
                self.plan.items.push(new);
                self.uses.push(1);
                let at = self.plan.items.len() - 1;
                *operand = ItemId(u32::try_from(at).expect("the number of items is limited"));
            }
        }
        nest.sizes.clone_from(&sizes);
        nest.loops = sizes;
        nest.order = (0..nest.loops.len()).collect();
        nest.outputs[0].kept = nest.loops.len();
        Some(nest)
    }
}

/// Indices into `from` for indices into `to`, where the sizes differ by ones only.
fn without_ones(to: &[usize], from: &[usize], vars: &[Affine]) -> Option<Vec<Affine>> {
    let wide = |sizes: &[usize]| -> Vec<usize> {
        sizes.iter().copied().filter(|size| *size != 1).collect()
    };
    if wide(to) != wide(from) {
        return None;
    }
    let mut rest = to.iter().zip(vars).filter(|(size, _)| **size != 1);
    let place = |size: &usize| match size {
        1 => Some(Affine::constant(0)),
        _ => rest.next().map(|(_, form)| form.clone()),
    };
    from.iter().map(place).collect()
}

/// Which nodes are computed wherever the loops go.
fn eager(nest: &NestStep) -> Vec<bool> {
    let mut eager = vec![false; nest.nodes.len()];
    for output in &nest.outputs {
        eager[output.root.0] = true;
    }
    for at in (0..nest.nodes.len()).rev() {
        if !eager[at] {
            continue;
        }
        match &nest.nodes[at] {
            Node::Constant(_) | Node::Index(_) => {}
            Node::Primitive(_, args) => args.iter().for_each(|arg| eager[arg.0] = true),
            Node::Read { operand: _, at } => {
                for at in at {
                    if let At::Computed(id) = at {
                        eager[id.0] = true;
                    }
                }
            }
            Node::Within { otherwise, .. } => eager[otherwise.0] = true,
        }
    }
    eager
}

fn may_trap(node: &Node) -> bool {
    match node {
        Node::Read { operand: _, at } => at.iter().any(|at| matches!(at, At::Computed(_))),
        Node::Constant(_) | Node::Index(_) | Node::Primitive(..) | Node::Within { .. } => false,
    }
}

/// Whether a read reaches every element of what it reads: each dimension by a variable of its own.
fn covers(nest: &NestStep, made: &NestStep, vars: &[Affine]) -> bool {
    let mut taken = HashSet::new();
    vars.iter().zip(&made.loops).all(|(form, size)| {
        let mut used = (0..nest.loops.len()).filter(|var| form.coefficient(*var) != 0);
        match (used.next(), used.next()) {
            (Some(var), None) => {
                form.offset == 0
                    && form.coefficient(var) == 1
                    && nest.loops[var] == *size
                    && taken.insert(var)
            }
            (None, None) => *size == 1,
            (_, Some(_)) => false,
        }
    })
}

fn is_var(form: &Affine, var: usize) -> bool {
    form.offset == 0
        && form
            .coefficients
            .iter()
            .enumerate()
            .all(|(at, k)| *k == i64::from(at == var))
        && form.coefficients.len() > var
}

fn is_identity(vars: &[Affine]) -> bool {
    vars.iter().enumerate().all(|(var, form)| is_var(form, var))
}

/// Whether every index is the loop variable of its dimension.
pub(super) fn is_identity_at(at: &[At]) -> bool {
    at.iter().enumerate().all(|(var, at)| match at {
        At::Affine(form) => is_var(form, var),
        At::Computed(_) => false,
    })
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
    block
        .steps
        .retain(|step| !matches!(step, Step::Nest(nest) if nest.outputs.is_empty()));
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
        match &nest.nodes[at] {
            Node::Constant(_) | Node::Index(_) => {}
            Node::Primitive(_, args) => args.iter().for_each(|arg| wanted[arg.0] = true),
            Node::Read { operand: _, at } => {
                for at in at {
                    if let At::Computed(id) = at {
                        wanted[id.0] = true;
                    }
                }
            }
            Node::Within {
                ranges: _,
                then,
                otherwise,
            } => {
                wanted[then.0] = true;
                wanted[otherwise.0] = true;
            }
        }
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

/// Joins nests with the same loops, in every block.
fn join(plan: &Plan, block: &mut Block) {
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
fn everything(
    step: &Step,
    plan: &Plan,
    read: &mut HashSet<ItemId>,
    bound: &mut HashSet<ItemId>,
) {
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
    let outputs: HashMap<ItemId, usize> = first
        .outputs
        .iter()
        .enumerate()
        .map(|(at, output)| (output.item, at))
        .collect();
    let shared = second
        .operands
        .iter()
        .any(|item| outputs.contains_key(item) || first.operands.contains(item));
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

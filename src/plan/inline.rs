//! Inlining: a nest in the place of a read, with its index maps composed.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::ir::{Affine, At, Node, NodeId};

use super::contraction;
use super::graph::{Graph, work};
use super::steps::{Block, ItemId, NestStep, Plan, Step};

/// The most nodes of a nest.
const NODES: usize = 64;
/// How much work may be repeated for every reader, and for how many.
const REPEATED: (usize, usize) = (4, 4);
/// How often a nest is looked at again for more to inline.
const ROUNDS: usize = 4;

/// Inlines what the nests of a block read; `uses` says how often each item is read.
pub(super) fn inline(plan: &mut Plan, uses: Vec<usize>, body: &mut Block) {
    let mut inline = Inline { plan, uses, made: HashMap::new() };
    inline.block(body, 0);
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
            let made = Made { nest: Rc::new(nest.clone()), work: nest.nodes.iter().map(work).sum(), depth };
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
        for (at, node) in nest.nodes.iter().enumerate() {
            let inlined = match node {
                Node::Read { operand, at: index } => {
                    let item = nest.operands[*operand];
                    self.wanted(nest, item, index, depth, eager[at], product, size)
                }
                Node::Constant(_) | Node::Index(_) | Node::Primitive(..) | Node::Within { .. } => None,
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
        wanted.then_some((made.nest, vars))
    }

    /// The nest that makes an item, seen under the sizes of the item.
    fn producer(&mut self, item: ItemId, vars: Vec<Affine>) -> Option<(Made, Vec<Affine>)> {
        if let Some(made) = self.made.get(&item) {
            return Some((made.clone(), vars));
        }
        let from = self.plan.item(item).alias?;
        let (to_sizes, from_sizes) = (self.plan.item(item).sizes.clone(), self.plan.item(from).sizes.clone());
        if let Some(vars) = without_ones(&to_sizes, &from_sizes, &vars) {
            return self.producer(from, vars);
        }
        let made = self.made.get(&from)?.clone();
        let nest = self.reshaped(&made.nest, item)?;
        let made = Made { nest: Rc::new(nest), ..made };
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
                self.uses.push(1);
                *operand = self.plan.add(new);
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
    let wide = |sizes: &[usize]| -> Vec<usize> { sizes.iter().copied().filter(|size| *size != 1).collect() };
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
            Node::Within { otherwise, .. } => eager[otherwise.0] = true,
            node => node.arguments(&mut |id| eager[id.0] = true),
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
        && form.coefficients.iter().enumerate().all(|(at, k)| *k == i64::from(at == var))
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

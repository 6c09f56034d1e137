//! Plans as data.

use crate::diag::Span;
use crate::ir::{Affine, At, Elem, Fold, Node, NodeId, Precision, Tensor};
use crate::math::{Prim, Scalar};
use crate::runtime::kernels;

/// An item, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub u32);

/// A buffer, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// A value of the flattened program.
#[derive(Debug, Clone)]
pub struct Item {
    /// The kind of its elements.
    pub elem: Elem,
    /// Its sizes; none for a scalar.
    pub sizes: Vec<usize>,
    /// The order of its dimensions in memory, outermost first; without one, as they are.
    pub layout: Option<Vec<usize>>,
    /// The item whose memory this one is, under other sizes.
    pub alias: Option<ItemId>,
    /// The value of a scalar that is known.
    pub literal: Option<Scalar>,
    /// Whether a scalar has a place in memory beside its register.
    pub home: bool,
    /// Whether a scalar lives in memory only.
    pub spilled: bool,
    /// Whether its memory holds a value before the run or after it.
    pub lasting: bool,
    /// Its memory.
    pub buffer: Option<BufferId>,
    /// The place in the user's program that it comes from.
    pub span: Span,
}

/// A part of the arena.
#[derive(Debug, Clone, Copy)]
pub struct Buffer {
    /// Its size.
    pub bytes: usize,
    /// Where it starts.
    pub offset: usize,
}

/// Steps done in order.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One thing done.
#[derive(Debug, Clone)]
pub enum Step {
    /// A primitive on scalars.
    Scalar(ScalarStep),
    /// A loop nest.
    Nest(NestStep),
    /// A call of a runtime kernel.
    Kernel(KernelStep),
    /// An array is copied.
    Copy {
        /// From.
        from: ItemId,
        /// To; a scalar or an array like `from`.
        to: ItemId,
    },
    /// A loop of the program.
    Loop(Box<LoopStep>),
    /// A choice of the program.
    If(Box<IfStep>),
    /// Steps in a machine function of their own.
    Outlined(Box<Outlined>),
}

/// A primitive on scalars.
#[derive(Debug, Clone)]
pub struct ScalarStep {
    /// Which.
    pub prim: Prim,
    /// Of what.
    pub operands: Vec<ItemId>,
    /// The result.
    pub item: ItemId,
}

/// A loop nest with one or more outputs.
#[derive(Debug, Clone)]
pub struct NestStep {
    /// The sizes of its loops, by loop variable.
    pub loops: Vec<usize>,
    /// The sizes with loops that run as one put together: 1, and the product at the last of them.
    pub sizes: Vec<usize>,
    /// Its loop variables, outermost first.
    pub order: Vec<usize>,
    /// The loop variable that runs in vectors, if the nodes allow it.
    pub lanes: Option<usize>,
    /// What its reads refer to.
    pub operands: Vec<ItemId>,
    /// The scalar graph.
    pub nodes: Vec<Node>,
    /// Where each node comes from.
    pub spans: Vec<Span>,
    /// What it gives.
    pub outputs: Vec<Output>,
    /// The parts it is cut into, if it is.
    pub cut: Option<Cut>,
}

/// How a nest is cut into parts that may run at once. An output that is folded over the variable
/// that is cut has a result for each part, along a first dimension of its item.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The loop variable whose range is cut.
    pub var: usize,
    /// Its range in pieces; parts are numbered through them.
    pub pieces: Vec<Piece>,
    /// Scalars that the nest reads. Parts take them from their homes.
    pub inputs: Vec<ItemId>,
}

/// A piece of the range of a loop variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// The length of its parts; the last may be shorter.
    pub part: usize,
}

impl Piece {
    /// How many parts it has.
    pub fn parts(&self) -> usize {
        (self.to - self.from).div_ceil(self.part)
    }
}

impl Cut {
    /// How many parts there are.
    pub fn parts(&self) -> usize {
        self.pieces.iter().map(Piece::parts).sum()
    }
}

/// An output of a nest.
#[derive(Debug, Clone)]
pub struct Output {
    /// The result.
    pub item: ItemId,
    /// Its value in the scalar graph.
    pub root: NodeId,
    /// How the variables from `kept` on are folded away; without it, none are.
    pub fold: Option<Fold>,
    /// How many leading loop variables are dimensions of the result.
    pub kept: usize,
}

/// A call of a runtime kernel.
#[derive(Debug, Clone)]
pub struct KernelStep {
    /// Its name in `runtime::kernels`.
    pub name: &'static str,
    /// Its operands.
    pub operands: Vec<ItemId>,
    /// Its result.
    pub item: ItemId,
    /// Sizes and switches.
    pub numbers: Vec<i64>,
    /// Where it comes from.
    pub span: Span,
}

/// A loop of the program.
#[derive(Debug, Clone)]
pub struct LoopStep {
    /// The most iterations.
    pub trip: usize,
    /// The counter.
    pub index: ItemId,
    /// The carried values.
    pub carried: Vec<Carried>,
    /// Steps asked before each iteration, and the scalar that must hold to go on.
    pub condition: Option<(Block, ItemId)>,
    /// One iteration.
    pub body: Block,
    /// Values collected from every iteration.
    pub stacked: Vec<Stacked>,
}

/// A carried value.
#[derive(Debug, Clone, Copy)]
pub struct Carried {
    /// Its first value.
    pub initial: ItemId,
    /// The value in an iteration, and after the loop.
    pub state: ItemId,
    /// The value for the next iteration.
    pub next: ItemId,
}

/// A collected value.
#[derive(Debug, Clone, Copy)]
pub struct Stacked {
    /// The value of one iteration.
    pub row: ItemId,
    /// All of them; rows not reached are zero.
    pub all: ItemId,
}

/// A choice of the program.
#[derive(Debug, Clone)]
pub struct IfStep {
    /// The scalar asked.
    pub condition: ItemId,
    /// Steps if it holds.
    pub then: Block,
    /// Steps if not.
    pub otherwise: Block,
    /// Results, with where they come from in each case: `(result, then, otherwise)`.
    pub results: Vec<(ItemId, ItemId, ItemId)>,
}

/// Steps in a machine function of their own. Scalars go in and out through their homes.
#[derive(Debug, Clone)]
pub struct Outlined {
    /// The steps.
    pub block: Block,
    /// Scalars it reads that are bound outside.
    pub inputs: Vec<ItemId>,
    /// Scalars bound inside that are read outside.
    pub outputs: Vec<ItemId>,
}

/// A planned program.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What a real is.
    pub precision: Precision,
    /// All items.
    pub items: Vec<Item>,
    /// All buffers.
    pub buffers: Vec<Buffer>,
    /// The size of the arena in bytes.
    pub arena: usize,
    /// Where rows for functions of many elements start.
    pub rows: usize,
    /// Arrays that are part of the program.
    pub constants: Vec<(ItemId, Tensor)>,
    /// Parameters.
    pub params: Vec<ItemId>,
    /// Results.
    pub results: Vec<ItemId>,
    /// What is done.
    pub body: Block,
    /// About how many instructions that is.
    pub weight: usize,
    /// Whether sums go strictly from left to right.
    pub ordered: bool,
}

impl Item {
    /// A value that the program makes, without a place yet.
    pub(super) fn new(elem: Elem, sizes: Vec<usize>, span: Span) -> Item {
        Item {
            elem,
            sizes,
            layout: None,
            alias: None,
            literal: None,
            home: false,
            spilled: false,
            lasting: false,
            buffer: None,
            span,
        }
    }

    /// Whether it is a scalar.
    pub fn is_scalar(&self) -> bool {
        self.sizes.is_empty()
    }

    /// The number of its elements.
    pub fn count(&self) -> usize {
        self.sizes.iter().product()
    }

    /// The distance between neighbours along each dimension, in elements.
    pub fn strides(&self) -> Vec<i64> {
        let mut strides = vec![1_i64; self.sizes.len()];
        let mut distance = 1_i64;
        for place in (0..self.sizes.len()).rev() {
            let dim = self.layout.as_ref().map_or(place, |layout| layout[place]);
            strides[dim] = distance;
            distance = distance.saturating_mul(i64::try_from(self.sizes[dim]).unwrap_or(i64::MAX));
        }
        strides
    }
}

impl Plan {
    /// The item of a number.
    pub fn item(&self, id: ItemId) -> &Item {
        &self.items[id.0 as usize]
    }

    /// The item of a number.
    pub fn item_mut(&mut self, id: ItemId) -> &mut Item {
        &mut self.items[id.0 as usize]
    }

    /// Another item.
    pub(super) fn add(&mut self, item: Item) -> ItemId {
        self.items.push(item);
        let at = self.items.len() - 1;
        ItemId(u32::try_from(at).expect("the number of items is limited"))
    }

    /// The item whose memory an item uses.
    pub fn root(&self, mut id: ItemId) -> ItemId {
        while let Some(next) = self.item(id).alias {
            id = next;
        }
        id
    }

    /// The number of its loop nests.
    pub fn nests(&self) -> usize {
        fn count(block: &Block) -> usize {
            let inside = |step: &Step| -> usize {
                let nest = usize::from(matches!(step, Step::Nest(_)));
                nest + step.blocks().iter().map(|(b, _)| count(b)).sum::<usize>()
            };
            block.steps.iter().map(inside).sum()
        }
        count(&self.body)
    }

    /// The bytes of one element.
    pub fn width(&self, elem: Elem) -> usize {
        match (elem, self.precision) {
            (Elem::Bool, _) => 1,
            (Elem::Real, Precision::F32) => 4,
            (Elem::Real, Precision::F64) | (Elem::Int, _) => 8,
        }
    }

    /// The buffers, largest first, each with the first item that has it.
    pub fn largest(&self) -> Vec<(ItemId, Buffer)> {
        let mut seen = vec![false; self.buffers.len()];
        let mut found = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            if let (Some(id), Ok(number)) = (item.buffer, u32::try_from(at))
                && !std::mem::replace(&mut seen[id.0 as usize], true)
            {
                found.push((ItemId(number), self.buffers[id.0 as usize]));
            }
        }
        found.sort_by_key(|(id, buffer)| (std::cmp::Reverse(buffer.bytes), *id));
        found
    }

    /// Where the memory of an item starts.
    ///
    /// # Panics
    /// If it has none: a bug of planning.
    pub fn offset(&self, id: ItemId) -> usize {
        let buffer = self.item(self.root(id)).buffer;
        let buffer = buffer.expect("items read from memory have a buffer");
        self.buffers[buffer.0 as usize].offset
    }
}

impl NestStep {
    /// How many of its nodes have functions of many elements, for which they want a row each.
    pub fn rows(&self, precision: Precision) -> usize {
        let single = precision == Precision::F32;
        let calls =
            |node: &&Node| matches!(node, Node::Primitive(prim, _) if kernels::has_block(*prim, single));
        self.nodes.iter().filter(calls).count()
    }

    /// Which element a read takes, in elements from the first, and the indices that are computed;
    /// `None` for other nodes.
    pub fn flat(&self, plan: &Plan, node: NodeId) -> Option<Flat> {
        let Node::Read { operand, at } = &self.nodes[node.0] else {
            return None;
        };
        let item = self.operands[*operand];
        let mut flat = Flat {
            item,
            form: Affine { coefficients: vec![0; self.loops.len()], offset: 0 },
            computed: Vec::new(),
        };
        let sizes = &plan.item(item).sizes;
        for ((at, stride), size) in at.iter().zip(plan.item(item).strides()).zip(sizes) {
            match at {
                At::Affine(form) => {
                    flat.form.offset += form.offset * stride;
                    for (var, sum) in flat.form.coefficients.iter_mut().enumerate() {
                        *sum += form.coefficient(var) * stride;
                    }
                }
                At::Computed(index) => flat.computed.push((*index, *size, stride)),
            }
        }
        Some(flat)
    }

    /// Whether an output has a result for each part.
    pub fn is_parted(&self, output: &Output) -> bool {
        output.fold.is_some() && self.cut.as_ref().is_some_and(|cut| cut.var >= output.kept)
    }

    /// Where a range `lo <= form < hi` begins and ends along a variable that the form depends on alone.
    pub fn borders(&self, (form, lo, hi): &(Affine, i64, i64), var: usize) -> Vec<usize> {
        let others = (0..self.loops.len()).filter(|other| *other != var && self.sizes[*other] != 1);
        let alone = others.clone().all(|other| form.coefficient(other) == 0);
        let k = form.coefficient(var);
        if !alone || k == 0 {
            return Vec::new();
        }
        // The least variable at which the form reaches a bound.
        let first = |bound: i64| {
            let distance = bound - form.offset;
            if k > 0 { -(-distance).div_euclid(k) } else { (-distance).div_euclid(-k) + 1 }
        };
        let inside = |at: &usize| *at > 0 && *at < self.sizes[var];
        [*lo, *hi].into_iter().filter_map(|bound| usize::try_from(first(bound)).ok()).filter(inside).collect()
    }

    /// Which element an output puts its value in, in elements from the first.
    pub fn target(&self, plan: &Plan, output: &Output) -> Affine {
        let mut coefficients = vec![0; self.loops.len()];
        let strides = plan.item(output.item).strides();
        let own = &strides[usize::from(self.is_parted(output))..];
        coefficients[..output.kept].copy_from_slice(&own[..output.kept]);
        Affine { coefficients, offset: 0 }
    }
}

/// An element of an array, by its distance from the first.
#[derive(Debug, Clone)]
pub struct Flat {
    /// The array.
    pub item: ItemId,
    /// The distance, without computed indices.
    pub form: Affine,
    /// Computed indices: node, size of the dimension, distance of neighbours.
    pub computed: Vec<(NodeId, usize, i64)>,
}

impl Step {
    /// The items it reads itself, not counting the steps inside it.
    pub fn reads(&self, visit: &mut dyn FnMut(ItemId)) {
        match self {
            Step::Scalar(step) => step.operands.iter().copied().for_each(visit),
            Step::Nest(step) => step.operands.iter().copied().for_each(visit),
            Step::Kernel(step) => step.operands.iter().copied().for_each(visit),
            Step::Copy { from, to: _ } => visit(*from),
            Step::Loop(step) => step.carried.iter().for_each(|carried| visit(carried.initial)),
            Step::If(step) => visit(step.condition),
            Step::Outlined(_) => {}
        }
    }

    /// The items it binds itself, not counting the steps inside it.
    pub fn binds(&self, visit: &mut dyn FnMut(ItemId)) {
        match self {
            Step::Scalar(step) => visit(step.item),
            Step::Nest(step) => step.outputs.iter().for_each(|output| visit(output.item)),
            Step::Kernel(step) => visit(step.item),
            Step::Copy { from: _, to } => visit(*to),
            Step::Loop(step) => {
                visit(step.index);
                step.carried.iter().for_each(|carried| visit(carried.state));
                step.stacked.iter().for_each(|stacked| visit(stacked.all));
            }
            Step::If(step) => step.results.iter().for_each(|(item, _, _)| visit(*item)),
            Step::Outlined(_) => {}
        }
    }

    /// The blocks inside it, each with the items that are read after it.
    pub fn blocks(&self) -> Vec<(&Block, Vec<ItemId>)> {
        match self {
            Step::Scalar(_) | Step::Nest(_) | Step::Kernel(_) | Step::Copy { .. } => Vec::new(),
            Step::Loop(step) => {
                let rows = step.stacked.iter().map(|stacked| stacked.row);
                let after = step.carried.iter().map(|c| c.next).chain(rows).collect();
                let asked = step.condition.iter().map(|(block, c)| (block, vec![*c]));
                asked.chain([(&step.body, after)]).collect()
            }
            Step::If(step) => vec![
                (&step.then, step.results.iter().map(|r| r.1).collect()),
                (&step.otherwise, step.results.iter().map(|r| r.2).collect()),
            ],
            Step::Outlined(step) => vec![(&step.block, Vec::new())],
        }
    }
}

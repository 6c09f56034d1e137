//! Which nests are matrix products large enough for a library.

use crate::ir::{Affine, Elem, Fold, Node, NodeId};
use crate::math::{Cpu, Instruction};

use super::steps::{Block, ItemId, KernelStep, NestStep, Plan, Step};

/// Inner dimensions of at most this many are left to nests.
const INNER: usize = 16;
/// Products of fewer multiplications are left to nests.
const WORK: usize = 4096;
/// Products of at least so many multiplications are cut into parts: some 30 microseconds.
const LARGE: usize = 1 << 20;
/// The fewest rows or columns of a part. Every part brings the other matrix into the library's order
/// again, which so many rows outweigh.
const EDGE: usize = 128;
/// The most parts of a product.
const PARTS: usize = 16;

/// A side of fewer elements fills no block of the library.
const SIDE: usize = 16;
/// A side of at least this many elements is long.
const LONG: usize = 256;
/// A side of at most this many elements is short.
const SHORT: usize = 24;

/// A matrix product `c[i, j] = sum of a[i, k] * b[k, j]`, for each index of a batch. Sizes, then
/// for each matrix where it starts and how far apart rows, columns and members of the batch are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) a: ItemId,
    pub(super) b: ItemId,
    pub(super) batch: usize,
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    /// Whether zero times anything is zero.
    pub(super) masked: bool,
    /// `[start, row, column, member]` of `a`, `b` and `c`.
    pub(super) strides: [[i64; 4]; 3],
}

impl Product {
    /// The kernel call.
    pub(super) fn step(&self, nest: &NestStep) -> KernelStep {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut numbers = vec![number(self.batch), number(self.m), number(self.k), number(self.n)];
        numbers.extend(self.strides.iter().flatten());
        numbers.push(i64::from(self.masked));
        numbers.extend(self.parts().map(number));
        KernelStep {
            name: "gemm",
            operands: vec![self.a, self.b],
            item: nest.outputs[0].item,
            numbers,
            span: nest.spans.last().copied().unwrap_or_default(),
        }
    }

    /// The rows and columns of a part: the whole product, or a part of its longer side. Like the cuts
    /// of nests, these depend on sizes alone. Members of a batch are parts in any case.
    fn parts(&self) -> [usize; 2] {
        let part = |size: usize| size.div_ceil(PARTS).max(EDGE).next_multiple_of(8).min(size);
        if self.m.saturating_mul(self.k).saturating_mul(self.n) < LARGE {
            [self.m, self.n]
        } else if self.m >= self.n {
            [part(self.m), self.n]
        } else {
            [self.m, part(self.n)]
        }
    }
}

/// Leaves the products of a plan to the library.
pub(super) fn call_library(plan: &mut Plan) {
    let mut body = std::mem::take(&mut plan.body);
    replace(plan, &mut body);
    plan.body = body;
}

fn replace(plan: &Plan, block: &mut Block) {
    for step in &mut block.steps {
        match step {
            Step::Nest(nest) => {
                if let Some(product) = of(plan, nest) {
                    *step = Step::Kernel(product.step(nest));
                }
            }
            Step::Loop(step) => {
                if let Some((block, _)) = &mut step.condition {
                    replace(plan, block);
                }
                replace(plan, &mut step.body);
            }
            Step::If(step) => {
                replace(plan, &mut step.then);
                replace(plan, &mut step.otherwise);
            }
            Step::Outlined(step) => replace(plan, &mut step.block),
            Step::Scalar(_) | Step::Kernel(_) | Step::Copy { .. } => {}
        }
    }
}

/// The product that a nest is, if it is one and large enough.
pub(super) fn of(plan: &Plan, nest: &NestStep) -> Option<Product> {
    let [output] = &nest.outputs[..] else {
        return None;
    };
    if output.fold != Some(Fold::Sum) || plan.item(output.item).elem != Elem::Real {
        return None;
    }
    let Node::Primitive(prim, args) = &nest.nodes[output.root.0] else {
        return None;
    };
    let masked = matches!(prim.cpu(), Cpu::Instruction(Instruction::BothMaskedMul));
    let multiplies = masked || matches!(prim.cpu(), Cpu::Instruction(Instruction::Mul));
    let (a, of_a) = flat(plan, nest, args.first()?.0)?;
    let (b, of_b) = flat(plan, nest, args.get(1)?.0)?;
    if !multiplies {
        return None;
    }
    let depth = nest.loops.len();
    let uses = |form: &Affine, var: usize| form.coefficient(var) != 0;
    let vars = |in_a: bool, in_b: bool, kept: bool| -> Vec<usize> {
        (0..depth)
            .filter(|var| {
                nest.loops[*var] != 1
                    && (*var < output.kept) == kept
                    && uses(&of_a, *var) == in_a
                    && uses(&of_b, *var) == in_b
            })
            .collect()
    };
    let (batch, rows, columns) = (vars(true, true, true), vars(true, false, true), vars(false, true, true));
    let inner = vars(true, true, false);
    let counted = batch.len() + rows.len() + columns.len() + inner.len();
    if counted != nest.loops.iter().filter(|size| **size != 1).count() {
        return None;
    }
    let of_c = nest.target(plan, output);
    let size = |vars: &[usize]| vars.iter().map(|var| nest.loops[*var]).product::<usize>();
    let (m, k, n) = (size(&rows), size(&inner), size(&columns));
    if k <= INNER || m < 4 || n < 4 || m * n * k < WORK {
        return None;
    }
    let one = |vars: &[usize], form: &Affine| merged(vars, form, &nest.loops);
    let strides = [
        [of_a.offset, one(&rows, &of_a)?, one(&inner, &of_a)?, one(&batch, &of_a)?],
        [of_b.offset, one(&inner, &of_b)?, one(&columns, &of_b)?, one(&batch, &of_b)?],
        [0, one(&rows, &of_c)?, one(&columns, &of_c)?, one(&batch, &of_c)?],
    ];
    if left_to_vectors(&strides, m, k, n) {
        return None;
    }
    Some(Product { a, b, batch: size(&batch), m, k, n, masked, strides })
}

/// Whether vectors do as well without packing: along the inner dimension, if the result is small, or
/// along a long side, if the others are small.
fn left_to_vectors(strides: &[[i64; 4]; 3], m: usize, k: usize, n: usize) -> bool {
    let [a, b, c] = strides;
    let inner = a[2] == 1 && b[1] == 1 && m.min(n) < SIDE;
    let columns = b[2] == 1 && c[2] == 1 && n >= LONG && k.max(m) <= SHORT;
    let rows = a[1] == 1 && c[1] == 1 && m >= LONG && k.max(n) <= SHORT;
    inner || columns || rows
}

/// The stride of several variables taken as one; `None` if they do not lie evenly.
fn merged(vars: &[usize], form: &Affine, sizes: &[usize]) -> Option<i64> {
    let Some((last, rest)) = vars.split_last() else {
        return Some(0);
    };
    let stride = form.coefficient(*last);
    let mut next = stride * i64::try_from(sizes[*last]).ok()?;
    for var in rest.iter().rev() {
        if form.coefficient(*var) != next {
            return None;
        }
        next *= i64::try_from(sizes[*var]).ok()?;
    }
    Some(stride)
}

/// The operand of a read, and which element it reads, counted through the array.
fn flat(plan: &Plan, nest: &NestStep, at: usize) -> Option<(ItemId, Affine)> {
    let flat = nest.flat(plan, NodeId(at))?;
    flat.computed.is_empty().then_some((flat.item, flat.form))
}

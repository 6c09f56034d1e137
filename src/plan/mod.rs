//! The last place where choices are made: what is computed in one pass, in which order, and where
//! every value lives. Code generation makes none.
//!
//! [`plan`] turns a program into a tree of [`Step`]s over [`Item`]s. An item is a value of the
//! flattened program: bodies of loops and branches are part of the tree, and their parameters are
//! the items they stand for. Scalars live in registers, arrays in one arena.

mod buffers;
mod contraction;
mod cost;
mod cut;
mod fusion;
mod graph;
mod inline;
mod inplace;
mod join;
mod layout;
mod order;
mod outline;
mod print;
mod schedule;
mod steps;

pub use cost::work_of_nodes;
pub use cut::LARGE;
pub use steps::{
    Block, Buffer, BufferId, Carried, Cut, Flat, IfStep, Item, ItemId, KernelStep, LoopStep, NestStep,
    Outlined, Output, Piece, Plan, ScalarStep, Stacked, Step,
};

use crate::ir::Program;

/// How much of planning is done.
#[derive(Debug, Clone, Copy)]
pub struct Choices {
    /// Whether nests are fused.
    pub fuse: bool,
    /// Whether sums go strictly from left to right, as the oracle has them.
    pub ordered: bool,
    /// Steps of more than this weight together become a machine function of their own.
    pub chunk: usize,
    /// Nests of at least so much work are cut into parts.
    pub large: u64,
}

impl Default for Choices {
    fn default() -> Choices {
        Choices { fuse: true, ordered: false, chunk: 2000, large: LARGE }
    }
}

/// The plan of a program, or the number of bytes that its arena would need if that is more than
/// can be addressed.
pub fn plan(program: &Program, choices: Choices) -> Result<Plan, TooLarge> {
    let mut plan = schedule::schedule(program);
    if choices.fuse {
        fusion::fuse(&mut plan);
    }
    plan.ordered = choices.ordered || !choices.fuse;
    if !plan.ordered {
        layout::choose(&mut plan);
        contraction::call_library(&mut plan);
    }
    if choices.fuse {
        order::order(&mut plan);
        inplace::in_place(&mut plan);
        cut::cut(&mut plan, choices.large);
    }
    outline::outline(&mut plan, choices.chunk);
    buffers::assign(&mut plan)?;
    Ok(plan)
}

/// The arena has no size that a machine could address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

//! What a program is, and the questions put to an op; never an op's name.
//!
//! A program is a functional, shape-typed SSA over whole arrays. See `program` for functions,
//! bindings and control forms, `facts` for what every structural op answers, `nest` for loop
//! nests as data, `text` for how programs are printed and read, `verify` for the invariants.

mod build;
mod dim;
mod facts;
mod nest;
mod note;
mod primitives;
mod program;
mod read;
mod rule;
mod same;
mod tensor;
mod text;
mod ty;
mod verify;
mod visit;

pub use build::{Build, infer_primitive};
pub use dim::Dim;
pub use facts::{Attr, Derivative, Facts, Form, Misfit, Trap, is_masked};
pub use nest::{Affine, At, Fold, Nest, Node, NodeId};
pub use note::{Concern, Note, add_note};
pub use primitives::{Domain, PrimitiveFacts, Primitives, primitives, set_primitives};
pub use program::{
    Binding, Custom, Diff, Function, If, Inverse, Loop, Map, Op, Precision, Program, Root, Tangents, Value,
};
pub use read::{Attributes, Registry, read_program};
pub use rule::{Comparison, Condition, Rule, Term, cost_of};
pub use same::same;
pub use tensor::{Data, Tensor, indices, space, zero};
pub use text::LITERAL_LIMIT;
pub use ty::{Elem, Ty};
pub use verify::verify;

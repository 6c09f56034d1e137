//! Declarations and sugar to IR.

mod primitives;
mod rules;

pub use primitives::primitive_facts;
pub use rules::rewrite_rules;

//! Minima: a small language and native compiler for objectives and optimizers.

pub mod codegen;
pub mod diag;
pub mod eval;
pub mod ir;
pub mod math;
pub mod ops;
pub mod plan;
pub mod runtime;
pub mod syntax;

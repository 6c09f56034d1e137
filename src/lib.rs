//! Minima: a small language and native compiler for objectives and optimizers.

pub mod analysis;
pub mod cli;
pub mod codegen;
pub mod data;
pub mod diag;
pub mod driver;
pub mod editor;
pub mod eval;
pub mod export;
pub mod ir;
pub mod linalg;
pub mod lower;
pub mod math;
pub mod ops;
pub mod passes;
pub mod picture;
pub mod plan;
pub mod run;
pub mod runtime;
pub mod site;
pub mod syntax;

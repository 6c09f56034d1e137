//! Simplification.
use super::{Options, Pass};
use crate::ir::Function;
/// See the module.
pub static SIMPLIFY: Pass = Pass {
    name: "simplify",
    about: "",
    run: |program, options| program.main = simplify(&program.main, options),
    ensures: super::nothing,
};
/// A simpler function.
pub fn simplify(function: &Function, _options: &Options) -> Function {
    function.clone()
}

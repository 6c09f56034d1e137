//! IR to IR, a file each; the pipelines are lists.
//!
//! A pass is a function with a name and a promise. Passes cannot fail: what can be wrong with a
//! program has been said before.

pub mod batch;
mod cse;
mod dead_code;
pub mod differentiate;
mod expand;
mod hoist;
mod inline;
mod rewrite;
mod simplify;

use std::sync::Arc;

use crate::ir::{Function, Precision, Program, Rule, same, verify};

pub use cse::cse;
pub use dead_code::dead_code;
pub use expand::{EXPAND, expand};
pub use hoist::{HOIST, hoist};
pub use inline::{INLINE, inline};
pub use simplify::{SIMPLIFY, simplify};

/// What a pipeline is told.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only rules that keep every bit.
    pub exact: bool,
    /// What real numbers are, for folding; [`run_pipeline`] takes the program's.
    pub precision: Precision,
    /// The declared rewrite rules.
    pub rules: Arc<Vec<Rule>>,
    /// Whether rules fire whatever they cost: programs are made to be read.
    pub reading: bool,
    /// What loops may keep for reverse mode, and what was chosen.
    pub tapes: differentiate::Tapes,
}

/// A function from programs to programs, with a promise.
pub struct Pass {
    /// Its name, for `--after`.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Does it.
    pub run: fn(&mut Program, &Options),
    /// What holds afterwards, for the entry function.
    pub ensures: fn(&Function) -> Result<(), String>,
}

/// The pipeline of every program.
pub static STANDARD: &[&Pass] = &[
    &SIMPLIFY, // before differentiation: what is smaller has a smaller derivative
    &EXPAND,   // no map, jvp, vjp
    &INLINE,   // no functions with their own derivative
    &SIMPLIFY, // equal computations are bound once
    &HOIST,    // no invariant bindings in loops
    &SIMPLIFY, // every binding is read
];

/// Runs the standard pipeline. `observe` sees the program after each pass.
///
/// # Panics
/// In debug builds, if a pass breaks its promise or an invariant of the IR.
pub fn run_pipeline(
    program: &mut Program,
    options: &Options,
    observe: &mut dyn FnMut(&'static str, &Program),
) {
    let options = Options { precision: program.precision, ..options.clone() };
    // Whether the program is simplified, and nothing has changed since.
    let mut settled = false;
    for pass in STANDARD {
        let simplifies = pass.name == SIMPLIFY.name;
        if !(simplifies && settled) {
            let before = settled.then(|| program.main.clone());
            (pass.run)(program, &options);
            settled = simplifies || before.is_some_and(|before| same(&before, &program.main));
        }
        if cfg!(debug_assertions) {
            let kept = verify(&program.main).and_then(|()| (pass.ensures)(&program.main));
            if let Err(broken) = kept {
                panic!("{} broke its promise: {broken}", pass.name);
            }
        }
        observe(pass.name, program);
    }
}

/// Simplifies a function and drops what it does not need: what is done before it is
/// differentiated.
fn tidy(function: &Function, options: &Options) -> Function {
    simplify(function, options)
}

/// The promise of a pass that promises nothing.
#[expect(clippy::unnecessary_wraps, reason = "the type of a promise")]
fn nothing(_: &Function) -> Result<(), String> {
    Ok(())
}

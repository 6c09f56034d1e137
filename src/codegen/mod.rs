//! Machine code, by Cranelift: obeys the plan, and is the only room that knows Cranelift.
//!
//! [`compile`] turns a program without derivatives into [`Compiled`]; an [`Instance`] of it has
//! memory of its own, and runs without allocating. What fails at run time, such as an index out of
//! range, is noted once; the code goes on with a safe index and the host looks afterwards.
//!
//! Compiled code agrees with `eval` bit for bit (up to which NaN a NaN is), with one exception:
//! sums and matrix products add in another order, fixed for the kind of machine, and may round a product and its
//! addition once; and in `f32` all arithmetic is `f32`.

#![expect(unsafe_code, reason = "calling compiled code and freeing it; every use says why it is safe")]

mod control;
mod emit;
mod folds;
mod instance;
mod jit;
mod lanes;
mod nest;
mod parts;
mod profile;
mod rows;
mod scalar;
mod symbols;
mod values;
mod view;
mod wide;

pub use instance::{Instance, Trapped};
pub use profile::{Measured, Share, Usage};

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::ir::{Program, Tensor};
use crate::plan::{self, Choices, Plan};
use crate::runtime::kernels::Vectors;

/// How to compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether code is made fast (fusion, Cranelift's optimisations).
    pub optimise: bool,
    /// Whether every sum is added strictly from left to right, as the oracle does.
    pub ordered: bool,
    /// The widest vectors used, which the machine must have.
    pub vectors: Vectors,
    /// Whether Cranelift verifies its input.
    pub verify: bool,
    /// Whether the machine functions are kept as text, for [`Compiled::listing`].
    pub listing: bool,
    /// Whether the code measures its steps.
    pub profile: bool,
    /// The most memory an instance may take, in bytes.
    pub memory_limit: usize,
    /// Nests of at least so much work are cut into parts; see `plan::LARGE`.
    pub large: u64,
    /// How many threads may work on the parts of a step. The results are the same bits for any number.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            optimise: true,
            ordered: false,
            vectors: Vectors::here(),
            verify: cfg!(debug_assertions),
            listing: false,
            profile: false,
            memory_limit: usize::MAX,
            large: plan::LARGE,
            threads: 1,
        }
    }
}

/// Why a program is not compiled or has no memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Its arrays need more than the limit.
    Memory {
        /// What they need, in bytes.
        needed: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// Its arrays have no size that a machine could address.
    Unaddressable,
    /// It has more values than can be numbered.
    Values {
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// A bug.
    Internal(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Memory { needed, limit } => {
                write!(f, "the program needs {} of memory, and the limit is {}", size(*needed), size(*limit))
            }
            Refusal::Unaddressable => f.write_str("the program needs more memory than can be addressed"),
            Refusal::Values { count, limit } => {
                write!(f, "the program has {count} values, and the limit is {limit}")
            }
            Refusal::Internal(text) => write!(f, "internal error: {text}"),
        }
    }
}

/// A number of bytes for people.
fn size(bytes: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let mut amount = bytes as f64;
    let mut units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = next;
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{amount:.1} {unit}") }
}

/// The most values of a program: Cranelift's own limits are further away.
const VALUES: usize = 4_000_000;

/// A program as machine code.
#[derive(Clone)]
pub struct Compiled {
    inner: Arc<Inner>,
}

struct Inner {
    plan: Plan,
    code: jit::Code,
    options: Options,
}

/// What was made, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Machine functions.
    pub functions: usize,
    /// Bytes of machine code.
    pub code: usize,
    /// Bytes of an instance's arena.
    pub arena: usize,
    /// Loop nests.
    pub nests: usize,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Compiled({:?})", self.figures())
    }
}

/// The machine code of a program, in which only constants, primitives, structural ops, loops and
/// choices are left and every dimension is a number.
pub fn compile(program: &Program, options: &Options) -> Result<Compiled, Refusal> {
    let count = program.main.size();
    if count > VALUES {
        return Err(Refusal::Values { count, limit: VALUES });
    }
    let compiled = catch_unwind(AssertUnwindSafe(|| build(program, options)));
    compiled.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Refusal::Internal(text.unwrap_or("code generation panicked").to_string()))
    })
}

fn build(program: &Program, options: &Options) -> Result<Compiled, Refusal> {
    let choices = Choices {
        fuse: options.optimise,
        ordered: options.ordered,
        large: options.large,
        ..Choices::default()
    };
    let plan = plan::plan(program, choices).map_err(|_| Refusal::Unaddressable)?;
    if plan.arena > options.memory_limit {
        return Err(Refusal::Memory { needed: plan.arena, limit: options.memory_limit });
    }
    let code = jit::compile(&plan, options)?;
    Ok(Compiled { inner: Arc::new(Inner { plan, code, options: *options }) })
}

impl Compiled {
    /// Memory to run in.
    pub fn instance(&self) -> Result<Instance, Refusal> {
        Instance::new(self.inner.clone())
    }

    /// The plan the code was made from.
    pub fn plan(&self) -> &Plan {
        &self.inner.plan
    }

    /// The machine functions as text: Cranelift's form of each, then its assembly. Empty unless
    /// [`Options::listing`] asked for it.
    pub fn listing(&self) -> &str {
        &self.inner.code.listing
    }

    /// What was made, in numbers.
    pub fn figures(&self) -> Figures {
        Figures {
            functions: self.inner.code.functions,
            code: self.inner.code.bytes,
            arena: self.inner.plan.arena,
            nests: self.inner.plan.nests(),
        }
    }
}

/// Why a program has no results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It was not compiled.
    Refused(Refusal),
    /// It could not go on.
    Trapped(Trapped),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(refusal)
    }
}

impl From<Trapped> for Failure {
    fn from(trapped: Trapped) -> Failure {
        Failure::Trapped(trapped)
    }
}

/// Compiles a program, runs it once, and gives its results.
pub fn run_once(program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
    let mut instance = compile(program, &Options::default())?.instance()?;
    for (at, input) in inputs.iter().enumerate() {
        instance.set(at, input);
    }
    instance.run()?;
    Ok((0..program.main.results.len()).map(|at| instance.get(at)).collect())
}

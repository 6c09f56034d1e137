//! What elaboration asks of the world: to run code, to read files, to print.

use std::rc::Rc;
use std::sync::Arc;

use super::configured::Configuration;
use super::{Plot, Res, Val, errors};
use crate::data::{Loaded, Reading};
use crate::diag::{Report, Span};
use crate::ir::{Precision, Program, Tensor, Ty};
use crate::syntax::ast;

/// The world around a program.
pub trait Host {
    /// What the program runs under.
    fn options(&self) -> &Options;

    /// Whether the user asked the program to stop, or an editor wants its check no longer.
    fn stopped(&self) -> bool {
        false
    }

    /// Runs code on inputs.
    fn run(&mut self, program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError>;

    /// Runs a solve.
    fn solve(&mut self, plan: &SolvePlan) -> Result<Outcome, RunError>;

    /// The names the standard library declares.
    fn library_names(&self) -> Vec<Arc<str>>;

    /// The parsed file of the standard library that declares a name.
    fn library_file(&mut self, name: &str) -> Res<Option<Rc<ast::File>>>;

    /// Reads a file of data; the path is relative to the program. `None` where nothing is run and the program itself
    /// writes the file before.
    fn load(&mut self, reading: Reading<'_>, span: Span) -> Result<Option<Loaded>, Box<Report>>;

    /// Reads another program; the path is relative to the program.
    fn import(&mut self, path: &str, span: Span) -> Result<Rc<ast::File>, Box<Report>>;

    /// The value given for an `input` on the command line, as text.
    fn input(&mut self, name: &str) -> Option<String>;

    /// The places of the inputs asked for, to find those nobody asked for.
    fn print(&mut self, values: &[(Option<Arc<str>>, Val)], span: Span) -> Result<(), Box<Report>>;

    /// Writes a value to a file; where nothing is run, only learns that it will be written.
    fn save(&mut self, value: &Val, path: &str, span: Span) -> Result<(), Box<Report>>;

    /// Draws a picture, or writes it to a file.
    fn plot(&mut self, plot: &Plot, span: Span) -> Result<(), Box<Report>>;

    /// Tells the outcome of an assertion: whether it held, its message, and the two sides of a
    /// comparison where it is one.
    fn assertion(&mut self, held: bool, message: Option<&str>, detail: Option<String>, span: Span);

    /// Tells that a solve was bound to a name.
    fn named_solve(&mut self, name: &str, span: Span);
}

/// What a program runs under.
#[derive(Debug, Clone)]
pub struct Options {
    /// The seed of all draws.
    pub seed: i64,
    /// The precision of reals.
    pub precision: Precision,
    /// Whether code is run at all; `false` for `check`.
    pub execute: bool,
    /// The most bytes of one array.
    pub memory_limit: u64,
    /// The most steps of elaboration: a bound on unrolling.
    pub work_limit: u64,
}

/// Why code did not run to its end.
#[derive(Debug, Clone)]
pub enum RunError {
    /// It stopped at a place, such as an index out of range.
    Trap {
        /// The place.
        span: Span,
        /// Why.
        message: String,
    },
    /// The program is wrong in a way that only a look at its code shows.
    Wrong(Box<Report>),
    /// It would need more than the limits allow.
    Limit(String),
    /// It would need more memory than it may have.
    Memory {
        /// What it needs, in bytes.
        needed: u64,
        /// The limit, in bytes.
        limit: u64,
        /// Whether it differentiates backward.
        reverse: bool,
        /// Loops and the bytes that they keep for that, at the least.
        kept: Vec<(Span, u64)>,
    },
    /// The user or the time limit ended it.
    Interrupted(String),
}

impl RunError {
    /// What is said of it; what has no place of its own happened at `span`.
    pub fn report(self, span: Span) -> Report {
        match self {
            RunError::Trap { span, message } => errors::trap(span, &message),
            RunError::Wrong(report) => *report,
            RunError::Limit(message) => errors::limit(span, &message),
            RunError::Memory { needed, limit, reverse, kept } => {
                errors::memory(span, needed, limit, reverse, &kept)
            }
            RunError::Interrupted(message) => errors::interrupted(span, &message),
        }
    }
}

/// A test block.
#[derive(Clone)]
pub struct Test {
    /// What it is called.
    pub name: Arc<str>,
    /// Where it stands.
    pub span: Span,
    pub(super) decl: Arc<ast::TestDecl>,
    pub(super) scope: super::Scope,
}

/// Everything a solve needs, as code.
///
/// The state of a solve is a list of arrays: `x` (the params as one flat vector), `t`, the loss,
/// the gradient, counters, a status and the optimizer's own state. See [`SolvePlan::LOSS`] and its
/// neighbours for the places of the first ones.
pub struct SolvePlan {
    /// `(inputs…) -> state`: the start.
    pub start: Program,
    /// The known arrays that `start` takes.
    pub start_inputs: Vec<Tensor>,
    /// `(state…, limit: int, seconds: real, inputs…) -> (state…, rows…)`: steps until `t == limit` or a stop.
    pub chunk: Program,
    /// The known arrays that `chunk` takes after the two scalars.
    pub chunk_inputs: Vec<Tensor>,
    /// `(state…, seconds: real, inputs…) -> answer`: loss, gradient norm, params, `until` sides, reports.
    pub finish: Program,
    /// The known arrays that `finish` takes.
    pub finish_inputs: Vec<Tensor>,
    /// `(x, inputs…) -> loss`: to find what is not finite at a point.
    pub value: Program,
    /// The known arrays that `value` takes.
    pub value_inputs: Vec<Tensor>,
    /// The state of an earlier solve to start from, by place; `None` is computed by `start`.
    pub resume: Vec<Option<Tensor>>,
    /// What each place of the state is called.
    pub state_names: Vec<String>,
    /// The most steps.
    pub limit: i64,
    /// Whether the gradient is computed, so that its norm can be shown.
    pub has_gradient: bool,
    /// The disjuncts of the stopping condition.
    pub until: Vec<UntilPart>,
    /// Statuses that the optimizer may stop with, by number from 16.
    pub statuses: Vec<Arc<str>>,
    /// Whether points of the trace have it too.
    pub traces_gradient: bool,
    /// Whether the params are two numbers, so that points of the trace have them; of a chunk they are the last rows.
    pub path: bool,
    /// Record every so many steps; 0 chooses.
    pub trace: i64,
    /// The interval to begin with where that is chosen: the steps of an epoch.
    pub interval: i64,
    /// Types of the answer's params, one for each leaf.
    pub answer: Vec<Ty>,
    /// The name of each leaf: `w`, `layer.b`.
    pub names: Vec<String>,
    /// How many scalar or array reports follow.
    pub reports: Vec<Arc<str>>,
    /// Where the state holds the reports of the optimizer.
    pub reported: Vec<(Arc<str>, usize)>,
    /// Whether a chunk gives figures of every step, [`SolvePlan::ROW`] and the optimizer's reports; it has then at most
    /// [`SolvePlan::CHUNK`] steps. Without, the figures are those of the end of a chunk.
    pub rows: bool,
    /// Whether the loss shown is minus the loss minimized.
    pub maximize: bool,
    /// The name of the optimizer with its hyper-parameters.
    pub optimizer: String,
    /// Why it was chosen, if the user did not choose.
    pub why: Option<String>,
    /// What it was set up with.
    pub configuration: Configuration,
    /// The solve in the program.
    pub span: Span,
}

impl SolvePlan {
    /// Place of the flat params in the state.
    pub const X: usize = 0;
    /// Place of the number of steps done.
    pub const T: usize = 1;
    /// Place of the status: 0 goes on, 1 the condition holds, 2 not finite, from 16 the optimizer's own.
    pub const STATUS: usize = 2;
    /// Place of the loss that is minimized.
    pub const LOSS: usize = 3;
    /// Place of the gradient.
    pub const GRADIENT: usize = 4;
    /// Place of the change of `x` in the last step.
    pub const CHANGE: usize = 5;
    /// Place of the number of evaluations of the objective alone.
    pub const EVALS_F: usize = 6;
    /// Place of the number of gradients.
    pub const EVALS_G: usize = 7;
    /// Place of the number of Hessian-vector products.
    pub const EVALS_H: usize = 8;
    /// Place of the norm of the gradient.
    pub const GRAD_NORM: usize = 9;
    /// Place of the loss at the start.
    pub const START_LOSS: usize = 10;
    /// Number of places before the optimizer's own state.
    pub const FIXED: usize = 11;

    /// The places of the figures that every step of a chunk leaves, in the order of their rows.
    pub const ROW: [usize; 5] =
        [SolvePlan::LOSS, SolvePlan::GRAD_NORM, SolvePlan::EVALS_F, SolvePlan::EVALS_G, SolvePlan::EVALS_H];
    /// The most steps of a chunk that leaves figures of every step.
    pub const CHUNK: i64 = 1 << 10;
}

/// One disjunct of a stopping condition.
#[derive(Debug, Clone)]
pub struct UntilPart {
    /// As written: `grad_norm < 1e-8`.
    pub text: String,
    /// The name on the left, if it is a comparison of a figure.
    pub figure: Option<Arc<str>>,
    /// The comparison sign.
    pub sign: &'static str,
    /// What kind of condition it is.
    pub kind: UntilKind,
}

/// What it means when a disjunct fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UntilKind {
    /// A test of the point: the gradient, or a figure of the user's.
    Solved,
    /// The loss reached a target.
    Target,
    /// The iterates hardly change.
    Change,
    /// A limit of steps, epochs or evaluations.
    Iterations,
    /// A limit of time.
    Time,
}

/// What a solve gave.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Why it stopped, in MathOptInterface's words.
    pub status: String,
    /// The test that fired, with its numbers.
    pub reason: String,
    /// Whether the user's condition was met.
    pub met: bool,
    /// The params at the answer, leaf by leaf.
    pub params: Vec<Tensor>,
    /// The loss at the answer, with the user's sign.
    pub loss: f64,
    /// The norm of the gradient at the answer; NaN if there is none.
    pub grad_norm: f64,
    /// Steps done.
    pub steps: i64,
    /// Evaluations of objective, gradient, Hessian-vector product.
    pub evals: [i64; 3],
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Those of them that passed before the first step: to compile, and to evaluate the start.
    pub seconds_before: f64,
    /// The reports.
    pub reports: Vec<Tensor>,
    /// The points recorded.
    pub trace: Trace,
    /// The last state, to go on from.
    pub state: Vec<Tensor>,
    /// What each place of it is called.
    pub state_names: Vec<String>,
}

/// So many points with the same loss are no accident.
const STILL: usize = 10;

/// The points of a solve that were recorded.
#[derive(Debug, Clone)]
pub struct Trace {
    /// What each column is called: steps, loss, gradient norm, seconds, and the reports of the optimizer.
    pub names: Vec<Arc<str>>,
    /// The columns, all of one length.
    pub columns: Vec<Vec<f64>>,
    /// Where it was, where the params are two numbers: as many points.
    pub path: Vec<[f64; 2]>,
}

impl Trace {
    /// So many points, all zero, with a column for each report of the optimizer.
    pub fn new(reports: &[Arc<str>], points: usize) -> Trace {
        let fixed = ["steps", "loss", "grad_norm", "seconds"].map(Arc::from);
        let names: Vec<Arc<str>> = fixed.into_iter().chain(reports.iter().cloned()).collect();
        let columns = names.iter().map(|_| vec![0.0; points]).collect();
        Trace { names, columns, path: Vec::new() }
    }

    /// How many points.
    pub fn len(&self) -> usize {
        self.columns[0].len()
    }

    /// The step since which the loss has been the same bits, if that is half of the steps or more, and of points enough
    /// to say so.
    pub fn still_since(&self) -> Option<f64> {
        let (steps, losses) = (&self.columns[0], &self.columns[1]);
        let last = losses.last()?;
        let same = losses.iter().rev().take_while(|loss| loss.to_bits() == last.to_bits()).count();
        let since = steps[losses.len() - same];
        (same >= STILL && since * 2.0 <= *steps.last()?).then_some(since)
    }

    /// The best recorded loss, and its step.
    pub fn best(&self, maximize: bool) -> Option<(f64, f64)> {
        let sign = if maximize { -1.0 } else { 1.0 };
        let points = self.columns[0].iter().zip(&self.columns[1]).filter(|(_, loss)| loss.is_finite());
        points.map(|(step, loss)| (*step, *loss)).min_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)))
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

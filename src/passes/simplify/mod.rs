//! Makes programs smaller: the same values from less work.
//!
//! One sweep builds the function again, binding by binding. Each binding is offered to the rules
//! in [`RULES`], then to the declared ones ([`rewrite`](super::rewrite)); what fires first gives
//! the value. A rule sees what its operands are made of, one or two bindings deep, never deeper,
//! so a sweep is linear. Sweeps, each followed by `cse` and `dead_code`, are repeated until
//! nothing fires, at most [`ROUNDS`] times.
//!
//! Rules marked [`Kind::Exact`] keep every bit, and so does computing with known numbers
//! ([`Kind::Numbers`]). The others are true on the reals, and off under `exact`. Numbers are computed
//! last: `log(1 + exp(1000))` is recognised before `exp(1000)` is infinite.

mod control;
mod dots;
mod exponentials;
mod facts;
mod fold;
mod graph;
mod indexing;
mod scatters;
mod shapes;
mod sums;
mod taken;

use crate::ir::{Binding, Function, Op, Ty, Value};

use super::dead_code::every_binding_is_read;
use super::rewrite::Rules;
use super::{Options, Pass, cse, dead_code};

pub(super) use fold::full;
pub(super) use graph::Graph;

/// See the module.
pub static SIMPLIFY: Pass = Pass {
    name: "simplify",
    about: "compute the same from less",
    run: |program, options| program.main = simplify(&program.main, options),
    ensures: every_binding_is_read,
};

/// The most sweeps.
const ROUNDS: usize = 12;

/// Whether a rule keeps every bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It does.
    Exact,
    /// It does, and leaves a number where there was a formula.
    Numbers,
    /// It is true on the reals.
    Real,
}

/// What a rule is offered.
pub(super) struct Candidate<'a> {
    pub op: &'a Op,
    pub operands: &'a [Value],
    pub ty: &'a Ty,
}

/// A rule: the value of the candidate from less work, if it knows how.
type Rule = fn(&mut Graph, &Candidate) -> Option<Value>;

/// The structural rules, in the order they are tried.
const RULES: &[(Kind, Rule)] = &[
    (Kind::Numbers, fold::primitive),
    (Kind::Exact, fold::structural),
    (Kind::Exact, fold::choice),
    (Kind::Exact, fold::int_identities),
    (Kind::Exact, fold::halves),
    (Kind::Real, fold::numbers_together),
    (Kind::Exact, fold::negative_number),
    (Kind::Exact, fold::negated_number),
    (Kind::Exact, shapes::nothing_moved),
    (Kind::Exact, shapes::two_moves),
    (Kind::Exact, shapes::slice_of_broadcast),
    (Kind::Exact, shapes::moved_number),
    (Kind::Exact, shapes::primitive_of_broadcasts),
    (Kind::Exact, indexing::gather),
    (Kind::Exact, taken::rows),
    (Kind::Exact, indexing::gather_rows),
    (Kind::Exact, scatters::scatter),
    (Kind::Real, scatters::sum_of_scatter),
    (Kind::Exact, sums::short_axes),
    (Kind::Real, sums::of_broadcast),
    (Kind::Real, sums::of_reduced),
    (Kind::Real, dots::sum_of_products),
    (Kind::Real, dots::sum_of_dot),
    (Kind::Exact, dots::of_number),
    (Kind::Real, dots::with_identity),
    (Kind::Real, sums::common_factor),
    (Kind::Real, exponentials::log_of_sum),
    (Kind::Real, exponentials::shares),
    (Kind::Real, exponentials::log_of_share),
];

/// A function that computes the same from less.
pub fn simplify(function: &Function, options: &Options) -> Function {
    let rules = Rules::new(options);
    let now = dead_code(&cse(function));
    let formulas = !options.exact && fold::has_formula_of_numbers(&now);
    let now = if formulas { sweeps(now, options, &rules, false) } else { now };
    sweeps(now, options, &rules, true)
}

/// Sweeps until nothing fires.
fn sweeps(mut now: Function, options: &Options, rules: &Rules, numbers: bool) -> Function {
    for _ in 0..ROUNDS {
        let (next, fired) = sweep(&now, options, rules, numbers, &vec![false; now.params.len()]);
        if !fired {
            return now;
        }
        now = dead_code(&cse(&next));
    }
    now
}

/// One sweep, with or without computing numbers, and whether anything fired. The marked parameters may
/// differ from one run of the function to the next.
fn sweep(
    function: &Function,
    options: &Options,
    rules: &Rules,
    numbers: bool,
    varies: &[bool],
) -> (Function, bool) {
    let mut graph = Graph::new(function, options.precision, varies);
    let mut fired = false;
    for binding in &function.bindings {
        let operands = graph.renamed(&binding.operands);
        graph.build.at(binding.span);
        let found = rewrite(&mut graph, binding, &operands, function, (options, numbers), rules);
        fired |= found.is_some();
        let values = found.unwrap_or_else(|| {
            let marks: Vec<bool> = operands.iter().map(|value| graph.varies(*value)).collect();
            let op = binding.op.map_functions(|inner| {
                let marks = inner_marks(&binding.op, inner, &marks);
                let (inner, inner_fired) = sweep(inner, options, rules, numbers, &marks);
                fired |= inner_fired;
                inner
            });
            let types = binding.values.iter().map(|v| function.ty(*v).clone());
            graph.build.bind(op, operands, types.collect())
        });
        graph.rename(&binding.values, &values);
    }
    let results = graph.renamed(&function.results);
    (graph.build.finish(results), fired)
}

/// Which parameters of a function of a control form may differ from run to run, given its operands.
fn inner_marks(op: &Op, inner: &Function, operands: &[bool]) -> Vec<bool> {
    let mut marks = match op {
        Op::Loop(op) => [&vec![true; 1 + op.carried], &operands[op.carried..]].concat(),
        Op::Map(_) => [&[true], operands].concat(),
        Op::If(_) => operands[1..].to_vec(),
        Op::Constant(_) | Op::Primitive(_) | Op::Structural(_) | Op::Custom(_) | Op::Jvp(_) | Op::Vjp(_) => {
            operands.to_vec()
        }
    };
    // Tangents, and what else the functions of a custom derivative take.
    marks.resize(inner.params.len(), operands.contains(&true));
    marks
}

fn rewrite(
    graph: &mut Graph,
    binding: &Binding,
    operands: &[Value],
    function: &Function,
    (options, numbers): (&Options, bool),
    rules: &Rules,
) -> Option<Vec<Value>> {
    match &binding.op {
        Op::Primitive(_) | Op::Structural(_) => {}
        Op::If(op) => return control::choice(graph, op, operands),
        Op::Loop(op) => return control::repetition(graph, op, operands, &binding.values, function),
        Op::Map(op) => {
            let types: Vec<Ty> = binding.values.iter().map(|v| function.ty(*v).clone()).collect();
            return taken::of_rows(graph, op, operands, &types);
        }
        Op::Constant(_) | Op::Custom(_) | Op::Jvp(_) | Op::Vjp(_) => return None,
    }
    let candidate = Candidate { op: &binding.op, operands, ty: function.ty(binding.values[0]) };
    let structural = RULES
        .iter()
        .filter(|(kind, _)| match kind {
            Kind::Exact => true,
            Kind::Numbers => numbers,
            Kind::Real => !options.exact,
        })
        .find_map(|(_, rule)| rule(graph, &candidate));
    let found = structural.or_else(|| rules.apply(graph, &candidate));
    found.map(|value| vec![value])
}

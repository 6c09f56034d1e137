//! What the loops of reverse mode keep, and what they compute again.
//!
//! A loop keeps its tape: what it carries at the start of each turn, as far as the backward sweep
//! reads it. Where the tape would take more than [`Tapes::limit`], and inside `checkpoint`, the
//! loop is cut into [`segments`](super::segments): of T turns about `L T^(1/L)` states are kept,
//! and each turn is computed L times more. The least L that keeps within the limit is taken.
//!
//! Nested segments with a fixed number of levels keep somewhat more than the binomial schedule
//! (A. Griewank and A. Walther, Revolve, ACM TOMS 26(1), 2000), which is optimal, but they are
//! plain loops: every pass knows them, derivatives of any order go through them, and a loop need
//! not know before its end how many turns it makes.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::analysis;
use crate::diag::Span;
use crate::ir::{Binding, Build, Dim, Elem, Function, Loop, Op, Precision, Tangents, Ty, Value};

use super::super::Options;
use super::transpose::Mixed;
use super::{reads, segments};

/// What loops may keep for reverse mode, and what was chosen for them.
#[derive(Debug, Clone)]
pub struct Tapes {
    /// The most bytes that the tape of one loop takes before the loop is cut into segments;
    /// [`Tapes::ALL`] takes everything, and `checkpoint` apart too.
    pub limit: u64,
    chosen: Arc<Mutex<Vec<LoopTape>>>,
    /// What was chosen under the limit before this one.
    before: Option<Vec<LoopTape>>,
    /// Whether every loop is cut, whatever that saves.
    all: bool,
}

impl Tapes {
    /// No limit, and no `checkpoint` either: for programs that are read.
    pub const ALL: u64 = u64::MAX;

    /// Tapes with a limit of their own, and nothing chosen yet.
    pub fn within(limit: u64) -> Tapes {
        Tapes { limit, chosen: Arc::default(), before: None, all: false }
    }

    /// The same, with nothing chosen yet.
    pub fn afresh(&self) -> Tapes {
        Tapes { all: self.all, ..Tapes::within(self.limit) }
    }

    /// Tapes that cut every loop, whatever that saves: for tests.
    pub fn cutting_all() -> Tapes {
        Tapes { all: true, ..Tapes::within(0) }
    }

    fn list(&self) -> MutexGuard<'_, Vec<LoopTape>> {
        self.chosen.lock().expect("nothing panics while it holds the list")
    }

    /// What was chosen, loop by loop, in the order in which they were differentiated.
    pub fn chosen(&self) -> Vec<LoopTape> {
        self.list().clone()
    }

    /// How many loops were chosen for.
    pub(crate) fn count(&self) -> usize {
        self.list().len()
    }

    /// Notes that the loops from `first` on are batched.
    pub(crate) fn batched(&self, first: usize, size: &Dim) {
        let lanes = size.known().map_or(1, i64::unsigned_abs);
        for tape in self.list().iter_mut().skip(first) {
            tape.lanes = tape.lanes.saturating_mul(lanes);
        }
    }

    /// The loops that keep most, with their bytes, at most three of them.
    pub fn largest(&self) -> Vec<(Span, u64)> {
        let mut found: Vec<(Span, u64)> = Vec::new();
        let mut chosen = self.chosen();
        chosen.sort_by_key(|tape| std::cmp::Reverse(tape.bytes()));
        for tape in chosen {
            if found.len() < 3 && tape.bytes() > 0 && !found.iter().any(|(span, _)| *span == tape.span) {
                found.push((tape.span, tape.bytes()));
            }
        }
        found
    }

    /// Tapes with an eighth of what the largest took; none if the last such limit changed nothing.
    pub fn smaller(&self) -> Option<Tapes> {
        let chosen = self.chosen();
        let most = chosen.iter().map(LoopTape::bytes).max().filter(|bytes| *bytes > 0)?;
        if self.before.as_ref() == Some(&chosen) {
            return None;
        }
        let limit = most.min(self.limit) / 8;
        Some(Tapes { before: Some(chosen), limit, ..self.afresh() })
    }
}

impl Default for Tapes {
    /// 64 MiB: within the last caches of large machines, and little beside the memory of any. It
    /// does not depend on the machine, because the choice may show in the last bits of results.
    fn default() -> Tapes {
        Tapes::within(64 << 20)
    }
}

/// What a differentiated loop keeps for its backward sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopTape {
    /// The loop.
    pub span: Span,
    /// How many loops that are differentiated stand around it: it keeps its tape once for one of
    /// their turns, and then again.
    pub depth: usize,
    /// The most turns.
    pub turns: u64,
    /// The bytes of what is kept of a turn.
    pub turn: u64,
    /// The bytes of what is kept at the start of a segment: all that the turns depend on.
    pub state: u64,
    /// How many segments, of how many segments, … of how many turns; one number is a loop that is
    /// not cut.
    pub sizes: Vec<u64>,
    /// Whether it stands in `checkpoint`.
    pub asked: bool,
    /// How many times it may be there at once, because it is differentiated in a generator.
    pub lanes: u64,
}

impl LoopTape {
    /// The bytes that are kept at a time.
    pub fn bytes(&self) -> u64 {
        let (turns, outer) = self.sizes.split_last().unwrap_or((&self.turns, &[]));
        let segments = outer.iter().sum::<u64>().saturating_mul(self.state);
        turns.saturating_mul(self.turn).saturating_add(segments)
    }

    /// The bytes that the loop would keep as it is.
    pub fn whole(&self) -> u64 {
        self.turns.saturating_mul(self.turn)
    }

    /// Chooses the sizes.
    fn choose(&mut self, tapes: &Tapes) {
        self.sizes = vec![self.turns];
        if tapes.limit == Tapes::ALL || (self.whole() <= tapes.limit && !self.asked && !tapes.all) {
            return;
        }
        if self.turns > TURNS {
            return;
        }
        let at = |levels| LoopTape { sizes: segments::sizes(self.turns, levels), ..self.clone() };
        if tapes.all {
            *self = at(2);
            return;
        }
        let mut best = self.clone();
        for levels in 2..=LEVELS {
            let next = at(levels);
            if next.bytes() < best.bytes() {
                best = next;
            }
            if best.bytes() <= tapes.limit {
                break;
            }
        }
        // Nobody computes twice what hardly saves anything.
        if best.bytes() <= self.whole() / 2 {
            *self = best;
        }
    }
}

/// The most turns of a loop that is cut, far below where numbers of turns overflow.
const TURNS: u64 = 1 << 62;

/// The most levels of segments: at six, a million turns keep 60 states.
const LEVELS: u32 = 6;

/// A mixed function whose loops keep no more than they may. `tangents` marks its linear
/// parameters.
pub(super) fn bounded(function: &Function, tangents: &[bool], options: &Options) -> Function {
    Bounded { options, depth: 0, asked: false }.function(function, tangents)
}

#[derive(Clone, Copy)]
struct Bounded<'a> {
    options: &'a Options,
    depth: usize,
    asked: bool,
}

impl Bounded<'_> {
    fn function(self, function: &Function, tangents: &[bool]) -> Function {
        let control = |binding: &Binding| !binding.op.functions().is_empty();
        if !function.bindings.iter().any(control) {
            return function.clone();
        }
        let mixed = Mixed::new(function, tangents);
        let shell = Function { bindings: Vec::new(), results: Vec::new(), ..function.clone() };
        let mut build = Build::resume(shell, Span::default());
        let mut renamed: Vec<Value> = (0..function.types.len())
            .map(|at| Value(u32::try_from(at).expect("values are numbered in 32 bits")))
            .collect();
        for binding in &function.bindings {
            let mut binding = binding.clone();
            let marks: Vec<bool> = binding.operands.iter().map(|v| mixed.is_linear(*v)).collect();
            let is_mixed = binding.values.iter().any(|v| mixed.is_linear(*v));
            for operand in &mut binding.operands {
                *operand = renamed[operand.0 as usize];
            }
            if let (Op::Loop(op), true) = (&binding.op, is_mixed) {
                build.at(binding.span);
                let found = self.repetition(&mut build, op, &binding, &marks);
                for (old, new) in binding.values.iter().zip(found) {
                    renamed[old.0 as usize] = new;
                }
                continue;
            }
            if is_mixed {
                binding.op = self.inside(&binding.op, &marks);
            }
            build.push(binding);
        }
        let results = function.results.iter().map(|value| renamed[value.0 as usize]).collect();
        build.finish(results)
    }

    /// A choice or a call whose functions keep no more than they may.
    fn inside(self, op: &Op, marks: &[bool]) -> Op {
        match op {
            Op::If(_) => op.map_functions(|branch| self.function(branch, &marks[1..])),
            Op::Custom(op) if matches!(op.tangents, Tangents::Stated(_)) => {
                let mut new = (**op).clone();
                new.function = self.function(&op.function, marks);
                Op::Custom(std::sync::Arc::new(new))
            }
            _ => op.clone(),
        }
    }

    /// A loop, cut into segments if it would keep too much.
    fn repetition(self, build: &mut Build, op: &Loop, binding: &Binding, marks: &[bool]) -> Vec<Value> {
        let carried = analysis::carried(op, marks);
        let params = analysis::body_params(&carried, marks);
        let region = op.is_region();
        let within =
            Bounded { depth: self.depth + usize::from(!region), asked: self.asked || region, ..self };
        let tape = self.tape(op, binding.span, &carried, &params);
        self.options.tapes.list().extend(tape.clone());
        let body = within.function(&op.body, &params);
        let op = Loop { body, ..op.clone() };
        match tape {
            None => segments::whole(build, &op, &binding.operands),
            Some(tape) => segments::bind(build, &op, &binding.operands, &tape.sizes),
        }
    }

    /// What a loop keeps; nothing is known of loops whose sizes are not numbers.
    fn tape(self, op: &Loop, span: Span, carried: &[bool], params: &[bool]) -> Option<LoopTape> {
        let turns = u64::try_from(op.trip.known()?).ok().filter(|turns| *turns > 1)?;
        let read = reads::params_read(&Mixed::new(&op.body, params))[1..=op.carried].to_vec();
        let bytes = |marks: &[bool]| {
            let both = op.body.params[1..=op.carried].iter().zip(marks);
            both.filter(|(_, mark)| **mark)
                .map(|(param, _)| bytes(op.body.ty(*param), self.options.precision))
                .try_fold(0_u64, |sum, bytes| Some(sum.saturating_add(bytes?)))
        };
        let depends = depends(op, &read, carried);
        let (turn, state) = (bytes(&read)?, bytes(&depends)?);
        let mut tape = LoopTape {
            span,
            depth: self.depth,
            turns,
            turn,
            state,
            sizes: Vec::new(),
            asked: self.asked,
            lanes: 1,
        };
        tape.choose(&self.options.tapes);
        Some(tape)
    }
}

/// Which nonlinear carried values the marked ones depend on, turn by turn, and those of the
/// condition.
fn depends(op: &Loop, read: &[bool], linear: &[bool]) -> Vec<bool> {
    let mut marks = read.to_vec();
    if let Some(condition) = &op.condition {
        let asked = reads::params_of(condition, &[true]);
        marks.iter_mut().zip(&asked[1..]).for_each(|(mark, asked)| *mark |= asked);
    }
    loop {
        let before = marks.clone();
        let wanted: Vec<bool> = (0..op.body.results.len()).map(|at| before.get(at) == Some(&true)).collect();
        let found = reads::params_of(&op.body, &wanted);
        for (at, mark) in marks.iter_mut().enumerate() {
            *mark |= found[1 + at] && !linear[at];
        }
        if marks == before {
            return marks;
        }
    }
}

/// The bytes of a value, where its sizes are numbers.
fn bytes(ty: &Ty, precision: Precision) -> Option<u64> {
    let width: u64 = match (ty.elem, precision) {
        (Elem::Bool, _) => 1,
        (Elem::Real, Precision::F32) => 4,
        (Elem::Real, Precision::F64) | (Elem::Int, _) => 8,
    };
    ty.dims.iter().try_fold(width, |bytes, dim| Some(bytes.saturating_mul(u64::try_from(dim.known()?).ok()?)))
}

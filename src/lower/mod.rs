//! Elaboration: names, types, shapes and code in one walk over the tree.
//!
//! Functions are compile-time values and always inlined, and a top-level statement is compiled
//! when it is reached, so typing needs the values around it and lowering needs nothing but the
//! types. One walk does both: there is one set of typing rules. Generic functions are checked by
//! the same walk with symbolic dimensions and a host that computes nothing.
//!
//! Sugar dies here: generators become `map`, `var` and loops become carried values, objectives
//! and solves become functions over one flat vector. No optimisation.

mod arith;
mod batch;
mod blocks;
mod builtins;
mod calculus;
mod call;
mod called;
mod checkpoint;
mod configured;
mod declare;
mod denoted;
mod derivative;
mod draws;
mod each;
mod entries;
mod equations;
pub mod errors;
mod expect;
mod expr;
mod factors;
mod generators;
mod habits;
mod host;
mod index;
mod instead;
mod jacobian;
mod labels;
mod levels;
mod linear;
mod lost;
mod names;
mod nested;
mod objective;
mod optimizer;
mod plots;
mod primitives;
mod problem;
mod program;
mod rebuild;
mod reductions;
mod reported;
mod rules;
mod running;
mod sampled;
mod saved;
mod solve;
mod squares;
mod stage;
mod stated;
mod steps;
mod tables;
mod types;
mod until;
mod value;
mod views;
mod walk;

pub use builtins::all as builtins;
pub use called::called;
pub use configured::{Configuration, Hyper, unknowns};
pub use denoted::{Denoted, Member, Places, Sort};
pub use derivative::{
    Differentiated, GradientCode, assignments, bound_names, declared, declares, generators, mentions, needed,
};
pub use entries::Names;
pub use host::{Host, Options, Outcome, RunError, SolvePlan, Test, Trace, UntilKind, UntilPart};
pub use instead::{Instead, SolveSite, solve_sites};
pub use levels::{Contour, Way};
pub use objective::{Fit, Objective};
pub use optimizer::OptimizerValue;
pub use plots::{Column, Plot, PlotOptions, Plotted, Shown, Tinted};
pub use primitives::{primitive_facts, primitive_facts_of};
pub use rules::{reading_rules, rewrite_rules};
pub use solve::POINTS;
pub use stated::{StatedCall, StatedCode};
pub use tables::to_loaded;
pub use value::{Cell, Function, Poisoned, Record, Res, Scope, Slot, Staged, Val};

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use crate::diag::{Report, Span};
use crate::syntax::ast;

/// The most reports of one run; further ones are counted, not kept.
pub const MAX_REPORTS: usize = 20;

/// So many names are compared with unknown ones in one run before suggestions end.
const COMPARED: usize = 1_000_000;

/// A check for an editor looks so often whether it is still wanted.
const STOPS: u64 = 64;

/// Elaborates programs, statement by statement.
pub struct Lower<'h> {
    host: &'h mut dyn Host,
    reports: Vec<Report>,
    /// Where the report of a code at a place stands in `reports`, if it still stands there.
    told: HashMap<(&'static str, Span), usize>,
    /// How many names were looked through for what an unknown one may mean.
    compared: usize,
    /// The names of the standard library, once they were asked for.
    words: OnceCell<Rc<BTreeSet<Arc<str>>>>,
    units: Vec<stage::Unit>,
    next_unit: usize,
    /// What is known of staged integers: their interval and their base and offset.
    ints: HashMap<(usize, crate::ir::Value), stage::IntFact>,
    /// What staged matrices are the inverses of.
    inverses: HashMap<(usize, crate::ir::Value), factors::Inverse>,
    /// Names of the standard library already elaborated.
    library: HashMap<Arc<str>, Option<Val>>,
    /// Declarations of files read by need, by the name they declare.
    globals: Scope,
    /// The names that the entries of a session before this one saw at their end.
    homes: Rc<Vec<entries::Home>>,
    /// The entry of a session, if it is one.
    entry: Option<entries::Entry>,
    /// What the files bind at their top level, and where.
    top: HashMap<Arc<str>, Vec<Span>>,
    /// The functions being called, innermost last: for recursion and for the keys of draws.
    calls: Vec<Arc<str>>,
    /// The indices of all loops and generators around, for the keys of draws.
    indices: Vec<Val>,
    /// A truth value under which the code being built counts: indices outside are not checked.
    guard: Option<Val>,
    /// The files whose import is under way, innermost last.
    importing: Vec<Rc<ast::File>>,
    /// The numbers of those among them whose names are their own, innermost last.
    modules: Vec<Rc<usize>>,
    /// Columns of texts that rows at computed places were made without.
    left_out: Vec<Arc<str>>,
    /// How many generators are being turned into maps around here.
    in_map: usize,
    /// How many conditions decide around here whether the code runs at all.
    conditional: usize,
    /// How expectations draw in a minibatch.
    draws: Option<batch::Draws>,
    /// How many minibatches the step under construction has drawn anew.
    fresh: i64,
    /// The seed of the program, or of a `with seed = …` around.
    seed: i64,
    /// Counters that code advances behind the user's back.
    effects: Vec<value::Cell>,
    /// Cells of a step that its loops and choices carry along: the last evaluation, the status.
    memo: Vec<value::Cell>,
    /// The statuses that `stop` may give in the step under construction.
    statuses: Vec<Arc<str>>,
    /// A run-time stop was reported: nothing more is executed.
    halted: bool,
    /// Set while a generic function is checked with symbolic dimensions.
    symbolic: bool,
    /// Set once a value was made up because nothing is run in a check: from then on a report that
    /// a value is not known says nothing.
    pretended: bool,
    tests: Vec<Test>,
    /// What is another in one solve.
    instead: Option<Instead>,
    /// Calls of functions that state their derivative, as code.
    stated: Vec<StatedCall>,
    /// Objectives of which it has been said where their derivative is lost.
    judged: Vec<Weak<Objective>>,
    /// What places denote, where an editor asks for it.
    places: Option<denoted::Places>,
    depth: usize,
    work: u64,
}

impl<'h> Lower<'h> {
    /// Starts with the standard library in scope.
    pub fn new(host: &'h mut dyn Host) -> Lower<'h> {
        let seed = host.options().seed;
        Lower {
            host,
            reports: Vec::new(),
            told: HashMap::new(),
            compared: 0,
            words: OnceCell::new(),
            units: Vec::new(),
            next_unit: 0,
            ints: HashMap::new(),
            inverses: HashMap::new(),
            library: HashMap::new(),
            globals: Scope::default(),
            homes: Rc::default(),
            entry: None,
            top: HashMap::new(),
            calls: Vec::new(),
            indices: Vec::new(),
            guard: None,
            importing: Vec::new(),
            modules: Vec::new(),
            left_out: Vec::new(),
            in_map: 0,
            conditional: 0,
            draws: None,
            fresh: 0,
            seed,
            effects: Vec::new(),
            memo: Vec::new(),
            statuses: Vec::new(),
            halted: false,
            symbolic: false,
            pretended: false,
            tests: Vec::new(),
            instead: None,
            stated: Vec::new(),
            judged: Vec::new(),
            places: None,
            depth: 0,
            work: 0,
        }
    }

    /// The reports so far, taken out.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// Whether nothing is run.
    pub fn only_checks(&self) -> bool {
        !self.host.options().execute
    }

    /// Whether a run-time stop ended the program.
    pub fn halted(&self) -> bool {
        self.halted
    }

    /// Adds a report; a second one at the same place with the same code is dropped.
    pub(crate) fn report(&mut self, report: Report) -> Poisoned {
        let doubtful = self.pretended && errors::is_about_knowledge(report.code);
        if !doubtful && !self.is_told(&report) {
            self.told.insert((report.code, report.span), self.reports.len());
            self.reports.push(report);
        }
        Poisoned
    }

    /// Whether there is a report with this code at this place. Reports may have been taken back since they were
    /// noted, so the note is only where to look first.
    fn is_told(&mut self, report: &Report) -> bool {
        let same = |old: &Report| old.code == report.code && old.span == report.span;
        let Some(at) = self.told.get_mut(&(report.code, report.span)) else { return false };
        if self.reports.get(*at).is_some_and(same) {
            return true;
        }
        let found = self.reports.iter().position(same);
        *at = found.unwrap_or(*at);
        found.is_some()
    }

    /// Adds a report and fails.
    pub(crate) fn fail<T>(&mut self, report: Report) -> Res<T> {
        Err(self.report(report))
    }

    /// Bounds the depth of elaboration and the work of unrolling.
    pub(crate) fn deeper<T>(&mut self, span: Span, run: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        if self.depth > 2_000 {
            return self.fail(errors::nested_too_deeply(span));
        }
        self.work += 1;
        if self.work > self.host.options().work_limit {
            return self.fail(errors::too_much_work(span, self.host.options().work_limit));
        }
        if self.places.is_some() && self.work.is_multiple_of(STOPS) && self.host.stopped() {
            return self.fail(errors::interrupted(span, "the check was ended"));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    /// What a name denotes: local, global, or of the standard library.
    pub(crate) fn lookup(&mut self, scope: &Scope, name: &Arc<str>, span: Span) -> Res<Val> {
        if let Some(slot) = self.slot(scope, name) {
            let seen = self.places.is_some().then(|| slot.clone());
            let value = match slot {
                Slot::Let(value, _) => value.clone(),
                Slot::Var(cell, _) => cell.borrow().clone(),
            };
            seen.iter().for_each(|slot| self.denotes_bound(name, slot));
            return if matches!(value, Val::Poison) { Err(Poisoned) } else { Ok(value) };
        }
        if let Some(value) = self.library_value(name)? {
            return Ok(value);
        }
        let report = self.unknown(scope, name, span);
        self.fail(report)
    }

    /// What to say of a name that means nothing: it may be bound further down, or belong to a result.
    fn unknown(&mut self, scope: &Scope, name: &Arc<str>, span: Span) -> Report {
        let later = |at: &&Span| at.file == span.file && at.start > span.start;
        if let Some(at) = self.top.get(name).and_then(|places| places.iter().find(later)) {
            return errors::bound_later(span, name, *at);
        }
        let place = if given_at(scope).is_some() { errors::Home::Optimizer } else { errors::Home::Other };
        let fit = if self.compared > COMPARED { None } else { scope.fit_with(name) };
        if let Some(fit) = fit {
            return errors::param_of_result(span, name, &fit);
        }
        let globals = self.globals.clone();
        self.unknown_name(name, span, place, || {
            let mut own: Vec<Arc<str>> = scope.names();
            own.extend(globals.names());
            own
        })
    }

    /// E0301, with the nearest of the program's own names and those of the library. In a program with a great many
    /// unknown names the later ones are told without.
    fn unknown_name(
        &mut self,
        name: &str,
        span: Span,
        place: errors::Home,
        own: impl FnOnce() -> Vec<Arc<str>>,
    ) -> Report {
        if self.compared > COMPARED {
            return errors::unknown_name(span, name, place, &[], &[]);
        }
        let own = own();
        let library: Vec<Arc<str>> = self.library_words().iter().cloned().collect();
        self.compared += own.len() + library.len();
        errors::unknown_name(span, name, place, &own, &library)
    }

    /// The names of the standard library.
    fn library_words(&self) -> Rc<BTreeSet<Arc<str>>> {
        let read = || self.host.library_names().into_iter().chain(builtins::names().map(Arc::from));
        self.words.get_or_init(|| Rc::new(read().collect())).clone()
    }

    /// A value of the standard library, elaborated by need.
    fn library_value(&mut self, name: &Arc<str>) -> Res<Option<Val>> {
        if let Some(known) = self.library.get(name) {
            return Ok(known.clone());
        }
        if let Some(builtin) = builtins::find(name) {
            let value = Val::Function(Rc::new(Function::Builtin(builtin)));
            self.library.insert(name.clone(), Some(value.clone()));
            return Ok(Some(value));
        }
        if let Some(value) = builtins::constant(name) {
            self.library.insert(name.clone(), Some(value.clone()));
            return Ok(Some(value));
        }
        let Some(items) = self.host.library_file(name)? else {
            return Ok(None);
        };
        self.load_library(&items);
        Ok(self.library.get(name).cloned().flatten())
    }

    /// Makes the declarations of a file of the standard library known. Their scope is empty: what
    /// they use of each other is found by need.
    fn load_library(&mut self, items: &Rc<ast::File>) {
        for item in &items.items {
            if let Some((name, value)) = declare::declaration(item, &Scope::library()) {
                self.library.entry(name).or_insert(Some(value));
            }
        }
        // Constants of the file are evaluated when they are first asked for with their file.
        for item in &items.items {
            if let ast::StmtKind::Let { pattern: ast::Pattern::Name(name), value, .. } = &item.kind
                && !self.library.contains_key(&name.name)
            {
                let val = self.compute(&name.name, value.span, |lower| lower.expr(&Scope::library(), value));
                self.library.insert(name.name.clone(), Some(val.unwrap_or(Val::Poison)));
            }
        }
    }
}

/// In the body of an optimizer, where what is given there is bound: x, g, f, t and its arguments.
pub(crate) fn given_at(scope: &Scope) -> Option<Span> {
    let place = |name: &str| match scope.get(name) {
        Some(Slot::Let(_, at) | Slot::Var(_, at)) => Some(*at),
        None => None,
    };
    let at = place("t")?;
    ["x", "g", "f"].iter().all(|name| place(name) == Some(at)).then_some(at)
}

//! Solves: objective, optimizer and stopping condition become the code of a [`SolvePlan`].

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::batch::Batch;
use super::objective::{Fit, param_types};
use super::optimizer::OptimizerValue;
use super::problem::Problem;
use super::running::{Running, View};
use super::steps::uses_gradient;
use super::until::{Disjunct, asks_gradient};
use super::value::{Argument, Res, Scope, Val};
use super::{Lower, Objective, Outcome, SolvePlan, Trace, errors, walk};
use crate::diag::Span;
use crate::ir::{Dim, Elem, Loop, Op, Program, Tensor, Ty};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, SolveExpr, SolveKind};

/// Up to so many unknowns the default is BFGS. Beyond, on the problems of the standard library with
/// 90 to 100 unknowns, L-BFGS needs fewer gradients and its steps are cheaper.
const DENSE: i64 = 50;

/// The most points of a trace whose interval was not chosen, but for the start.
pub const POINTS: usize = 1_000;

/// The rows that a trace is taken to have in a check, where its interval was chosen.
const ROWS: usize = 1 << 16;

/// Steps between the points of a trace, where expectations are sampled.
const DRAWN: i64 = 100;

/// A program with the known arrays it takes.
type Coded = (Program, Vec<Tensor>);

/// The code of a solve, and what its state holds.
struct Units {
    start: Coded,
    chunk: Coded,
    finish: Coded,
    statuses: Vec<Arc<str>>,
    /// The places of the optimizer's reports.
    reported: Vec<(Arc<str>, usize)>,
    /// How many figures of every step a chunk keeps.
    rows: usize,
    state_names: Vec<String>,
    /// The state to go on from.
    resume: Vec<Tensor>,
}

/// A solve being put together.
pub(super) struct Setup {
    pub(super) objective: Rc<Objective>,
    pub(super) optimizer: Rc<OptimizerValue>,
    why: Option<String>,
    start: Vec<Val>,
    /// Params that no optimizer moves, by their place among all.
    frozen: Vec<(usize, (Arc<str>, Val))>,
    pub(super) resume: Vec<Tensor>,
    /// The state that a file holds, to go on from.
    saved: Option<(Vec<(String, Tensor)>, Span)>,
    pub(super) until: Option<Expr>,
    pub(super) trace: i64,
    /// The minibatches of its steps.
    pub(super) batch: Option<Batch>,
    pub(super) differentiate: Differentiate,
    pub(super) span: Span,
    pub(super) scope: Scope,
    pub(super) x: Ty,
}

/// Where a solve begins.
#[derive(Default)]
struct Beginning {
    start: Vec<Val>,
    /// The state of a result, to go on from.
    resume: Vec<Tensor>,
    /// The same by names, and where it is given.
    saved: Option<(Vec<(String, Tensor)>, Span)>,
}

impl Setup {
    /// Whether it goes on from a result or a saved state.
    pub(super) fn resumes(&self) -> bool {
        !self.resume.is_empty() || self.saved.is_some()
    }

    /// The params that moved and those that did not, in the order of the objective.
    pub(super) fn with_frozen(&self, mut params: Vec<(Arc<str>, Val)>) -> Vec<(Arc<str>, Val)> {
        for (at, param) in &self.frozen {
            params.insert(*at, param.clone());
        }
        params
    }
}

/// How a solve inside a function is differentiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Differentiate {
    /// By the implicit function theorem at the answer.
    Implicit,
    /// Through the steps.
    Unroll,
    /// By the implicit function theorem, with so many terms of the Neumann series of the inverse.
    Neumann(i64),
}

/// When a loop of steps ends.
pub(super) struct Stop<'a> {
    /// Where a disjunct holds.
    pub(super) until: &'a [Disjunct],
    /// The clock that they see.
    pub(super) seconds: &'a Val,
    /// At this step.
    pub(super) limit: Option<&'a Val>,
    /// After so many steps.
    pub(super) trip: i64,
    /// The places of the state that are kept for every step, as rows.
    pub(super) rows: &'a [usize],
}

impl Lower<'_> {
    /// `solve …`, `minimize …`, `maximize …`
    pub(crate) fn solve_expr(&mut self, scope: &Scope, solve: &SolveExpr, span: Span) -> Res<Val> {
        if self.symbolic {
            return Err(super::Poisoned);
        }
        let seed = self.seed;
        let result = self.seeded(scope, solve, span).and_then(|()| self.solve_seeded(scope, solve, span));
        self.seed = seed;
        result
    }

    /// `with seed = k` holds for the start and for the steps.
    fn seeded(&mut self, scope: &Scope, solve: &SolveExpr, span: Span) -> Res<()> {
        let more = self.instead_at(span).map_or(0, |instead| instead.seed);
        for option in &solve.options {
            if let (Some(name), ArgValue::Expr(e)) = (&option.name, &option.value)
                && &*name.name == "seed"
            {
                let val = self.expr(scope, e)?;
                self.seed = self.static_int(&val, e.span)?.wrapping_add(more);
            }
        }
        Ok(())
    }

    fn solve_seeded(&mut self, scope: &Scope, solve: &SolveExpr, span: Span) -> Res<Val> {
        let objective = match solve.kind {
            SolveKind::Bound => return self.fail(errors::not_yet(span, "`bound`")),
            SolveKind::Minimize | SolveKind::Maximize => Rc::new(self.inline_objective(scope, solve, span)?),
            SolveKind::Solve => self.solved_objective(scope, solve, span)?,
        };
        let setup = self.setup(scope, solve, objective, span)?;
        if self.inside() {
            return self.nested(&setup);
        }
        let fit = self.run_setup(&setup)?;
        Ok(Val::Fit(Rc::new(fit)))
    }

    fn solved_objective(&mut self, scope: &Scope, solve: &SolveExpr, span: Span) -> Res<Rc<Objective>> {
        let [value] = solve.values.as_slice() else {
            return self.fail(errors::not_yet(span, "several objectives at once"));
        };
        if matches!(&*value.kind, ExprKind::Compare { .. }) {
            return Ok(Rc::new(self.equations(scope, solve, value)?));
        }
        if let Some(param) = solve.over.first() {
            return self.fail(errors::solve_with_over(param.name.span));
        }
        match self.expr(scope, value)? {
            Val::Objective(objective) => Ok(objective),
            other => {
                let name = crate::syntax::print_expr(value);
                self.fail(errors::not_an_objective(value.span, &name, &other.describe()))
            }
        }
    }

    /// Everything about the solve but its code.
    fn setup(
        &mut self,
        scope: &Scope,
        solve: &SolveExpr,
        objective: Rc<Objective>,
        span: Span,
    ) -> Res<Setup> {
        let (trace, differentiate) = self.solve_options(scope, solve, span)?;
        let instead = self.instead_at(span).map(|instead| instead.using.clone());
        let (optimizer, why) = match instead.as_ref().or(solve.using.as_ref()) {
            None if solve.options.iter().any(|o| o.name.as_ref().is_some_and(|n| &*n.name == "batch")) => {
                self.chosen(
                    "adam",
                    "minibatches give gradients that vary from step to step".to_string(),
                    span,
                )?
            }
            None => self.default_optimizer(&objective, span)?,
            Some(e) => (self.optimizer_of(scope, e, &objective)?, None),
        };
        let Beginning { mut start, resume, saved } = match &solve.from {
            None => Beginning {
                start: objective.params.iter().map(|p| p.start.clone()).collect(),
                ..Beginning::default()
            },
            Some(e) => self.beginning(scope, e, &objective, &optimizer, instead.is_some())?,
        };
        let mut frozen = Vec::new();
        let mut objective = objective;
        if optimizer.by_param {
            let free: Vec<bool> = objective.params.iter().map(|p| optimizer.arg(&p.name).is_some()).collect();
            if !free.contains(&true) {
                return self.fail(errors::nothing_free(span));
            }
            let whole = objective.clone();
            objective = Rc::new(whole.freeze(&free, &start));
            let all = whole.params.iter().map(|p| p.name.clone()).zip(start);
            let (moving, fixed): (Vec<_>, Vec<_>) = all.enumerate().partition(|(k, _)| free[*k]);
            frozen = fixed;
            start = moving.into_iter().map(|(_, (_, val))| val).collect();
        }
        let point = match &saved {
            Some((saved, _)) => saved.iter().find(|(name, _)| name == "x").map(|(_, x)| x),
            None => resume.get(SolvePlan::X),
        };
        if let Some(found) = point.and_then(|x| params_at(&objective, x)) {
            start = found;
        }
        let batch = self.batch_option(scope, solve, &objective)?;
        let mut count = Dim::Known(0);
        for ty in objective.params.iter().flat_map(param_types) {
            let own = ty.entries().ok_or(super::Poisoned)?;
            count = count.add(&own).ok_or(super::Poisoned)?;
        }
        let x = Ty::new(Elem::Real, vec![count]);
        Ok(Setup {
            objective,
            optimizer,
            why,
            start,
            frozen,
            resume,
            saved,
            until: solve.until.clone(),
            trace,
            batch,
            differentiate,
            span,
            scope: scope.clone(),
            x,
        })
    }

    /// `using …`: an optimizer, or one for each param.
    fn optimizer_of(&mut self, scope: &Scope, e: &Expr, objective: &Objective) -> Res<Rc<OptimizerValue>> {
        match self.expr(scope, e)? {
            Val::Optimizer(optimizer) => Ok(optimizer),
            Val::Record(record) => {
                let names: Vec<Arc<str>> = objective.params.iter().map(|p| p.name.clone()).collect();
                self.optimizer_by_param(&record, &names, e.span)
            }
            Val::Function(_) => {
                self.fail(errors::optimizer_not_called(e.span, &crate::syntax::print_expr(e)))
            }
            other => self.fail(errors::not_an_optimizer(e.span, &other.describe())),
        }
    }

    /// `from …`: a result, a state that was saved, a point; of a result with another optimizer (`instead`) its point.
    fn beginning(
        &mut self,
        scope: &Scope,
        e: &Expr,
        objective: &Rc<Objective>,
        optimizer: &Rc<OptimizerValue>,
        instead: bool,
    ) -> Res<Beginning> {
        let from = self.expr(scope, e)?;
        if let Val::Fit(fit) = &from
            && !instead
        {
            let (start, resume) = self.resume_from(fit, objective, optimizer, e.span)?;
            return Ok(Beginning { start, resume, saved: None });
        }
        if let Some(saved) = self.saved_state(&from, e.span)? {
            let start = objective.params.iter().map(|p| p.start.clone()).collect();
            return Ok(Beginning { start, resume: Vec::new(), saved: Some((saved, e.span)) });
        }
        let arg = Argument { name: None, value: from, span: e.span };
        let point = self.params_from(objective, &arg)?;
        let start = point.iter().map(|val| self.settle(val, e.span)).collect::<Res<Vec<Val>>>()?;
        Ok(Beginning { start, ..Beginning::default() })
    }

    /// The options but the seed: the interval of the trace, and how to differentiate.
    fn solve_options(&mut self, scope: &Scope, solve: &SolveExpr, span: Span) -> Res<(i64, Differentiate)> {
        let mut trace = 0;
        let mut differentiate = Differentiate::Implicit;
        for (at, option) in solve.options.iter().enumerate() {
            let Some(name) = &option.name else {
                return self.fail(errors::unnamed_option(span));
            };
            let same = |other: &&Arg| other.name.as_ref().is_some_and(|other| other.name == name.name);
            if solve.options.iter().take(at).any(|other| same(&other)) {
                return self.fail(errors::argument_twice(name.span, &name.name));
            }
            let ArgValue::Expr(e) = &option.value else {
                return self.fail(errors::unnamed_option(name.span));
            };
            match &*name.name {
                "trace" => {
                    let val = self.expr(scope, e)?;
                    trace = self.static_int(&val, e.span)?;
                    if trace < 1 {
                        return self.fail(errors::option_positive(e.span, "trace"));
                    }
                }
                "seed" | "batch" => {}
                "differentiate" => differentiate = self.differentiate_option(scope, e)?,
                known @ ("restarts" | "threads") => {
                    return self.fail(errors::not_yet(name.span, &format!("the option `{known}`")));
                }
                other => return self.fail(errors::unknown_option(name.span, other)),
            }
        }
        Ok((trace, differentiate))
    }

    /// `implicit`, `unroll`, `neumann(k)`.
    fn differentiate_option(&mut self, scope: &Scope, e: &Expr) -> Res<Differentiate> {
        match &*e.kind {
            ExprKind::Name(name) if &**name == "implicit" => return Ok(Differentiate::Implicit),
            ExprKind::Name(name) if &**name == "unroll" => return Ok(Differentiate::Unroll),
            ExprKind::Call { function, args } => {
                if let (ExprKind::Name(name), [arg]) = (&*function.kind, args.as_slice())
                    && &**name == "neumann"
                    && let ArgValue::Expr(terms) = &arg.value
                {
                    let val = self.expr(scope, terms)?;
                    let terms_now = self.static_int(&val, terms.span)?;
                    if terms_now < 1 {
                        return self.fail(errors::option_positive(terms.span, "neumann"));
                    }
                    return Ok(Differentiate::Neumann(terms_now));
                }
            }
            _ => {}
        }
        self.fail(errors::unknown_differentiate(e.span))
    }

    /// The start and state that `from fit` gives.
    fn resume_from(
        &mut self,
        fit: &Rc<Fit>,
        objective: &Rc<Objective>,
        optimizer: &Rc<OptimizerValue>,
        span: Span,
    ) -> Res<(Vec<Val>, Vec<Tensor>)> {
        let arg = Argument { name: None, value: Val::Fit(fit.clone()), span };
        let known = |name: &Arc<str>| fit.params.iter().any(|(n, _)| n == name);
        if fit.params.len() != objective.params.len() || !objective.params.iter().all(|p| known(&p.name)) {
            return self.fail(errors::resume_differs(span, "params"));
        }
        let start = self.params_from(objective, &arg)?;
        if !fit.optimizer.same_kind(optimizer) {
            return self.fail(errors::resume_optimizer(span, &fit.optimizer.label(), &optimizer.label()));
        }
        Ok((start, fit.outcome.state.clone()))
    }

    /// The optimizer that suits the problem, and why.
    fn default_optimizer(
        &mut self,
        objective: &Objective,
        span: Span,
    ) -> Res<(Rc<OptimizerValue>, Option<String>)> {
        if let Some(residual) = &objective.residual {
            let (name, why) = if residual.fixed_point {
                ("anderson", "the problem is a fixed point: no derivatives are needed")
            } else {
                ("newton_raphson", "the problem is a system of equations with derivatives")
            };
            return self.chosen(name, why.to_string(), span);
        }
        let count: Option<i64> = objective
            .params
            .iter()
            .flat_map(param_types)
            .map(|ty| ty.dims.iter().try_fold(1_i64, |p, d| d.known().map(|n| p * n)))
            .sum();
        let (name, why) = match count {
            Some(n) if n <= DENSE => {
                ("bfgs", format!("the problem has {n} unknowns: few enough to learn a dense inverse Hessian"))
            }
            Some(n) => {
                ("lbfgs", format!("the problem has {n} unknowns: too many to learn a dense inverse Hessian"))
            }
            None => ("lbfgs", "the number of unknowns is not known yet".to_string()),
        };
        self.chosen(name, why, span)
    }

    fn chosen(&mut self, name: &str, why: String, span: Span) -> Res<(Rc<OptimizerValue>, Option<String>)> {
        let make = self.lookup(&Scope::library(), &Arc::from(name), span)?;
        match self.call(&make, Vec::new(), span)? {
            Val::Optimizer(optimizer) => Ok((optimizer, Some(why))),
            _ => Err(super::Poisoned),
        }
    }

    /// Builds the code, runs it, and wraps what comes out.
    fn run_setup(&mut self, setup: &Setup) -> Res<Fit> {
        let calls = std::mem::take(&mut self.calls);
        let indices = std::mem::take(&mut self.indices);
        let plan = self.plan(setup);
        self.calls = calls;
        self.indices = indices;
        let plan = plan?;
        if !self.host.options().execute {
            return Ok(self.pretend(setup, &plan));
        }
        match self.host.solve(&plan) {
            Ok(outcome) => {
                // What was found is kept; nothing more is begun.
                self.halted |= outcome.status == "interrupted";
                Ok(self.fit_of(setup, outcome))
            }
            Err(error) => Err(self.run_error(error, setup.span)),
        }
    }

    /// A stand-in for the result where nothing is run.
    fn pretend(&mut self, setup: &Setup, plan: &SolvePlan) -> Fit {
        self.pretended = true;
        let params: Vec<Tensor> = setup
            .start
            .iter()
            .flat_map(|val| val.leaves().unwrap_or_default())
            .filter_map(|leaf| if let Val::Known(t) = leaf { Some(t) } else { None })
            .collect();
        let reports = self.all_reports(setup).unwrap_or_default();
        let reports = reports.iter().map(|_| Tensor::scalar(0.0)).collect();
        let outcome = Outcome {
            status: "optimize_not_called".into(),
            reason: "the program was only checked".into(),
            met: true,
            params,
            loss: 0.0,
            grad_norm: 0.0,
            steps: 0,
            evals: [0; 3],
            seconds: 0.0,
            seconds_before: 0.0,
            reports,
            // As many rows as there may be, so that parts of it can be taken.
            trace: Trace::new(
                &self.report_names(&setup.optimizer).unwrap_or_default(),
                if setup.trace > 0 { ROWS } else { POINTS + 1 },
            ),
            state: plan.start.main.result_types().iter().map(Tensor::zeros).collect(),
            state_names: plan.state_names.clone(),
        };
        self.fit_of(setup, outcome)
    }

    fn fit_of(&mut self, setup: &Setup, outcome: Outcome) -> Fit {
        let mut leaves = outcome.params.iter().cloned().map(Val::Known);
        let free = setup.objective.params.iter();
        let params =
            setup.with_frozen(free.map(|p| (p.name.clone(), p.start.rebuild(&mut leaves))).collect());
        let reports = self.all_reports(setup).unwrap_or_default();
        let reports = reports
            .into_iter()
            .zip(&outcome.reports)
            .map(|(name, tensor)| (name, super::stage::known(tensor)))
            .collect();
        Fit {
            objective: setup.objective.clone(),
            optimizer: setup.optimizer.clone(),
            why: setup.why.clone(),
            outcome,
            params,
            reports,
        }
    }

    /// The names of all reports, the objective's first.
    fn all_reports(&mut self, setup: &Setup) -> Res<Vec<Arc<str>>> {
        let mut names: Vec<Arc<str>> = setup.objective.reports.iter().map(|(n, _)| n.name.clone()).collect();
        for name in self.report_names(&setup.optimizer)? {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// The problem of a step, with the evaluation at its start.
    pub(super) fn problem(&self, setup: &Setup, gradient: bool, start: Option<[Val; 3]>) -> Rc<Problem> {
        let counter = || Self::cell(Val::int(0));
        Rc::new(Problem {
            objective: setup.objective.clone(),
            whole: setup.objective.clone(),
            rows: None,
            batch: setup.batch.clone(),
            ty: setup.x.clone(),
            counters: [counter(), counter(), counter()],
            gradient,
            last: start.clone().map(|start| start.map(Self::cell)),
            start,
            evaluated: RefCell::new(false),
        })
    }

    /// The code of a solve.
    fn plan(&mut self, setup: &Setup) -> Res<SolvePlan> {
        self.check_reports(setup)?;
        let gradient = uses_gradient(self, &setup.optimizer)?;
        let until = self.until_parts(setup, gradient)?;
        let asked = asks_gradient(&until);
        let wants_gradient = gradient || asked;
        let units = self.units.len();
        let built = self.plan_units(setup, &until, wants_gradient);
        self.units.truncate(units);
        self.effects.clear();
        self.memo.clear();
        let Units { start, chunk, finish, statuses, reported, rows, state_names, resume } = built?;
        let value = self.value_unit(setup)?;
        let answer = setup.objective.params.iter().flat_map(param_types).collect();
        let names = setup.objective.params.iter().flat_map(|p| p.start.leaf_names(&p.name)).collect();
        Ok(SolvePlan {
            start: start.0,
            start_inputs: start.1,
            chunk: chunk.0,
            chunk_inputs: chunk.1,
            finish: finish.0,
            finish_inputs: finish.1,
            value: value.0,
            value_inputs: value.1,
            resume: resume.into_iter().map(Some).collect(),
            state_names,
            limit: i64::MAX,
            has_gradient: wants_gradient,
            traces_gradient: if setup.batch.is_some() { asked } else { wants_gradient },
            interval: setup
                .batch
                .as_ref()
                .map_or(1, |batch| if batch.rows.is_some() { batch.epoch } else { DRAWN }),
            until: until.into_iter().map(|d| d.part).collect(),
            statuses,
            path: is_plane(&setup.x),
            trace: setup.trace,
            answer,
            names,
            reports: self.all_reports(setup)?,
            reported,
            rows: rows > 0,
            maximize: setup.objective.maximize,
            optimizer: setup.optimizer.label(),
            why: setup.why.clone(),
            configuration: self.configuration(setup),
            span: setup.span,
        })
    }

    fn plan_units(&mut self, setup: &Setup, until: &[Disjunct], gradient: bool) -> Res<Units> {
        let (start, states) = self.start_unit(setup, until, gradient)?;
        self.statuses.clear();
        let reported = self.report_places(setup, &states)?;
        let rows = match &setup.batch {
            // The figures of all data are those of the end of a chunk.
            Some(_) => Vec::new(),
            None => {
                let reported = reported.iter().map(|(_, place)| *place);
                let path = is_plane(&setup.x).then_some(SolvePlan::X);
                SolvePlan::ROW.into_iter().chain(reported).chain(path).collect()
            }
        };
        let chunk = self.chunk_unit(setup, until, gradient, &states, &rows)?;
        let statuses = std::mem::take(&mut self.statuses);
        let finish = self.finish_unit_code(setup, until, gradient, &states)?;
        let state_names = self.state_names(setup, &states)?;
        let resume = match &setup.saved {
            Some((saved, span)) => {
                let types = self.state_types(setup, &states);
                let optimizer = setup.optimizer.label();
                self.restored(saved, &state_names, &types, (&optimizer, *span))?
            }
            None => setup.resume.clone(),
        };
        let rows = rows.len();
        Ok(Units { start, chunk, finish, statuses, reported, rows, state_names, resume })
    }

    /// The status after an evaluation: 2 if something is not finite, else 1 if the condition holds, else what the
    /// optimizer said.
    pub(super) fn status(&mut self, own: &Val, finite: &Val, holds: &Val, span: Span) -> Res<Val> {
        let one = self.apply("where", &[(holds, span), (&Val::int(1), span), (own, span)], span)?;
        self.apply("where", &[(finite, span), (&one, span), (&Val::int(2), span)], span)
    }

    /// Whether loss and gradient are finite.
    pub(super) fn both_finite(&mut self, loss: &Val, norm: &Val, span: Span) -> Res<Val> {
        let loss = self.apply("is_finite", &[(loss, span)], span)?;
        let norm = self.apply("is_finite", &[(norm, span)], span)?;
        self.apply("and", &[(&loss, span), (&norm, span)], span)
    }

    pub(super) fn norm_of(&mut self, x: &Val, span: Span) -> Res<Val> {
        let square = self.dot((x, span), (x, span), span)?;
        self.apply("sqrt", &[(&square, span)], span)
    }

    /// Loss and gradient at a point (zeros where no gradient is wanted).
    fn evaluate(&mut self, setup: &Setup, problem: &Rc<Problem>, x: &Val, gradient: bool) -> Res<(Val, Val)> {
        let arg = Argument { name: None, value: x.clone(), span: setup.span };
        if gradient {
            return self.problem_gradient(problem, &arg, setup.span);
        }
        let value = self.problem_value(problem, &arg, setup.span)?;
        let zero = self.zeros_of(&setup.x);
        Ok((value, zero))
    }

    pub(super) fn zeros_of(&mut self, ty: &Ty) -> Val {
        use crate::ops::Emit;
        let value = self.build().zeros(ty);
        self.wrap(value)
    }

    /// `start`: the state at the start point.
    fn start_unit(&mut self, setup: &Setup, until: &[Disjunct], gradient: bool) -> Res<(Coded, Vec<Val>)> {
        self.begin_unit("start", setup.span);
        self.run_later();
        let (state, states) = self.start_code(setup, until, gradient)?;
        let code = self.end_unit(&state, setup.span)?;
        Ok((code, states))
    }

    /// The state at the start point, and the optimizer's own part of it as values.
    pub(super) fn start_code(
        &mut self,
        setup: &Setup,
        until: &[Disjunct],
        gradient: bool,
    ) -> Res<(Vec<Val>, Vec<Val>)> {
        let span = setup.span;
        let start = Val::tuple(setup.start.clone());
        let x = self.flatten(&start, span)?;
        let x_value = self.value(&x, span)?;
        let x = self.wrap(x_value);
        let (problem, loss, g, view, order) = match &setup.batch {
            None => {
                let problem = self.problem(setup, gradient, None);
                self.effects = problem.counters.to_vec();
                let (loss, g) = self.evaluate(setup, &problem, &x, gradient)?;
                let view = view_of(setup, &problem, &x, g.clone());
                (problem, loss, g, view, None)
            }
            Some(batch) => {
                let (loss, g) = self.whole_at(setup, &x, asks_gradient(until))?;
                let order = self.first_order(setup)?;
                let (problem, view) = self.first_view(setup, batch, order.as_ref(), &x, gradient)?;
                self.effects = problem.counters.to_vec();
                (problem, loss, g, view, order)
            }
        };
        let mut state = vec![
            x.clone(),
            Val::int(0),
            Val::int(0),
            loss.clone(),
            g.clone(),
            // Nothing has changed yet, and that is no sign of a solution.
            Val::real(f64::INFINITY),
        ];
        let grad_norm = self.norm_of(&g, span)?;
        let mut states = self.first_states(&setup.optimizer, &view, span)?;
        states.extend(order);
        state.extend(problem.counters.iter().map(|c| c.borrow().clone()));
        state.push(grad_norm.clone());
        state.push(loss.clone());
        state.extend(states.iter().flat_map(|val| val.leaves().unwrap_or_default()));
        let holds = self.until_holds(setup, until, (&state, &states), &Val::real(0.0))?;
        let finite = self.both_finite(&loss, &grad_norm, span)?;
        state[SolvePlan::STATUS] = self.status(&Val::int(0), &finite, &holds, span)?;
        self.effects.clear();
        Ok((state, states))
    }

    /// `chunk`: steps until a limit or a stop, with some figures of every step.
    fn chunk_unit(
        &mut self,
        setup: &Setup,
        until: &[Disjunct],
        gradient: bool,
        states: &[Val],
        rows: &[usize],
    ) -> Res<(Program, Vec<Tensor>)> {
        let span = setup.span;
        self.begin_unit("steps", span);
        self.run_later();
        let types = self.state_types(setup, states);
        let params: Vec<Val> = types.iter().map(|ty| self.unit_param(ty.clone())).collect();
        let limit = self.unit_param(Ty::scalar(Elem::Int));
        let seconds = self.unit_param(Ty::scalar(Elem::Real));
        let trip = if rows.is_empty() { i64::MAX } else { SolvePlan::CHUNK };
        let stop = Stop { until, seconds: &seconds, limit: Some(&limit), trip, rows };
        let mut results = self.loop_code(setup, &stop, gradient, states, &params)?;
        if setup.batch.is_some() {
            results = self.observed(setup, until, states, results, &seconds)?;
        }
        self.end_unit(&results, span)
    }

    /// Steps from a state until a limit or a stop: the state, then the rows kept.
    pub(super) fn loop_code(
        &mut self,
        setup: &Setup,
        stop: &Stop<'_>,
        gradient: bool,
        states: &[Val],
        state: &[Val],
    ) -> Res<Vec<Val>> {
        let span = setup.span;
        let types = self.state_types(setup, states);
        let operands = self.values(state, span)?;

        self.open("step", span);
        let _ = self.param(Ty::scalar(Elem::Int));
        let carried: Vec<Val> = types.iter().map(|ty| self.param(ty.clone())).collect();
        let mut after = self.step_code(setup, stop.until, gradient, states, &carried, stop.seconds)?;
        after.extend(stop.rows.iter().map(|place| after[*place].clone()).collect::<Vec<_>>());
        let body = self.close(&after, span)?;

        self.open("go on", span);
        let _ = self.param(Ty::scalar(Elem::Int));
        let carried: Vec<Val> = types.iter().map(|ty| self.param(ty.clone())).collect();
        let running = self.compare("eq", (&carried[SolvePlan::STATUS], span), (&Val::int(0), span), span)?;
        let go_on = match stop.limit {
            Some(limit) => {
                let below = self.compare("lt", (&carried[SolvePlan::T], span), (limit, span), span)?;
                self.apply("and", &[(&running, span), (&below, span)], span)?
            }
            None => running,
        };
        let condition = self.close(&[go_on], span)?;

        let (mut functions, captures) = self.share_captures(vec![body, condition]);
        let condition = functions.pop();
        let body = functions.pop().ok_or(super::Poisoned)?;
        let op = Loop { trip: Dim::Known(stop.trip), condition, body, carried: types.len() };
        let mut all = operands;
        all.extend(captures);
        let mut given = types.clone();
        given.extend(stop.rows.iter().map(|place| {
            let row = &types[*place];
            let dims = std::iter::once(Dim::Known(stop.trip)).chain(row.dims.iter().cloned());
            Ty::new(row.elem, dims.collect())
        }));
        Ok(self.emit_op(Op::Loop(Arc::new(op)), all, given, span))
    }

    /// `value`: the loss at a point.
    fn value_unit(&mut self, setup: &Setup) -> Res<(Program, Vec<Tensor>)> {
        self.begin_unit("value", setup.span);
        self.run_later();
        let x = self.unit_param(setup.x.clone());
        let loss = self.flat_value(&setup.objective, &x, setup.span)?;
        self.end_unit(&[loss], setup.span)
    }

    fn state_types(&self, setup: &Setup, states: &[Val]) -> Vec<Ty> {
        let real = Ty::scalar(Elem::Real);
        let int = Ty::scalar(Elem::Int);
        let mut types = vec![
            setup.x.clone(),
            int.clone(),
            int.clone(),
            real.clone(),
            setup.x.clone(),
            real.clone(),
            int.clone(),
            int.clone(),
            int,
            real.clone(),
            real,
        ];
        types.extend(states.iter().flat_map(|val| val.leaves().unwrap_or_default()).filter_map(|l| l.ty()));
        types
    }

    /// One step, and the evaluation at the point it leads to.
    fn step_code(
        &mut self,
        setup: &Setup,
        until: &[Disjunct],
        gradient: bool,
        states: &[Val],
        carried: &[Val],
        seconds: &Val,
    ) -> Res<Vec<Val>> {
        if let Some(batch) = &setup.batch {
            return self.sampled_step(setup, batch, until, gradient, states, carried, seconds);
        }
        let span = setup.span;
        let x = carried[SolvePlan::X].clone();
        let g = carried[SolvePlan::GRADIENT].clone();
        let loss = carried[SolvePlan::LOSS].clone();
        let t = self.arith("add", (&carried[SolvePlan::T], span), (&Val::int(1), span), span)?;
        let problem = self.problem(setup, gradient, Some([x.clone(), loss, g.clone()]));
        for (cell, k) in problem.counters.iter().zip(SolvePlan::EVALS_F..) {
            *cell.borrow_mut() = carried[k].clone();
        }
        self.effects = problem.counters.to_vec();
        let (new_x, status_now, running) = self.stepped(setup, &problem, [&x, &g, &t], states, carried)?;
        let (new_loss, new_g) = self.evaluate_again(setup, &problem, &new_x, gradient)?;
        let change = self.change(until, &new_x, &x, span)?;
        let mut after = vec![new_x, t, Val::int(0), new_loss.clone(), new_g.clone(), change];
        after.extend(problem.counters.iter().map(|c| c.borrow().clone()));
        let grad_norm = self.norm_of(&new_g, span)?;
        after.push(grad_norm.clone());
        after.push(carried[SolvePlan::START_LOSS].clone());
        self.memo.clear();
        self.effects.clear();
        after.extend(self.states_after(&running)?);
        let holds = self.until_holds(setup, until, (&after, states), seconds)?;
        let finite = self.both_finite(&new_loss, &grad_norm, span)?;
        after[SolvePlan::STATUS] = self.status(&status_now, &finite, &holds, span)?;
        Ok(after)
    }

    /// Runs the statements of step t from x with gradient g: the point after, what the optimizer says of stopping, and the
    /// optimizer with its states after.
    pub(super) fn stepped(
        &mut self,
        setup: &Setup,
        problem: &Rc<Problem>,
        [x, g, t]: [&Val; 3],
        states: &[Val],
        carried: &[Val],
    ) -> Res<(Val, Val, Running)> {
        let status = Self::cell(Val::int(0));
        self.memo = vec![status.clone()];
        self.memo.extend(problem.last.iter().flatten().cloned());
        let mut places = carried[SolvePlan::FIXED..].iter().cloned();
        let arrays = arrays_of(setup);
        let running = self.running(&setup.optimizer, t.clone(), &arrays, &mut states.iter(), &mut places)?;
        self.memo.extend(running.inner_cells());
        let view = view_of(setup, problem, x, g.clone());
        self.run_step(&running, &view, t, setup.span)?;
        let new_x = view.x.borrow().clone();
        self.check_step(setup, &new_x)?;
        let status = status.borrow().clone();
        Ok((new_x, status, running))
    }

    /// How far a step went, where the condition asks.
    pub(super) fn change(&mut self, until: &[Disjunct], new: &Val, old: &Val, span: Span) -> Res<Val> {
        if !until.iter().any(|d| walk::mentions(&d.expr, &[Arc::from("change")])) {
            return Ok(Val::real(0.0));
        }
        let moved = self.apply("sub", &[(new, span), (old, span)], span)?;
        self.norm_of(&moved, span)
    }

    /// The arrays of a state after a step, with the types it started with.
    pub(super) fn fitted_state(&mut self, name: &str, span: Span, shape: &Val, val: &Val) -> Res<Vec<Val>> {
        let (Some(want), Some(have)) = (shape.leaves(), val.leaves()) else {
            return self.fail(errors::state_kind(span, name, &val.describe()));
        };
        let same = want.len() == have.len()
            && want.iter().zip(&have).all(|(a, b)| match (a.ty(), b.ty()) {
                (Some(a), Some(b)) => {
                    super::arith::same_dims(&a.dims, &b.dims)
                        && (a.elem == b.elem || (a.elem == Elem::Real && b.elem == Elem::Int))
                }
                _ => false,
            });
        if !same {
            return self.fail(errors::state_changes(span, name, &shape.describe(), &val.describe()));
        }
        let types: Vec<Ty> = want.iter().filter_map(Val::ty).collect();
        self.convert_leaves(&have, &types, span)
    }

    pub(super) fn check_step(&mut self, setup: &Setup, x: &Val) -> Res<()> {
        match x.ty() {
            Some(ty) if ty.elem == Elem::Real && super::arith::same_dims(&ty.dims, &setup.x.dims) => Ok(()),
            _ => {
                let span = setup.optimizer.decl.name.span;
                self.fail(errors::state_changes(span, "x", &setup.x.to_string(), &x.describe()))
            }
        }
    }

    /// The evaluation after a step. Where the step did not move, that of its start holds; where the
    /// step evaluated there last, that is used.
    fn evaluate_again(
        &mut self,
        setup: &Setup,
        problem: &Rc<Problem>,
        x: &Val,
        gradient: bool,
    ) -> Res<(Val, Val)> {
        let span = setup.span;
        let (Some([old, loss, g]), Some([at, value, _])) = (&problem.start, &problem.last) else {
            return self.evaluate(setup, problem, x, gradient);
        };
        if !*problem.evaluated.borrow() && self.statuses.is_empty() {
            // The step evaluated nothing: no need to look whether it was at this point.
            let memo = std::mem::take(&mut self.memo);
            let result = self.evaluate(setup, problem, x, gradient);
            self.memo = memo;
            return result;
        }
        let unmoved = self.same_point(x, old, span)?;
        let result = self.choose(
            &unmoved,
            span,
            &mut |_| Ok(Val::tuple(vec![loss.clone(), g.clone()])),
            &mut |lower| {
                if gradient {
                    let (f, g) = lower.evaluate(setup, problem, x, true)?;
                    return Ok(Val::tuple(vec![f, g]));
                }
                let (at, value) = (at.borrow().clone(), value.borrow().clone());
                let same = lower.same_point(x, &at, span)?;
                let known = &mut |_: &mut Self| Ok(value.clone());
                let f = lower.choose(&same, span, known, &mut |lower| {
                    Ok(lower.evaluate(setup, problem, x, false)?.0)
                })?;
                Ok(Val::tuple(vec![f, g.clone()]))
            },
        )?;
        match &result {
            Val::Tuple(parts) if parts.len() == 2 => Ok((parts[0].clone(), parts[1].clone())),
            _ => Err(super::Poisoned),
        }
    }

    /// `finish`: figures, params and reports at the answer.
    fn finish_unit_code(
        &mut self,
        setup: &Setup,
        until: &[Disjunct],
        gradient: bool,
        states: &[Val],
    ) -> Res<(Program, Vec<Tensor>)> {
        let span = setup.span;
        self.begin_unit("finish", span);
        self.run_later();
        let types = self.state_types(setup, states);
        let params: Vec<Val> = types.iter().map(|ty| self.unit_param(ty.clone())).collect();
        let seconds = self.unit_param(Ty::scalar(Elem::Real));
        let state = self.answer_code(setup, gradient, states, &params)?;
        let mut results = vec![state[SolvePlan::LOSS].clone(), state[SolvePlan::GRAD_NORM].clone()];
        let params_now = self.unflatten(&setup.objective, &state[SolvePlan::X], span)?;
        results.extend(params_now.iter().flat_map(|val| val.leaves().unwrap_or_default()));
        let scope = self.until_scope(setup, until, (&state, states), &seconds)?;
        for disjunct in until {
            let c = self.condition(&scope, &disjunct.expr)?;
            results.push(c);
            let (a, b) = match &disjunct.sides {
                Some((a, b)) => (self.scalar_figure(&scope, a)?, self.scalar_figure(&scope, b)?),
                None => (Val::real(0.0), Val::real(0.0)),
            };
            results.push(a);
            results.push(b);
        }
        let inner = self.objective_scope(&setup.objective, &params_now)?;
        for (name, e) in &setup.objective.reports {
            let val = self.expr(&inner, e)?;
            match val.leaves().as_deref() {
                Some([leaf]) => results.push(leaf.clone()),
                _ => return self.fail(errors::report_kind(name.span, &name.name, &val.describe())),
            }
        }
        results.extend(self.report_places(setup, states)?.into_iter().map(|(_, place)| state[place].clone()));
        self.end_unit(&results, span)
    }

    /// The state with the point to report in the place of x, where the optimizer names one.
    pub(super) fn answer_code(
        &mut self,
        setup: &Setup,
        gradient: bool,
        states: &[Val],
        last: &[Val],
    ) -> Res<Vec<Val>> {
        let span = setup.span;
        let mut state = last.to_vec();
        let answer = self.answer_point(setup, gradient, states, last)?;
        let x = match (answer, &setup.batch) {
            (Some(x), _) => x,
            // The figures are those of the last chunk, which may have been left in the middle.
            (None, Some(_)) => last[SolvePlan::X].clone(),
            (None, None) => return Ok(state),
        };
        let problem = self.problem(setup, gradient, None);
        let (loss, g) = match &setup.batch {
            Some(_) => self.whole_at(setup, &x, gradient)?,
            None => self.evaluate(setup, &problem, &x, gradient)?,
        };
        let norm = self.norm_of(&g, span)?;
        state[SolvePlan::X] = x;
        state[SolvePlan::LOSS] = loss;
        state[SolvePlan::GRADIENT] = g;
        state[SolvePlan::GRAD_NORM] = norm;
        Ok(state)
    }

    /// The point to report, where the optimizer names one.
    pub(super) fn answer_point(
        &mut self,
        setup: &Setup,
        gradient: bool,
        states: &[Val],
        last: &[Val],
    ) -> Res<Option<Val>> {
        let mut arrays = last[SolvePlan::FIXED..].iter().cloned();
        let t = last[SolvePlan::T].clone();
        let running =
            self.running(&setup.optimizer, t, &arrays_of(setup), &mut states.iter(), &mut arrays)?;
        let problem = self.problem(setup, gradient, None);
        let view = view_of(setup, &problem, &last[SolvePlan::X], last[SolvePlan::GRADIENT].clone());
        self.answered(&running, &view, setup.span)
    }
}

/// What the outermost optimizer sees at a point.
pub(super) fn view_of(setup: &Setup, problem: &Rc<Problem>, x: &Val, g: Val) -> View {
    View { x: Lower::cell(x.clone()), g, f: problem.function(), arrays: arrays_of(setup), shape: None }
}

/// The params at a flat point that is known; `None` if it is not one of theirs.
fn params_at(objective: &Objective, x: &Tensor) -> Option<Vec<Val>> {
    let mut at = 0;
    let mut leaves = Vec::new();
    for ty in objective.params.iter().flat_map(param_types) {
        let sizes: Option<Vec<usize>> =
            ty.dims.iter().map(|dim| dim.known().and_then(|n| usize::try_from(n).ok())).collect();
        let sizes = sizes?;
        let end = at + sizes.iter().product::<usize>();
        leaves.push(Val::Known(Tensor::real(&sizes, x.reals().get(at..end)?.to_vec())));
        at = end;
    }
    let mut leaves = (at == x.len()).then(|| leaves.into_iter())?;
    Some(objective.params.iter().map(|param| param.start.rebuild(&mut leaves)).collect())
}

/// The arrays of the params, with their names.
pub(super) fn arrays_of(setup: &Setup) -> Rc<Vec<(String, Ty)>> {
    let names = setup.objective.params.iter().flat_map(|p| p.start.leaf_names(&p.name));
    let types = setup.objective.params.iter().flat_map(param_types);
    Rc::new(names.zip(types).collect())
}

/// Whether the params are two numbers: a point of a plane.
fn is_plane(x: &Ty) -> bool {
    x.dims == [Dim::Known(2)]
}

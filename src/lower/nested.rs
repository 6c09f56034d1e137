//! Solves inside functions: the whole loop is part of the code around, and its derivative is that
//! of the implicit function theorem.
//!
//! The loop becomes a function of what it reads from around, `a`; its answer `z` is a root of the
//! gradient (of the residual, where equations are solved), so `Tangents::Root` gives its derivative.
//! With `differentiate = unroll` the loop stands in the code as it is.

use std::rc::Rc;
use std::sync::Arc;

use super::equations::Residual;
use super::objective::Objective;
use super::optimizer::OWN;
use super::solve::{Differentiate, Setup, Stop};
use super::steps::uses_gradient;
use super::until::{Disjunct, asks_gradient};
use super::value::{Argument, NativeCall, Res, Scope, Val};
use super::{Lower, SolvePlan, UntilKind, errors, walk};
use crate::diag::Span;
use crate::ir::{Concern, Custom, Dim, Op, Precision, Root, Tangents};
use crate::ops::Emit;

/// The most steps of a solve whose condition names none: code cannot run for ever.
const STEPS: i64 = 100_000;

/// The relative residual and the condition number of a linear system from which on a warning is due.
const fn doubtful(precision: Precision) -> [f64; 2] {
    match precision {
        Precision::F64 => [1e-6, 1e12],
        Precision::F32 => [1e-3, 1e6],
    }
}

/// What a solve in code gives.
struct Answer {
    /// The flat params.
    x: Val,
    /// The norm of the gradient, of the residual where equations are solved.
    grad_norm: Val,
    steps: Val,
    evals: [Val; 3],
}

impl Lower<'_> {
    /// A solve as part of the code around.
    pub(super) fn nested(&mut self, setup: &Setup) -> Res<Val> {
        if !setup.resume.is_empty() {
            return self.fail(errors::resume_inside(setup.span));
        }
        let memo = std::mem::take(&mut self.memo);
        let effects = std::mem::take(&mut self.effects);
        let statuses = std::mem::take(&mut self.statuses);
        let calls = std::mem::take(&mut self.calls);
        let indices = std::mem::take(&mut self.indices);
        let level = self.level();
        let answer = match setup.differentiate {
            Differentiate::Unroll => self.solve_here(setup).map(|(answer, _)| answer),
            Differentiate::Implicit | Differentiate::Neumann(_) => self.solve_root(setup),
        };
        if answer.is_err() {
            self.abandon_to(level);
        }
        self.memo = memo;
        self.effects = effects;
        self.statuses = statuses;
        self.calls = calls;
        self.indices = indices;
        self.record_of(setup, answer?)
    }

    /// The code of the solve, and whether it reached what was asked.
    fn solve_here(&mut self, setup: &Setup) -> Res<(Answer, Val)> {
        let gradient = uses_gradient(self, &setup.optimizer)?;
        let until = self.until_parts(setup, gradient)?;
        if let Some(clock) = until.iter().find(|d| walk::mentions(&d.expr, &[Arc::from("seconds")])) {
            return self.fail(errors::clock_inside(clock.expr.span));
        }
        let wants = gradient || asks_gradient(&until);
        let zero = Val::real(0.0);
        let (start, states) = self.start_code(setup, &until, wants)?;
        let trip = self.step_limit(&setup.scope, &until)?;
        let stop = Stop { until: &until, seconds: &zero, limit: None, trip, rows: &[] };
        let last = self.loop_code(setup, &stop, wants, &states, &start)?;
        let state = self.answer_code(setup, wants, &states, &last)?;
        let solved = self.solved(setup, &until, (&state, &states))?;
        let x = state[SolvePlan::X].clone();
        let grad_norm = if wants {
            state[SolvePlan::GRAD_NORM].clone()
        } else {
            let residual = self.residual_at(&setup.objective, &x, setup.span)?;
            self.norm_of(&residual, setup.span)?
        };
        let answer = Answer {
            x,
            grad_norm,
            steps: state[SolvePlan::T].clone(),
            evals: [SolvePlan::EVALS_F, SolvePlan::EVALS_G, SolvePlan::EVALS_H].map(|k| state[k].clone()),
        };
        Ok((answer, solved))
    }

    /// The number of steps after which the condition holds in any case.
    fn step_limit(&mut self, scope: &Scope, until: &[Disjunct]) -> Res<i64> {
        let mut limit = STEPS;
        for disjunct in until {
            let counts = disjunct.part.figure.as_deref() == Some("steps");
            if let (true, Some((_, bound))) = (counts && disjunct.part.sign.starts_with('>'), &disjunct.sides)
            {
                let val = self.expr(scope, bound)?;
                if let Val::Int(Dim::Known(n)) = val {
                    limit = limit.min(n.saturating_add(1).max(1));
                }
            }
        }
        Ok(limit)
    }

    /// Whether a test of the answer holds, or the optimizer said that it is done.
    fn solved(&mut self, setup: &Setup, until: &[Disjunct], both: (&[Val], &[Val])) -> Res<Val> {
        let span = setup.span;
        let state = both.0;
        let scope = self.until_scope(setup, until, both, &Val::real(0.0))?;
        let own = self.statuses.iter().position(|status| &**status == "locally_solved");
        let code = own.map_or(-1, |at| OWN + i64::try_from(at).unwrap_or(0));
        let mut holds =
            self.compare("eq", (&state[SolvePlan::STATUS], span), (&Val::int(code), span), span)?;
        for disjunct in until {
            if matches!(disjunct.part.kind, UntilKind::Solved | UntilKind::Target | UntilKind::Change) {
                let c = self.condition(&scope, &disjunct.expr)?;
                holds = self.apply("or", &[(&holds, span), (&c, span)], span)?;
            }
        }
        Ok(holds)
    }

    /// The code of the solve as a function with the derivative of a root.
    fn solve_root(&mut self, setup: &Setup) -> Res<Answer> {
        let span = setup.span;
        self.open("solve", span);
        let (answer, solved) = self.solve_here(setup)?;
        let unsolved = self.apply("not", &[(&solved, span)], span)?;
        let taken = self.cast_real(&answer.steps, span)?;
        let x = self.watched(Concern::Unsolved, &answer.x, &unsolved, [&answer.grad_norm, &taken], span)?;
        let mut results = vec![x, answer.grad_norm, answer.steps];
        results.extend(answer.evals);
        let function = self.close(&results, span)?;

        self.open("residual", span);
        let z = self.param(setup.x.clone());
        let residual = self.residual_at(&setup.objective, &z, span)?;
        let residual = self.close(&[residual], span)?;

        let solve = self.system(setup, false)?;
        let adjoint = self.system(setup, true)?;
        let types = function.function.result_types();
        let (functions, captures) = self.share_captures(vec![function, residual, solve, adjoint]);
        let [function, residual, solve, adjoint] =
            <[_; 4]>::try_from(functions).map_err(|_| super::Poisoned)?;
        let tangents = Tangents::Root(Root { residual, solve, adjoint });
        let op = Op::Custom(Arc::new(Custom { function, tangents }));
        let found = self.emit_op(op, captures, types, span);
        let [x, grad_norm, steps, f, g, h] = <[Val; 6]>::try_from(found).map_err(|_| super::Poisoned)?;
        Ok(Answer { x, grad_norm, steps, evals: [f, g, h] })
    }

    /// The value, watched: where `bad` holds, the run notes the figures.
    fn watched(
        &mut self,
        concern: Concern,
        value: &Val,
        bad: &Val,
        [first, second]: [&Val; 2],
        span: Span,
    ) -> Res<Val> {
        let values = [value, bad, first, second].map(|val| self.value(val, span));
        let [value, bad, first, second] = values;
        let (value, bad, figures) = (value?, bad?, [first?, second?]);
        self.build().at(span);
        let value = self.build().watch(concern, value, bad, figures);
        Ok(self.wrap(value))
    }

    /// What is zero at the answer: the residual of the equations, else the gradient.
    fn residual_at(&mut self, objective: &Rc<Objective>, z: &Val, span: Span) -> Res<Val> {
        match &objective.residual {
            Some(_) => self.flat_residual(objective, z, span),
            None => Ok(self.flat_gradient(objective, z, span)?.1),
        }
    }

    /// `(b, z) -> y` with `J y == b`, or with the transpose of `J`.
    fn system(&mut self, setup: &Setup, transposed: bool) -> Res<super::stage::Closed> {
        let span = setup.span;
        self.open(if transposed { "adjoint" } else { "solve system" }, span);
        let b = self.param(setup.x.clone());
        let z = self.param(setup.x.clone());
        let objective = setup.objective.clone();
        let at = z.clone();
        let residual: NativeCall = Rc::new({
            let objective = objective.clone();
            move |lower, args, span| {
                let x = lower.one_argument("residual", args, span)?;
                lower.residual_at(&objective, &x.value, span)
            }
        });
        let residual = Val::native("residual", residual);
        let symmetric = objective.residual.is_none();
        let product: NativeCall = Rc::new(move |lower, args, span| {
            let v = lower.one_argument("product", args, span)?;
            let x = Argument { name: None, value: at.clone(), span };
            if transposed && !symmetric {
                lower.backward(&residual, &x, &v.value, span)
            } else {
                lower.forward(&residual, &x, &v, span).map(|(_, tangent)| tangent)
            }
        });
        let mut args = vec![
            Argument { name: None, value: Val::native("product", product), span },
            Argument { name: None, value: b, span },
        ];
        let by = match (setup.differentiate, &objective.residual) {
            (Differentiate::Neumann(terms), residual) => {
                args.push(Argument { name: None, value: Val::int(terms), span });
                match residual {
                    None => "neumann_symmetric",
                    Some(Residual { fixed_point: true, .. }) => "neumann_fixed_point",
                    Some(_) => return self.fail(errors::neumann_of_equations(span)),
                }
            }
            (_, None) => "symmetric_system",
            (_, Some(_)) => "general_system",
        };
        let solver = self.lookup(&Scope::library(), &Arc::from(by), span)?;
        let found = self.call(&solver, args, span)?;
        let Val::Tuple(parts) = &found else { return Err(super::Poisoned) };
        let [y, residual, condition] = parts.as_slice() else { return Err(super::Poisoned) };
        let [most, worst] = doubtful(self.host.options().precision).map(Val::real);
        let fine = self.compare("lt", (residual, span), (&most, span), span)?;
        let sound = self.compare("lt", (condition, span), (&worst, span), span)?;
        let fine = self.apply("and", &[(&fine, span), (&sound, span)], span)?;
        let bad = self.apply("not", &[(&fine, span)], span)?;
        let (residual, condition) = (self.cast_real(residual, span)?, self.cast_real(condition, span)?);
        let y = self.watched(Concern::Singular, y, &bad, [&residual, &condition], span)?;
        self.close(&[y], span)
    }

    /// The result as a record: figures, params, reports.
    fn record_of(&mut self, setup: &Setup, answer: Answer) -> Res<Val> {
        let span = setup.span;
        let objective: &Rc<Objective> = &setup.objective;
        let values = self.unflatten(objective, &answer.x, span)?;
        let free = objective.params.iter().map(|p| p.name.clone()).zip(values.iter().cloned());
        let params = setup.with_frozen(free.collect());
        let loss = self.objective_value(objective, &values)?;
        let inner = self.objective_scope(objective, &values)?;
        let mut reports = Vec::new();
        for (name, e) in &objective.reports {
            reports.push((name.name.clone(), self.expr(&inner, e)?));
        }
        let [f, g, h] = answer.evals;
        let evals = vec![(Arc::from("f"), f), (Arc::from("grad"), g), (Arc::from("hvp"), h)];
        let mut fields = vec![
            (Arc::from("params"), Val::record(params.clone())),
            (Arc::from("loss"), loss),
            (Arc::from("grad_norm"), answer.grad_norm),
            (Arc::from("steps"), answer.steps),
            (Arc::from("evals"), Val::record(evals)),
        ];
        for (name, val) in params.into_iter().chain(reports) {
            if !fields.iter().any(|(known, _)| *known == name) {
                fields.push((name, val));
            }
        }
        Ok(Val::record(fields))
    }
}

//! Stopping conditions: the figures they see, their parts, when they hold.

use std::sync::Arc;

use super::solve::Setup;
use super::value::{Res, Scope, Slot, Val};
use super::{Lower, SolvePlan, UntilKind, UntilPart, errors, walk};
use crate::diag::FileId;
use crate::ir::Elem;
use crate::syntax::ast::{BinOp, Expr, ExprKind};

/// When nothing is said: a small gradient, or many steps. It is small relative to the loss, but to
/// no larger loss than that at the start: what diverges is not solved.
const DEFAULT_UNTIL: &str = "grad_norm < 1e-6 * max(1, min(abs(loss), abs(start_loss))) or steps >= 10_000";
/// The same for optimizers that use no gradient: they stop themselves.
const DEFAULT_UNTIL_PLAIN: &str = "steps >= 10_000";
/// For equations: all of them hold, to what is small beside the start.
const DEFAULT_UNTIL_EQUATIONS: &str = "violation < 1e-10 * max(1, sqrt(2*start_loss)) or steps >= 10_000";

/// A disjunct of the condition, as written.
#[derive(Clone)]
pub(super) struct Disjunct {
    pub(super) part: UntilPart,
    pub(super) expr: Expr,
    pub(super) sides: Option<(Expr, Expr)>,
}

impl Lower<'_> {
    /// The figures in scope of a stopping condition.
    pub(super) fn figures(&mut self, setup: &Setup, state: &[Val], seconds: &Val) -> Res<Scope> {
        let mut scope = setup.scope.clone();
        let span = setup.span;
        let loss = state[SolvePlan::LOSS].clone();
        let loss = if setup.objective.maximize { self.negate((&loss, span), span)? } else { loss };
        let all =
            self.arith("add", (&state[SolvePlan::EVALS_F], span), (&state[SolvePlan::EVALS_G], span), span)?;
        let all = self.arith("add", (&all, span), (&state[SolvePlan::EVALS_H], span), span)?;
        let t = (&state[SolvePlan::T], span);
        let epochs = match setup.batch.as_ref().map(|batch| batch.epoch) {
            Some(steps) if steps > 1 => self.divide(t, (&Val::int(steps), span), span)?,
            _ => state[SolvePlan::T].clone(),
        };
        for (name, val) in [
            ("steps", state[SolvePlan::T].clone()),
            ("epochs", epochs),
            ("loss", loss),
            ("grad_norm", state[SolvePlan::GRAD_NORM].clone()),
            ("change", state[SolvePlan::CHANGE].clone()),
            ("evals", all),
            ("seconds", seconds.clone()),
            ("start_loss", state[SolvePlan::START_LOSS].clone()),
        ] {
            scope = scope.with(&Arc::from(name), Slot::Let(val, span));
        }
        Ok(scope)
    }

    /// The figures and, where the condition mentions them, the objective's reports.
    pub(super) fn until_scope(
        &mut self,
        setup: &Setup,
        until: &[Disjunct],
        (state, states): (&[Val], &[Val]),
        seconds: &Val,
    ) -> Res<Scope> {
        let mut scope = self.figures(setup, state, seconds)?;
        for (name, place) in self.report_places(setup, states)? {
            scope = scope.with(&name, Slot::Let(state[place].clone(), setup.span));
        }
        let names: Vec<Arc<str>> =
            setup.objective.reports.iter().map(|(name, _)| name.name.clone()).collect();
        if until.iter().any(|d| walk::mentions(&d.expr, &names)) {
            let params = self.unflatten(&setup.objective, &state[SolvePlan::X], setup.span)?;
            let inner = self.objective_scope(&setup.objective, &params)?;
            for (name, e) in &setup.objective.reports {
                if until.iter().any(|d| walk::mentions(&d.expr, std::slice::from_ref(&name.name))) {
                    let val = self.expr(&inner, e)?;
                    scope = scope.with(&name.name, Slot::Let(val, name.span));
                }
            }
        }
        Ok(scope)
    }

    /// Whether any disjunct holds.
    pub(super) fn until_holds(
        &mut self,
        setup: &Setup,
        until: &[Disjunct],
        state: (&[Val], &[Val]),
        seconds: &Val,
    ) -> Res<Val> {
        let scope = self.until_scope(setup, until, state, seconds)?;
        let mut holds = Val::bool(false);
        for disjunct in until {
            let c = self.condition(&scope, &disjunct.expr)?;
            holds = match super::expr::known_bool(&holds) {
                Some(true) => holds,
                Some(false) => c,
                None => self.apply("or", &[(&holds, setup.span), (&c, setup.span)], setup.span)?,
            };
        }
        Ok(holds)
    }

    pub(super) fn scalar_figure(&mut self, scope: &Scope, e: &Expr) -> Res<Val> {
        let val = self.expr(scope, e)?;
        match val.ty() {
            Some(ty) if ty.rank() == 0 && ty.elem != Elem::Bool => self.cast_real(&val, e.span),
            _ => self.fail(errors::condition_kind(e.span, &val.describe())),
        }
    }

    /// The disjuncts of the stopping condition.
    pub(super) fn until_parts(&mut self, setup: &Setup, gradient: bool) -> Res<Vec<Disjunct>> {
        let condition = match &setup.until {
            Some(e) => e.clone(),
            None => {
                let text = match (&setup.objective.residual, gradient) {
                    (Some(_), _) => DEFAULT_UNTIL_EQUATIONS,
                    (None, true) => DEFAULT_UNTIL,
                    (None, false) => DEFAULT_UNTIL_PLAIN,
                };
                let Ok(e) = crate::syntax::parse_expr(FileId(u32::MAX), text) else {
                    return Err(super::Poisoned);
                };
                e
            }
        };
        let mut names: Vec<Arc<str>> = ["steps", "epochs", "loss", "grad_norm", "change", "evals", "seconds"]
            .iter()
            .map(|n| Arc::from(*n))
            .collect();
        names.extend(setup.objective.reports.iter().map(|(name, _)| name.name.clone()));
        names.extend(self.report_names(&setup.optimizer)?);
        let mut parts = Vec::new();
        split_or(&condition, &mut parts);
        let mut out = Vec::new();
        for e in parts {
            if !walk::mentions(&e, &names) {
                let known = |name: &Arc<str>| {
                    self.slot(&setup.scope, name).is_some() || super::builtins::find(name).is_some()
                };
                if let Some((name, span)) = first_unknown(&e, &known) {
                    let param = setup.objective.params.iter().any(|param| param.name == name);
                    return self.fail(errors::unknown_figure(span, &name, &names, param));
                }
                return self.fail(errors::until_without_figure(e.span));
            }
            if let ExprKind::Compare { first, rest } = &*e.kind
                && rest
                    .iter()
                    .any(|(_, _, side)| crate::syntax::print_expr(side) == crate::syntax::print_expr(first))
            {
                return self.fail(errors::until_with_itself(e.span, &crate::syntax::print_expr(first)));
            }
            out.push(disjunct(&e));
        }
        if self.instead_at(setup.span).is_some_and(|instead| instead.unlimited) {
            out.retain(|disjunct| disjunct.part.kind != UntilKind::Iterations);
        }
        Ok(out)
    }
}

/// Whether a condition asks for the norm of the gradient.
pub(super) fn asks_gradient(until: &[Disjunct]) -> bool {
    until.iter().any(|d| walk::mentions(&d.expr, &[Arc::from("grad_norm")]))
}

fn split_or(e: &Expr, into: &mut Vec<Expr>) {
    match &*e.kind {
        ExprKind::Paren(inner) => split_or(inner, into),
        ExprKind::Chain { first, rest } if rest.iter().all(|(op, _, _)| *op == BinOp::Or) => {
            split_or(first, into);
            rest.iter().for_each(|(_, _, e)| split_or(e, into));
        }
        _ => into.push(e.clone()),
    }
}

/// What a disjunct is about.
fn disjunct(e: &Expr) -> Disjunct {
    let text = crate::syntax::print_expr(e);
    let (sides, sign, figure) = match &*e.kind {
        ExprKind::Compare { first, rest } if rest.len() == 1 => {
            let (op, _, right) = &rest[0];
            let figure = match &*first.kind {
                ExprKind::Name(name) => Some(name.clone()),
                _ => None,
            };
            (Some((first.clone(), right.clone())), op.text(), figure)
        }
        _ => (None, "", None),
    };
    let about = |name: &str| walk::mentions(e, &[Arc::from(name)]);
    let kind = if about("seconds") {
        UntilKind::Time
    } else if about("grad_norm") {
        UntilKind::Solved
    } else if about("change") {
        UntilKind::Change
    } else if about("steps") || about("evals") || about("epochs") {
        UntilKind::Iterations
    } else if about("loss") {
        UntilKind::Target
    } else {
        UntilKind::Solved
    };
    Disjunct { part: UntilPart { text, figure, sign, kind }, expr: e.clone(), sides }
}

/// The first name in an expression that is not known.
fn first_unknown(e: &Expr, known: &dyn Fn(&Arc<str>) -> bool) -> Option<(Arc<str>, crate::diag::Span)> {
    let mut found = None;
    walk::expr(e, &mut |e| {
        if let ExprKind::Name(name) = &*e.kind
            && found.is_none()
            && !known(name)
        {
            found = Some((name.clone(), e.span));
        }
        found.is_none()
    });
    found
}

//! Objectives: their params, their value, their reports; results of solves.

use std::rc::Rc;
use std::sync::Arc;

use super::equations::Residual;
use super::value::{Argument, Function, Res, Role, Scope, Slot, Val};
use super::{Lower, Outcome, errors, walk};
use crate::diag::Span;
use crate::ir::{Dim, Elem, Tensor, Ty};
use crate::syntax::ast::{
    Expr, ExprKind, Ident, ObjectiveDecl, ParamDecl, ParamStart, Pattern, SolveExpr, SolveKind, Stmt,
    StmtKind, TypeExpr, TypeKind,
};

/// An objective with its arguments.
#[derive(Clone)]
pub struct Objective {
    /// What it is called.
    pub name: Arc<str>,
    /// Its params, in order.
    pub params: Vec<Param>,
    /// The names around, with its arguments and what does not depend on its params.
    pub(super) scope: Scope,
    /// What depends on its params, evaluated with it.
    pub(super) body: Vec<Stmt>,
    /// What is minimized or maximized.
    pub(super) value: Expr,
    /// The equations, where it stands for some.
    pub residual: Option<Residual>,
    /// Whether it is maximized.
    pub maximize: bool,
    /// Named figures.
    pub(super) reports: Vec<(Ident, Expr)>,
    /// How its expectations draw; by itself the same in every evaluation.
    pub(super) draws: Option<super::batch::Draws>,
}

impl Objective {
    /// The same with only the marked params; the others have fixed values.
    pub(super) fn freeze(&self, marked: &[bool], values: &[Val]) -> Objective {
        let mut scope = self.scope.clone();
        let mut params = Vec::new();
        for ((param, free), val) in self.params.iter().zip(marked).zip(values) {
            if *free {
                params.push(param.clone());
            } else {
                scope = scope.with(&param.name, Slot::Let(val.clone(), param.span));
            }
        }
        Objective { params, scope, ..self.clone() }
    }
}

/// A param: its name and its start, whose structure every value of it has.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: Arc<str>,
    /// Its start: known arrays.
    pub start: Val,
    /// Where it is declared.
    pub span: Span,
}

/// The result of a solve.
pub struct Fit {
    /// What was solved.
    pub objective: Rc<Objective>,
    /// The optimizer, with its hyper-parameters.
    pub optimizer: Rc<super::OptimizerValue>,
    /// Why it was chosen, if the user did not choose.
    pub why: Option<String>,
    /// What came out.
    pub outcome: Outcome,
    /// The params at the answer.
    pub params: Vec<(Arc<str>, Val)>,
    /// The reports.
    pub reports: Vec<(Arc<str>, Val)>,
}

/// Where a type says `int` or `bool`, and which.
fn not_real(ty: &TypeExpr) -> Option<(Span, &'static str)> {
    match &ty.kind {
        TypeKind::Named { name, .. } if &*name.name == "int" => Some((ty.span, "int")),
        TypeKind::Named { name, .. } if &*name.name == "bool" => Some((ty.span, "bool")),
        TypeKind::Record { fields, .. } => fields.iter().find_map(|(_, ty)| not_real(ty)),
        TypeKind::Tuple { items, .. } => items.iter().find_map(not_real),
        TypeKind::Named { .. } | TypeKind::Function { .. } => None,
    }
}

impl Lower<'_> {
    /// An objective applied to arguments. What does not depend on its params is computed now.
    pub(crate) fn make_objective(
        &mut self,
        decl: &Arc<ObjectiveDecl>,
        home: &Scope,
        args: Vec<Argument>,
        span: Span,
    ) -> Res<Val> {
        let slots = self.match_args(&decl.name.name, &decl.params, args, span)?;
        let (scope, _) = self.bind_params(&decl.params, slots, home)?;
        let scope = self.settle_scope(scope, home, span)?;
        // What it draws does not depend on the loops around: objectives made in one are compared with each other.
        let indices = std::mem::take(&mut self.indices);
        self.calls.push(decl.name.name.clone());
        let result = self.objective_body(decl, scope);
        self.calls.pop();
        self.indices = indices;
        let objective = result?;
        self.warn_of_unread(decl, &objective.params);
        Ok(Val::Objective(Rc::new(objective)))
    }

    /// Arguments that are still being computed are computed now: an objective outlives its unit
    /// (but not the code that it is part of).
    fn settle_scope(&mut self, scope: Scope, home: &Scope, span: Span) -> Res<Scope> {
        let known: Vec<Arc<str>> = home.names();
        let mut fresh: Vec<Arc<str>> = scope.names();
        fresh.truncate(fresh.len().saturating_sub(known.len()));
        let mut settled = home.clone();
        for name in fresh.into_iter().rev() {
            if let Some(Slot::Let(val, at)) = scope.get(&name).cloned() {
                let val = self.settle(&val, span)?;
                settled = settled.with(&name, Slot::Let(val, at));
            }
        }
        Ok(settled)
    }

    /// A value with every array in it known, where that is possible.
    pub(crate) fn settle(&mut self, val: &Val, span: Span) -> Res<Val> {
        let Some(leaves) = val.leaves() else { return Ok(val.clone()) };
        if !leaves.iter().any(|leaf| matches!(leaf, Val::Staged(_))) {
            return Ok(val.clone());
        }
        if self.symbolic || self.inside() {
            return Ok(val.clone());
        }
        if !self.host.options().execute {
            return Ok(self.pretended_value(val));
        }
        let mut out = Vec::new();
        for leaf in &leaves {
            out.push(match leaf {
                Val::Staged(_) => {
                    let tensor = self.force(leaf, span)?;
                    super::stage::known(&tensor)
                }
                other => other.clone(),
            });
        }
        Ok(val.rebuild(&mut out.into_iter()))
    }

    /// Computed now where that is possible, else part of the code around.
    fn prepared(&mut self, name: &str, span: Span, run: impl FnOnce(&mut Self) -> Res<Val>) -> Res<Val> {
        if self.inside() { run(self) } else { self.compute(name, span, run) }
    }

    fn objective_body(&mut self, decl: &ObjectiveDecl, scope: Scope) -> Res<Objective> {
        let mut scope = scope;
        let mut params: Vec<Param> = Vec::new();
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut body = Vec::new();
        let mut clause = None;
        let mut reports = Vec::new();
        let mut bad = false;
        for item in &decl.body.items {
            match &item.kind {
                StmtKind::Param(param) => match self.param_of(&scope, param) {
                    Ok(found) => {
                        names.push(found.name.clone());
                        params.push(found);
                    }
                    Err(_) => bad = true,
                },
                StmtKind::Clause(found) => {
                    if clause.is_some() {
                        return self.fail(errors::not_yet(item.span, "several `minimize` clauses"));
                    }
                    clause = Some((found.clone(), item.span));
                }
                StmtKind::Report { name, value } => {
                    bad |= self.check_report_name(name).is_err();
                    reports.push((name.clone(), value.clone()));
                }
                StmtKind::Let { .. } | StmtKind::Draw { .. }
                    if walk::stmt_mentions(item, &names) || touches(&body, item) =>
                {
                    body.push(item.clone());
                }
                StmtKind::Let { pattern, ty, value } => {
                    let val = self.settled_let(&scope, ty.as_ref(), value);
                    bad |= self.bind_or_poison(&mut scope, pattern, val, value.span).is_err();
                }
                StmtKind::Draw { pattern, ty, source, given } => {
                    // A plain draw in an objective is fixed for the whole solve.
                    let val = self.prepared("draw", source.span, |lower| {
                        lower.draw(&scope, pattern, ty.as_ref(), source, given.as_ref())
                    });
                    bad |= self.bind_or_poison(&mut scope, pattern, val, source.span).is_err();
                }
                StmtKind::Fn(_) | StmtKind::Type(_) => self.declare(&mut scope, item)?,
                StmtKind::Var { .. } | StmtKind::For { .. } | StmtKind::If(_) | StmtKind::Assign { .. } => {
                    body.push(item.clone());
                }
                StmtKind::Error => bad = true,
                other => return self.fail(errors::not_in_objective(item.span, instead_of(other))),
            }
        }
        let Some((clause, clause_span)) = clause else {
            return self.fail(errors::no_clause(decl.name.span, &decl.name.name));
        };
        if bad {
            return Err(super::Poisoned);
        }
        if params.is_empty() {
            return self.fail(errors::no_params(decl.name.span, &decl.name.name));
        }
        self.refuse_clause(
            &clause.constraints,
            !clause.over.is_empty() || !clause.given.is_empty(),
            clause_span,
        )?;
        let [value] = clause.values.as_slice() else {
            return self.fail(errors::not_yet(clause_span, "several objectives at once"));
        };
        Ok(Objective {
            name: decl.name.name.clone(),
            params,
            scope,
            body,
            value: value.clone(),
            residual: None,
            maximize: clause.maximize,
            reports,
            draws: None,
        })
    }

    /// A param that nothing reads stays at its start whatever the solve does.
    fn warn_of_unread(&mut self, decl: &ObjectiveDecl, params: &[Param]) {
        for param in params {
            let names = std::slice::from_ref(&param.name);
            let is_param = |item: &&Stmt| matches!(item.kind, StmtKind::Param(_));
            let others = decl.body.items.iter().filter(|item| !is_param(item));
            if !others.into_iter().any(|item| walk::stmt_mentions(item, names)) {
                let report = errors::param_not_read(param.span, &param.name, &decl.name.name);
                self.report(report);
            }
        }
    }

    /// A `let` that does not depend on the params: it is computed now.
    fn settled_let(&mut self, scope: &Scope, ty: Option<&TypeExpr>, value: &Expr) -> Res<Val> {
        self.prepared("let", value.span, |lower| {
            let val = lower.expr(scope, value)?;
            match ty {
                Some(ty) => lower.fit(ty, &val, value.span, scope),
                None => Ok(val),
            }
        })
    }

    fn refuse_clause(
        &mut self,
        constraints: &[crate::syntax::ast::Constraint],
        game: bool,
        span: Span,
    ) -> Res<()> {
        if let Some(constraint) = constraints.first() {
            return self.fail(errors::not_yet(constraint.value.span, "`subject to`"));
        }
        if game {
            return self
                .fail(errors::not_yet(span, "`over` and `given` in an objective (games and followers)"));
        }
        Ok(())
    }

    /// `param w: ty = start`, `param w: ty ~ D`.
    pub(super) fn param_of(&mut self, scope: &Scope, decl: &ParamDecl) -> Res<Param> {
        let name = &decl.name;
        if let Some(set) = &decl.set {
            return self.fail(errors::not_yet(set.span, "a set for a param"));
        }
        if let Some((span, elem)) = decl.ty.as_ref().and_then(not_real) {
            return self.fail(errors::param_not_real(span, &name.name, elem));
        }
        let start = match &decl.start {
            None => return self.fail(errors::param_without_start(name.span, &name.name)),
            Some(ParamStart::Value(e)) => self.prepared("start", e.span, |lower| {
                let val = lower.expr(scope, e)?;
                let val = lower.range_or(&val, e.span)?;
                match &decl.ty {
                    Some(ty) => lower.fit(ty, &val, e.span, scope),
                    None => Ok(val),
                }
            })?,
            Some(ParamStart::Draw(e)) => {
                let pattern = Pattern::Name(name.clone());
                self.prepared("start", e.span, |lower| {
                    lower.draw(scope, &pattern, decl.ty.as_ref(), e, None)
                })?
            }
        };
        let Some(leaves) = start.leaves() else {
            return self.fail(errors::param_kind(name.span, &name.name, &start.describe()));
        };
        let mut out = Vec::new();
        for leaf in leaves {
            let leaf = self.prepared("start", name.span, |lower| lower.cast_real(&leaf, name.span))?;
            out.push(leaf);
        }
        let start = start.rebuild(&mut out.into_iter());
        self.denotes(name.span, &start);
        Ok(Param { name: name.name.clone(), start, span: name.span })
    }

    /// A range as the array of its integers; anything else as it is.
    pub(super) fn range_or(&mut self, val: &Val, span: Span) -> Res<Val> {
        match val {
            Val::Range(..) => {
                let source = self.source(val, span, false)?;
                self.range_array(&source, span)
            }
            other => Ok(other.clone()),
        }
    }

    /// The text of a call of an objective.
    fn objective_called(&mut self, scope: &Scope, value: &Expr) -> Option<String> {
        let ExprKind::Call { function, .. } = &*value.kind else { return None };
        let ExprKind::Name(name) = &*function.kind else { return None };
        let found = self.slot(scope, name).cloned()?;
        let makes = match found {
            Slot::Let(Val::Function(found), _) => {
                matches!(&*found, Function::Native(native) if matches!(native.role, Role::Objective(_)))
            }
            _ => false,
        };
        makes.then(|| crate::syntax::print_expr(value))
    }

    /// `minimize e over x = x0, …` as an objective.
    pub(crate) fn inline_objective(
        &mut self,
        scope: &Scope,
        solve: &SolveExpr,
        span: Span,
    ) -> Res<Objective> {
        self.refuse_clause(&solve.constraints, false, span)?;
        if solve.over.is_empty() {
            let called = match solve.values.as_slice() {
                [value] => self.objective_called(scope, value),
                _ => None,
            };
            return self.fail(errors::minimize_without_over(span, called.as_deref()));
        }
        let [value] = solve.values.as_slice() else {
            return self.fail(errors::not_yet(span, "several objectives at once"));
        };
        let indices = std::mem::take(&mut self.indices);
        let params = solve.over.iter().map(|decl| self.param_of(scope, decl)).collect::<Res<Vec<Param>>>();
        self.indices = indices;
        let params = params?;
        Ok(Objective {
            name: Arc::from("the objective"),
            params,
            scope: scope.clone(),
            body: Vec::new(),
            value: value.clone(),
            residual: None,
            maximize: solve.kind == SolveKind::Maximize,
            reports: Vec::new(),
            draws: None,
        })
    }

    /// The names in an objective at given params, and the figures its reports need.
    pub(crate) fn objective_scope(&mut self, objective: &Objective, params: &[Val]) -> Res<Scope> {
        let scope = self.param_scope(objective, params)?;
        self.with_violation(objective, scope)
    }

    /// The names in an objective at given params.
    pub(super) fn param_scope(&mut self, objective: &Objective, params: &[Val]) -> Res<Scope> {
        let mut scope = objective.scope.clone();
        for (param, val) in objective.params.iter().zip(params) {
            scope = scope.with(&param.name, Slot::Let(val.clone(), param.span));
        }
        // Draws in it are fixed for the whole solve: no step or index counts.
        let indices = std::mem::take(&mut self.indices);
        let result = self.statements(&mut scope, &objective.body);
        self.indices = indices;
        result.map(|()| scope)
    }

    /// The value of an objective at given params, with the user's sign.
    pub(crate) fn objective_value(&mut self, objective: &Objective, params: &[Val]) -> Res<Val> {
        let draws = std::mem::replace(&mut self.draws, objective.draws.clone());
        let indices = std::mem::take(&mut self.indices);
        let result = self.clause_value(objective, params);
        self.draws = draws;
        self.indices = indices;
        result
    }

    fn clause_value(&mut self, objective: &Objective, params: &[Val]) -> Res<Val> {
        let scope = self.param_scope(objective, params)?;
        if objective.residual.is_some() {
            return self.residual_value(objective, &scope);
        }
        let value = self.expr(&scope, &objective.value)?;
        match value.ty() {
            Some(ty) if ty.rank() == 0 && ty.elem != Elem::Bool => {
                self.cast_real(&value, objective.value.span)
            }
            _ if matches!(value, Val::Poison) => Err(super::Poisoned),
            _ => self.fail(errors::objective_not_scalar(objective.value.span, &value.describe())),
        }
    }

    /// `P(p)`: p is the param, or a record of all of them.
    pub(crate) fn call_objective(
        &mut self,
        objective: &Rc<Objective>,
        args: Vec<Argument>,
        span: Span,
    ) -> Res<Val> {
        let name = objective.name.clone();
        let arg = self.one_argument(&name, args, span)?;
        let params = self.params_from(objective, &arg)?;
        self.objective_value(objective, &params)
    }

    /// The params given as one value.
    pub(crate) fn params_from(&mut self, objective: &Objective, arg: &Argument) -> Res<Vec<Val>> {
        let named = match &arg.value {
            Val::Record(record) => objective
                .params
                .iter()
                .map(|param| record.get(&param.name).cloned())
                .collect::<Option<Vec<Val>>>(),
            Val::Fit(fit) => objective
                .params
                .iter()
                .map(|param| fit.params.iter().find(|(n, _)| *n == param.name).map(|(_, val)| val.clone()))
                .collect::<Option<Vec<Val>>>(),
            _ => None,
        };
        let params = match (named, objective.params.as_slice()) {
            (Some(params), _) => params,
            (None, [_]) => vec![arg.value.clone()],
            (None, params) => {
                let names: Vec<&str> = params.iter().map(|p| &*p.name).collect();
                return self.fail(errors::params_expected(arg.span, &names, &arg.value.describe()));
            }
        };
        let mut out = Vec::new();
        for (param, val) in objective.params.iter().zip(params) {
            let (Some(want), Some(have)) = (param.start.leaves(), val.leaves()) else {
                return self.fail(errors::param_kind(arg.span, &param.name, &val.describe()));
            };
            let fits = want.len() == have.len()
                && want.iter().zip(&have).all(|(a, b)| match (a.ty(), b.ty()) {
                    (Some(a), Some(b)) => super::arith::same_dims(&a.dims, &b.dims),
                    _ => false,
                });
            if !fits {
                return self.fail(errors::param_shape(
                    arg.span,
                    &param.name,
                    &param.start.describe(),
                    &val.describe(),
                ));
            }
            let leaves = have.iter().map(|leaf| self.cast_real(leaf, arg.span)).collect::<Res<Vec<Val>>>()?;
            out.push(val.rebuild(&mut leaves.into_iter()));
        }
        Ok(out)
    }

    /// `P.accuracy`: a report as a function of the params.
    pub(crate) fn objective_field(&mut self, objective: &Rc<Objective>, field: &Ident) -> Res<Val> {
        let Some((_, e)) = objective.reports.iter().find(|(name, _)| name.name == field.name).cloned() else {
            let names: Vec<&str> = objective.reports.iter().map(|(n, _)| &*n.name).collect();
            return self.fail(errors::unknown_field(field.span, &field.name, &names, false));
        };
        let objective = objective.clone();
        let name = field.name.clone();
        Ok(Val::native(
            &field.name,
            Rc::new(move |lower, args, span| {
                let arg = lower.one_argument(&name, args, span)?;
                let params = lower.params_from(&objective, &arg)?;
                let scope = lower.objective_scope(&objective, &params)?;
                lower.expr(&scope, &e)
            }),
        ))
    }

    /// The params out of the flat vector.
    pub(crate) fn unflatten(&mut self, objective: &Objective, x: &Val, span: Span) -> Res<Vec<Val>> {
        let types: Vec<Ty> = objective.params.iter().flat_map(param_types).collect();
        let mut arrays = self.split_flat(types.iter(), x, span)?.into_iter();
        Ok(objective.params.iter().map(|param| param.start.rebuild(&mut arrays)).collect())
    }

    /// `fit.loss`, `fit.w`.
    pub(crate) fn fit_field(&mut self, fit: &Rc<Fit>, field: &Ident) -> Res<Val> {
        let outcome = &fit.outcome;
        let number = |x: f64| Val::real(x);
        let value = match &*field.name {
            "params" => Val::record(fit.params.clone()),
            "loss" => number(outcome.loss),
            "status" => Val::text(&outcome.status),
            "reason" => Val::text(&outcome.reason),
            "steps" => Val::int(outcome.steps),
            "grad_norm" => number(outcome.grad_norm),
            "seconds" => number(outcome.seconds),
            "evals" => {
                let part = |k: usize, name: &str| (Arc::from(name), Val::int(outcome.evals[k]));
                Val::record(vec![part(0, "f"), part(1, "grad"), part(2, "hvp")])
            }
            "trace" => trace_table(outcome),
            "state" => self.state_record(fit),
            name => {
                let known = fit.params.iter().chain(&fit.reports).find(|(n, _)| &**n == name);
                match known {
                    Some((_, val)) => val.clone(),
                    None => {
                        let names = fit_names(fit);
                        let names: Vec<&str> = names.iter().map(|n| &**n).collect();
                        return self.fail(errors::unknown_field(field.span, &field.name, &names, false));
                    }
                }
            }
        };
        Ok(value)
    }
}

/// The types of a param's arrays.
pub(crate) fn param_types(param: &Param) -> Vec<Ty> {
    param.start.leaves().unwrap_or_default().iter().filter_map(Val::ty).collect()
}

fn trace_table(outcome: &Outcome) -> Val {
    let trace = &outcome.trace;
    let rows = trace.len();
    let column = |column: &Vec<f64>| Val::Known(Tensor::real(&[rows], column.clone()));
    let fields = trace.names.iter().zip(&trace.columns).map(|(name, c)| (name.clone(), column(c))).collect();
    Val::Record(Rc::new(super::Record { fields, rows: Some(Dim::from(rows)) }))
}

/// The fields of a result.
pub(super) fn fit_names(fit: &Fit) -> Vec<Arc<str>> {
    let fixed =
        ["params", "loss", "status", "reason", "steps", "grad_norm", "seconds", "evals", "trace", "state"];
    let own = fit.params.iter().chain(&fit.reports).map(|(n, _)| n.clone());
    fixed.iter().map(|n| Arc::from(*n)).chain(own).collect()
}

/// Whether a statement reads a name bound by statements put off before it.
fn touches(body: &[Stmt], item: &Stmt) -> bool {
    let mut names = Vec::new();
    for stmt in body {
        match &stmt.kind {
            StmtKind::Let { pattern, .. }
            | StmtKind::Var { pattern, .. }
            | StmtKind::Draw { pattern, .. } => {
                walk::pattern_names(pattern, &mut names);
            }
            StmtKind::Fn(decl) => names.push(decl.name.name.clone()),
            _ => {}
        }
    }
    walk::stmt_mentions(item, &names)
}

/// Where a statement stands that an objective does not have.
fn instead_of(kind: &StmtKind) -> Option<&'static str> {
    let StmtKind::Expr(e) = kind else { return None };
    Some(match &*e.kind {
        ExprKind::Compare { .. } => {
            "constraints are not built yet: add a penalty to what is minimized, such as `100*relu(-x)^2` for `x >= 0`"
        }
        _ => "what is to be made small stands behind `minimize`",
    })
}

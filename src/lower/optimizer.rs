//! Optimizers: hyper-parameters, state, one step as code.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::expr::known_bool;
use super::reported::reports_in;
use super::running::{Running, View, inner_of};
use super::value::{Argument, Cell, Res, Scope, Slot, Val};
use super::{Lower, errors, walk};
use crate::diag::Span;
use crate::ir::{Dim, Elem};
use crate::syntax::ast::{
    Block, Expr, ExprKind, Ident, OptimizerDecl, ParamSpec, Pattern, Stmt, StmtKind, TypeKind,
};

/// The number of the first status of an optimizer's own.
pub(crate) const OWN: i64 = 16;

/// An optimizer with its hyper-parameters.
pub struct OptimizerValue {
    /// How it was declared.
    pub decl: Arc<OptimizerDecl>,
    /// Its hyper-parameters, by name.
    pub args: Vec<(Arc<str>, Val)>,
    /// Which of them the user gave.
    pub given: Vec<bool>,
    pub(super) home: Scope,
    /// Whether its hyper-parameters are optimizers of the params of their names: `(w = adam(), v = gd())`.
    pub by_param: bool,
}

/// The parts of an optimizer's body.
pub(crate) struct Parts<'a> {
    /// `let`s and functions, before the states.
    pub before: Vec<&'a Stmt>,
    /// State names with their starts.
    pub states: Vec<(&'a Ident, Option<&'a crate::syntax::ast::TypeExpr>, &'a Expr)>,
    /// The figures that the step reports.
    pub reports: Vec<&'a Ident>,
    /// The step; empty where there are `each` blocks.
    pub step: &'a [Stmt],
    /// What is done for every array of a kind.
    pub each: Vec<Each<'a>>,
    /// The name of the optimizer of the other arrays.
    pub otherwise: Option<&'a Expr>,
    /// The point to report.
    pub answer: Option<&'a Expr>,
}

/// An `each` block.
pub(crate) struct Each<'a> {
    /// What the array is called.
    pub name: &'a Ident,
    /// What kind it is of.
    pub ty: Option<&'a crate::syntax::ast::TypeExpr>,
    /// `let`s, states and the step.
    pub parts: Parts<'a>,
}

impl OptimizerValue {
    /// The value of a hyper-parameter.
    pub fn arg(&self, name: &str) -> Option<Val> {
        self.args.iter().find(|(n, _)| &**n == name).map(|(_, val)| val.clone())
    }

    /// The names of the hyper-parameters.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.args.iter().map(|(n, _)| n.clone()).collect()
    }

    /// Whether another one has the same declaration, and so the same states; so must those that they take.
    pub(super) fn same_kind(&self, other: &OptimizerValue) -> bool {
        let (mine, theirs) = (inner_of(self), inner_of(other));
        (Arc::ptr_eq(&self.decl, &other.decl) || (self.by_param && other.by_param))
            && mine.len() == theirs.len()
            && mine.iter().zip(&theirs).all(|((m, a), (n, b))| m == n && a.same_kind(b))
    }

    /// The optimizer with its hyper-parameters changed.
    pub(crate) fn map_args(&self, change: &mut dyn FnMut(&Val) -> Val) -> OptimizerValue {
        OptimizerValue {
            decl: self.decl.clone(),
            args: self.args.iter().map(|(n, val)| (n.clone(), change(val))).collect(),
            given: self.given.clone(),
            home: self.home.clone(),
            by_param: self.by_param,
        }
    }

    /// Its name; empty where it is one for each param.
    pub fn name(&self) -> &str {
        if self.by_param { "" } else { &self.decl.name.name }
    }

    /// As a user would write it, defaults included: `adam(lr = 0.05, b1 = 0.9)`.
    pub fn label(&self) -> String {
        let args: Vec<String> = self.args.iter().map(|(n, val)| format!("{n} = {}", shown(val))).collect();
        format!("{}({})", self.name(), args.join(", "))
    }
}

/// The value of a hyper-parameter as a user would write it.
pub(super) fn shown(val: &Val) -> String {
    match val {
        Val::Known(t) if t.sizes.is_empty() && t.elem() == Elem::Real => plain(t.reals()[0]),
        Val::Known(t) if t.sizes.is_empty() && t.elem() == Elem::Bool => format!("{}", t.bools()[0]),
        Val::Int(dim) => dim.to_string(),
        Val::Optimizer(inner) => inner.label(),
        other => other.describe(),
    }
}

impl Lower<'_> {
    /// An optimizer applied to hyper-parameters, with their names, types and ranges checked.
    pub(crate) fn make_optimizer(
        &mut self,
        decl: &Arc<OptimizerDecl>,
        home: &Scope,
        args: Vec<Argument>,
        span: Span,
    ) -> Res<Val> {
        let slots = self.match_args(&decl.name.name, &decl.params, args, span)?;
        let given: Vec<bool> = slots.iter().map(Option::is_some).collect();
        let mut scope = home.clone();
        let mut bound = Vec::new();
        let mut vals = Vec::new();
        for (param, slot) in decl.params.iter().zip(slots) {
            let (val, at) = match (slot, &param.default) {
                (Some(arg), _) => (arg.value, arg.span),
                (None, Some(default)) => (self.expr(&scope, default)?, default.span),
                (None, None) => return Err(super::Poisoned),
            };
            let val = self.hyper_param(param, &val, at, &mut scope, &mut bound)?;
            self.denotes(param.name.span, &val);
            scope = scope.with(&param.name.name, Slot::Let(val.clone(), param.name.span));
            bound.push(param.name.name.clone());
            vals.push((param.name.name.clone(), val));
        }
        // The dimensions that arrays among them name are known to the body.
        let mut home = home.clone();
        for name in bound.iter().filter(|name| !vals.iter().any(|(param, _)| param == *name)) {
            if let Some(slot) = scope.get(name) {
                home = home.with(name, slot.clone());
            }
        }
        let value = OptimizerValue { decl: decl.clone(), args: vals, given, home, by_param: false };
        Ok(Val::Optimizer(Rc::new(value)))
    }

    /// A hyper-parameter of the right type and in its range; a real one may be a schedule.
    fn hyper_param(
        &mut self,
        param: &ParamSpec,
        val: &Val,
        span: Span,
        scope: &mut Scope,
        bound: &mut Vec<Arc<str>>,
    ) -> Res<Val> {
        let real = param.ty.as_ref().is_some_and(
            |ty| matches!(&ty.kind, TypeKind::Named { name, dims, .. } if dims.is_empty() && &*name.name == "real"),
        );
        if real && matches!(val, Val::Function(_)) {
            return Ok(val.clone());
        }
        let val = match &param.ty {
            Some(ty) => {
                let mut names = Some(std::mem::take(bound));
                let fitted = self.fit_in(ty, val, span, scope, &mut names);
                *bound = names.unwrap_or_default();
                fitted?
            }
            None => val.clone(),
        };
        let val = self.settle(&val, span)?;
        if let (Some(set), Val::Known(t)) = (&param.set, &val)
            && t.sizes.is_empty()
            && t.elem() == Elem::Real
            && !self.in_interval(scope, set, t.reals()[0])?
        {
            let set = interval_text(set);
            return self.fail(errors::hyper_out_of_range(span, &param.name.name, &set, t.reals()[0]));
        }
        if let (Some(set), Val::Int(Dim::Known(n))) = (&param.set, &val) {
            #[expect(clippy::cast_precision_loss, reason = "compared with the ends of an interval")]
            let x = *n as f64;
            if !self.in_interval(scope, set, x)? {
                let set = interval_text(set);
                return self.fail(errors::hyper_out_of_range(span, &param.name.name, &set, x));
            }
        }
        Ok(val)
    }

    /// Whether a number lies in an interval as written.
    fn in_interval(&mut self, scope: &Scope, set: &Expr, x: f64) -> Res<bool> {
        let ExprKind::Call { function, args } = &*set.kind else { return Ok(true) };
        if !matches!(&*function.kind, ExprKind::Name(name) if &**name == "interval") {
            return Ok(true);
        }
        let mut ends = Vec::new();
        for arg in args {
            if let crate::syntax::ast::ArgValue::Expr(e) = &arg.value {
                let val = self.expr(scope, e)?;
                ends.push(match (&val, known_bool(&val)) {
                    (_, Some(closed)) => f64::from(u8::from(closed)),
                    #[expect(clippy::cast_precision_loss, reason = "ends of intervals are small")]
                    (Val::Int(Dim::Known(n)), _) => *n as f64,
                    (Val::Known(t), _) if t.len() == 1 => t.to_reals()[0],
                    _ => return Ok(true),
                });
            }
        }
        let [lo, hi, lo_closed, hi_closed] = ends.as_slice() else { return Ok(true) };
        let above = if *lo_closed == 1.0 { x >= *lo } else { x > *lo };
        let below = if *hi_closed == 1.0 { x <= *hi } else { x < *hi };
        Ok(above && below)
    }

    /// The parts of an optimizer's body; what is not built yet is refused.
    pub(crate) fn optimizer_parts<'a>(&mut self, decl: &'a OptimizerDecl) -> Res<Parts<'a>> {
        self.parts_of(&decl.body, &decl.name, "x")
    }

    /// The parts of a body whose step moves what is called `place`.
    fn parts_of<'a>(&mut self, body: &'a Block, whose: &Ident, place: &str) -> Res<Parts<'a>> {
        let mut before = Vec::new();
        let mut states = Vec::new();
        let mut step: Option<&[Stmt]> = None;
        let mut step_at: Option<Span> = None;
        let mut each = Vec::new();
        let mut otherwise = None;
        let mut answer = None;
        for item in &body.items {
            match &item.kind {
                StmtKind::Let { .. } | StmtKind::Draw { .. } | StmtKind::Fn(_) => before.push(item),
                StmtKind::State(found) => {
                    states.extend(found.iter().map(|(name, ty, e)| (name, ty.as_ref(), e)));
                }
                StmtKind::Step(body) => {
                    if let Some(first) = step_at.replace(item.span) {
                        return self.fail(errors::part_twice(item.span, "step", first));
                    }
                    step = Some(&body.items);
                }
                StmtKind::Answer { value, more } => {
                    if let Some(arg) = more.first() {
                        let at = arg.name.as_ref().map_or(item.span, |n| n.span);
                        return self.fail(errors::not_yet(at, "multipliers in `answer`"));
                    }
                    answer = Some(value);
                }
                StmtKind::Each { name, ty, body } => {
                    let parts = self.parts_of(body, name, &name.name)?;
                    let whole = parts.answer.is_some() || parts.otherwise.is_some();
                    if !parts.each.is_empty() || !parts.reports.is_empty() || whole {
                        let at = parts.reports.first().map_or(name.span, |report| report.span);
                        return self.fail(errors::not_in_each(at));
                    }
                    each.push(Each { name, ty: ty.as_ref(), parts });
                }
                StmtKind::Otherwise(e) => otherwise = Some(e),
                StmtKind::Players(_) => return self.fail(errors::not_yet(item.span, "`players`")),
                StmtKind::Error => return Err(super::Poisoned),
                other => return self.fail(errors::not_in_optimizer(item.span, instead_of(other).as_deref())),
            }
        }
        if step.is_some() && !each.is_empty() {
            return self.fail(errors::step_and_each(whose.span, &whose.name));
        }
        if step.is_none() && each.is_empty() {
            return self.fail(errors::no_step(whose.span, &whose.name));
        }
        let step = step.unwrap_or_default();
        if let Some(at) = hidden_place(step, place) {
            return self.fail(errors::step_moves_nothing(at, &whose.name, place));
        }
        let mut reports = Vec::new();
        reports_in(step, &mut reports);
        for name in &reports {
            self.check_report_name(name)?;
        }
        Ok(Parts { before, states, reports, step, each, otherwise, answer })
    }

    /// The hyper-parameters but the optimizers among them; schedules at their value for `t`.
    pub(super) fn hyper_params(
        &mut self,
        optimizer: &OptimizerValue,
        t: &Val,
        span: Span,
    ) -> Res<Vec<(Arc<str>, Val)>> {
        // States are made before the first step; the rate of it is meant.
        let first = Val::int(1);
        let t = if matches!(t, Val::Int(Dim::Known(0))) { &first } else { t };
        let mut now = Vec::new();
        for ((name, val), param) in optimizer.args.iter().zip(&optimizer.decl.params) {
            let val = match val {
                Val::Function(_) if !is_function_type(param) => {
                    let arg = Argument { name: None, value: t.clone(), span };
                    let now = self.call(val, vec![arg], span)?;
                    self.cast_real(&now, span)?
                }
                Val::Optimizer(_) => continue,
                other => other.clone(),
            };
            now.push((name.clone(), val));
        }
        Ok(now)
    }

    /// `using (w = adam(), v = gd())`: an optimizer for each param named; the others are frozen.
    pub(super) fn optimizer_by_param(
        &mut self,
        record: &super::Record,
        params: &[Arc<str>],
        span: Span,
    ) -> Res<Rc<OptimizerValue>> {
        let mut args = Vec::new();
        for (name, val) in &record.fields {
            if !params.contains(name) {
                let known: Vec<&str> = params.iter().map(|n| &**n).collect();
                return self.fail(errors::no_such_param(span, name, &known));
            }
            match val {
                Val::Optimizer(_) => args.push((name.clone(), val.clone())),
                Val::Function(_) => return self.fail(errors::optimizer_not_called(span, name)),
                other => return self.fail(errors::not_an_optimizer(span, &other.describe())),
            }
        }
        let none = || Block { items: Vec::new(), span, depth: 0 };
        let step = Stmt { kind: StmtKind::Step(none()), span, doc: None };
        let body = Block { items: vec![step], ..none() };
        let name = Ident { name: Arc::from("by param"), span };
        let decl = Arc::new(OptimizerDecl { name, params: Vec::new(), body });
        let given = vec![true; args.len()];
        Ok(Rc::new(OptimizerValue { decl, args, given, home: Scope::library(), by_param: true }))
    }

    /// The scope of a step: hyper-parameters (schedules at their value for `t`), `x`, `g`, `f`, `t`.
    pub(super) fn step_scope(
        &mut self,
        optimizer: &OptimizerValue,
        view: &View,
        t: Val,
        inner: &[(Arc<str>, Rc<Running>)],
        span: Span,
    ) -> Res<Scope> {
        let mut scope = optimizer.home.clone();
        let at = optimizer.decl.name.span;
        for (name, val) in self.hyper_params(optimizer, &t, span)? {
            scope = scope.with(&name, Slot::Let(val, at));
        }
        for (name, taken) in inner_of(optimizer) {
            let running = inner.iter().find(|(known, _)| *known == name).map(|(_, running)| running);
            let val = self.inner_optimizer(&taken, running, view, span)?;
            scope = scope.with(&name, Slot::Let(val, at));
        }
        scope = scope.with(&Arc::from("x"), Slot::Var(view.x.clone(), at));
        scope = scope.with(&Arc::from("g"), Slot::Let(view.g.clone(), at));
        scope = scope.with(&Arc::from("f"), Slot::Let(view.f.clone(), at));
        scope = scope.with(&Arc::from("t"), Slot::Let(t, at));
        Ok(scope)
    }

    /// The statements of a step. After `stop … if c` the rest runs only where c does not hold.
    pub(crate) fn step_statements(&mut self, scope: &mut Scope, items: &[Stmt], cells: &[Cell]) -> Res<()> {
        for (k, item) in items.iter().enumerate() {
            let StmtKind::Stop { status, condition } = &item.kind else {
                self.statement(scope, item)?;
                continue;
            };
            let c = self.stop_condition(scope, condition)?;
            self.set_status(&c, status, item.span)?;
            let rest = &items[k + 1..];
            if rest.is_empty() || known_bool(&c) == Some(false) {
                continue;
            }
            let go_on = self.apply("not", &[(&c, condition.span)], item.span)?;
            let mut all: Vec<Cell> = cells.to_vec();
            let block = Block { items: rest.to_vec(), span: item.span, depth: 0 };
            for name in walk::assigned(&block.items) {
                if let Some(Slot::Var(cell, _)) = scope.get(&name)
                    && !all.iter().any(|known| Rc::ptr_eq(known, cell))
                {
                    all.push(cell.clone());
                }
            }
            return self.guarded(&go_on, &all, item.span, &mut |lower| {
                let mut inner = scope.clone();
                lower.step_statements(&mut inner, rest, cells)
            });
        }
        Ok(())
    }

    /// Runs statements where a condition holds; the cells keep their values where it does not.
    fn guarded(
        &mut self,
        c: &Val,
        cells: &[Cell],
        span: Span,
        run: &mut dyn FnMut(&mut Self) -> Res<()>,
    ) -> Res<()> {
        let before: Vec<Val> = cells.iter().map(|cell| cell.borrow().clone()).collect();
        let restore = |vals: &[Val]| {
            for (cell, val) in cells.iter().zip(vals) {
                *cell.borrow_mut() = val.clone();
            }
        };
        let result = self.choose(
            c,
            span,
            &mut |lower| {
                restore(&before);
                run(lower)?;
                Ok(Val::tuple(cells.iter().map(|cell| cell.borrow().clone()).collect()))
            },
            &mut |_| Ok(Val::tuple(before.clone())),
        );
        restore(&before);
        match result? {
            Val::Tuple(after) => {
                restore(&after);
                Ok(())
            }
            _ => Err(super::Poisoned),
        }
    }

    fn stop_condition(&mut self, scope: &Scope, condition: &Expr) -> Res<Val> {
        self.condition(scope, condition)
    }

    /// `stop STATUS if c` inside a block of a step: sets the status, the block goes on.
    pub(crate) fn stop(&mut self, scope: &Scope, status: &Ident, condition: &Expr, span: Span) -> Res<()> {
        if self.memo.is_empty() {
            return self.fail(errors::only_in_step(span));
        }
        let c = self.stop_condition(scope, condition)?;
        self.set_status(&c, status, span)
    }

    fn set_status(&mut self, c: &Val, status: &Ident, span: Span) -> Res<()> {
        const KNOWN: [&str; 9] = [
            "locally_solved",
            "almost_locally_solved",
            "slow_progress",
            "numerical_error",
            "norm_limit",
            "other_limit",
            "objective_limit",
            "iteration_limit",
            "infeasible",
        ];
        if !KNOWN.contains(&&*status.name) {
            return self.fail(errors::unknown_status(status.span, &status.name, &KNOWN));
        }
        let at = match self.statuses.iter().position(|s| *s == status.name) {
            Some(at) => at,
            None => {
                self.statuses.push(status.name.clone());
                self.statuses.len() - 1
            }
        };
        let code = Val::int(OWN + i64::try_from(at).unwrap_or(0));
        let Some(cell) = self.memo.first().cloned() else { return Err(super::Poisoned) };
        let old = cell.borrow().clone();
        let fresh = self.compare("eq", (&old, span), (&Val::int(0), span), span)?;
        let both = self.both(&fresh, c, span)?;
        let new = match known_bool(&both) {
            Some(true) => code,
            Some(false) => old,
            None => self.apply("where", &[(&both, span), (&code, span), (&old, span)], span)?,
        };
        *cell.borrow_mut() = new;
        Ok(())
    }

    /// A cell.
    pub(crate) fn cell(val: Val) -> Cell {
        Rc::new(RefCell::new(val))
    }
}

/// An interval as it would be written: `(0, inf)`.
fn interval_text(set: &Expr) -> String {
    let text = |arg: &crate::syntax::ast::Arg| match &arg.value {
        crate::syntax::ast::ArgValue::Expr(e) => crate::syntax::print_expr(e),
        crate::syntax::ast::ArgValue::Generator(..) => String::new(),
    };
    match &*set.kind {
        ExprKind::Call { args, .. } if args.len() == 4 => {
            let parts: Vec<String> = args.iter().map(text).collect();
            let open = if parts[2] == "true" { "[" } else { "(" };
            let close = if parts[3] == "true" { "]" } else { ")" };
            format!("{open}{}, {}{close}", parts[0], parts[1])
        }
        _ => crate::syntax::print_expr(set),
    }
}

/// A number as it would be written: `0.9`, `1e-8`.
fn plain(x: f64) -> String {
    let small = x != 0.0 && x.is_finite() && !(1e-3..1e6).contains(&x.abs());
    if small { format!("{x:e}") } else { format!("{x}") }
}

fn is_function_type(param: &ParamSpec) -> bool {
    param.ty.as_ref().is_none_or(|ty| matches!(ty.kind, TypeKind::Function { .. }))
}

/// The `let` of a step that gives the name of what it moves to something else, where nothing is assigned to it.
fn hidden_place(step: &[Stmt], place: &str) -> Option<Span> {
    let names = |item: &Stmt| match &item.kind {
        StmtKind::Let { pattern, .. } => {
            let mut names = Vec::new();
            walk::pattern_names(pattern, &mut names);
            names.iter().any(|name| &**name == place)
        }
        _ => false,
    };
    let assigns = walk::assigned(step).iter().any(|name| &**name == place);
    step.iter().find(|item| !assigns && names(item)).map(|item| item.span)
}

/// Where a statement stands that an optimizer does not have.
fn instead_of(kind: &StmtKind) -> Option<String> {
    match kind {
        StmtKind::Assign { place, op: None, value }
            if walk::root(place).is_some_and(|name| &**name == "step") =>
        {
            Some(format!("a step assigns in braces: `step {{ x = {} }}`", crate::syntax::print_expr(value)))
        }
        StmtKind::Assign { .. } | StmtKind::If(_) | StmtKind::For { .. } => {
            Some("what an iteration does stands in `step { … }`".to_string())
        }
        StmtKind::Var { pattern: Pattern::Name(name), .. } => {
            Some(format!("what is kept from step to step is a state: `state {} = …`", name.name))
        }
        StmtKind::Param(_) => Some(
            "a hyper-parameter stands behind the name: `optimizer name(lr: real = 0.1) { … }`".to_string(),
        ),
        _ => None,
    }
}

//! Top-level statements: each is compiled and run when it is reached.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::expr::known_bool;
use super::value::{Function, Native, NativeCall, Res, Role, Scope, Slot, Val};
use super::{Lower, RunError, Test, declare, errors, walk};
use crate::diag::{FileId, Span};
use crate::syntax::ast::{Arg, ArgValue, Block, Expr, ExprKind, File, IfBlock, Pattern, Stmt, StmtKind};

impl Lower<'_> {
    /// Runs a program: declarations first, then the statements in order. After an erroneous
    /// statement the others are still looked at; after a stop at run time none is.
    pub fn program(&mut self, file: &Rc<File>) {
        let mut scope = self.globals.clone();
        self.declare_all(&mut scope, &file.items);
        self.globals = scope.clone();
        self.check_functions(&file.items);
        let imports = |item: &Stmt| matches!(&item.kind, StmtKind::Import { name: None, .. });
        if !file.items.iter().any(imports) {
            self.check_names(file);
        }
        // Errors have been reported; the rest of the program was looked at.
        let _ = self.top_statements(&mut scope, &file.items, true);
        self.globals = scope;
    }

    /// The tests of the program, in order.
    pub fn tests(&self) -> Vec<Test> {
        self.tests.clone()
    }

    /// Runs one test; gives whether it could be elaborated and run to its end.
    pub fn run_test(&mut self, test: &Test) -> bool {
        self.halted = false;
        let before = self.reports.iter().filter(|r| r.is_error()).count();
        let mut scope = test.scope.clone();
        let result = self.top_statements(&mut scope, &test.decl.body.items, false);
        let after = self.reports.iter().filter(|r| r.is_error()).count();
        result.is_ok() && before == after
    }

    /// Functions and other declarations are in scope everywhere in their file.
    fn declare_all(&mut self, scope: &mut Scope, items: &[Stmt]) {
        let mut seen: HashMap<Arc<str>, Span> = HashMap::new();
        for item in items {
            if let Some((name, value)) = declare::declaration(item, &self.own_scope()) {
                let at = declared_span(item);
                let first = *seen.entry(name.clone()).or_insert(at);
                if first != at {
                    self.report(errors::declared_twice(at, &name, first));
                }
                *scope = scope.with(&name, Slot::Let(value, at));
            }
        }
    }

    /// Elaborates generic functions with symbolic dimensions, so that errors in functions that are
    /// never called are found.
    fn check_functions(&mut self, items: &[Stmt]) {
        let globals = self.globals.clone();
        self.globals = self.with_later_names(items);
        self.check_each(items);
        self.globals = globals;
    }

    /// The names so far and those that statements further down bind, of which nothing is known yet:
    /// they are not those of the library.
    fn with_later_names(&self, items: &[Stmt]) -> Scope {
        let names = items
            .iter()
            .flat_map(|item| super::derivative::bound_names(item).into_iter().map(|name| (name, item.span)));
        let new = names.filter(|(name, _)| self.globals.get(name).is_none());
        new.fold(self.globals.clone(), |scope, (name, span)| scope.with(&name, Slot::Let(Val::Poison, span)))
    }

    fn check_each(&mut self, items: &[Stmt]) {
        for item in items {
            let StmtKind::Fn(decl) = &item.kind else { continue };
            if !decl.params.iter().all(|p| p.ty.is_some()) {
                continue;
            }
            let before = std::mem::replace(&mut self.symbolic, true);
            let (reports, units) = (self.reports.len(), self.units.len());
            self.begin_unit(&decl.name.name, item.span);
            let mut scope = Scope::default();
            let (mut bound, mut vals) = (Vec::new(), Vec::new());
            let mut known = true;
            for param in &decl.params {
                let val = param.ty.as_ref().and_then(|ty| self.stand_in(ty, &mut scope, &mut bound));
                match val {
                    Some(val) => {
                        self.denotes(param.name.span, &val);
                        scope = scope.with(&param.name.name, Slot::Let(val.clone(), param.name.span));
                        vals.push((param.name.name.clone(), val));
                        bound.push(param.name.name.clone());
                    }
                    None => known = false,
                }
            }
            if known {
                self.calls.push(decl.name.name.clone());
                // Only the reports count.
                let _ = match &decl.derivative {
                    Some(_) => self.call_custom(decl, &scope, &vals, item.span),
                    None => self.expr(&scope, &decl.body),
                };
                self.calls.pop();
            }
            self.units.truncate(units);
            self.symbolic = before;
            self.drop_doubtful(reports);
        }
    }

    /// Names that are bound further down the file, and constructs that only a run can judge, are
    /// no errors of a function that is not called yet.
    fn drop_doubtful(&mut self, from: usize) {
        let mut at = 0;
        self.reports.retain(|report| {
            at += 1;
            at <= from || !matches!(report.code, "E0301" | "E0232" | "E0241" | "E0260" | "E0265" | "E0433")
        });
    }

    /// Statements that may print, solve and assert. At the `top` of a program names are global.
    pub(super) fn top_statements(&mut self, scope: &mut Scope, items: &[Stmt], top: bool) -> Res<()> {
        let mut result = Ok(());
        for item in items {
            if self.halted {
                return Err(super::Poisoned);
            }
            let narrow = if top { self.narrowed(scope, item) } else { None };
            let done = match narrow {
                None => self.top_statement(scope, item, top),
                Some(own) => {
                    let mut inner = own.clone();
                    let done = self.top_statement(&mut inner, item, top);
                    *scope = scope.extended(&inner, &own);
                    done
                }
            };
            if done.is_err() {
                result = Err(super::Poisoned);
            }
            if top {
                self.globals = scope.clone();
            }
        }
        result
    }

    fn top_statement(&mut self, scope: &mut Scope, item: &Stmt, top: bool) -> Res<()> {
        match &item.kind {
            StmtKind::Let { pattern, ty, value } => {
                self.note_solve(pattern, value);
                let val = self.compute("let", value.span, |lower| {
                    let val = lower.expr(scope, value)?;
                    match ty {
                        Some(ty) => lower.fit(ty, &val, value.span, scope),
                        None => Ok(val),
                    }
                });
                self.bind_or_poison(scope, pattern, val, value.span)
            }
            StmtKind::Var { value, .. } => {
                let result = self.top_var(scope, item);
                if result.is_err() && self.reports.is_empty() && !self.pretended {
                    let report = errors::expected_array(value.span, "an erroneous value");
                    self.report(report);
                }
                result
            }
            StmtKind::Draw { pattern, ty, source, given } => {
                let val = self.compute("draw", source.span, |lower| {
                    lower.draw(scope, pattern, ty.as_ref(), source, given.as_ref())
                });
                self.bind_or_poison(scope, pattern, val, source.span)
            }
            StmtKind::Assign { place, .. } => self.top_assign(scope, item, place),
            StmtKind::For { binding, condition, body } => {
                let host = walk::speaks(body) || self.solves_block(scope, body);
                if !host {
                    return self.top_code(scope, item);
                }
                self.top_for(scope, binding, condition.as_ref(), body, item.span)
            }
            StmtKind::If(arms) => self.top_if(scope, arms),
            StmtKind::Print(args) => self.print(scope, args, item.span),
            StmtKind::Plot { values, path, options } => {
                self.plot(scope, values, path.as_ref(), options, item.span)
            }
            StmtKind::Save { value, path } => self.save(scope, value, path, item.span),
            StmtKind::Assert { condition, message } => {
                self.assert(scope, condition, message.as_ref(), item.span)
            }
            StmtKind::Expr(e) => {
                let arg = Arg { name: None, value: ArgValue::Expr(e.clone()) };
                self.print(scope, std::slice::from_ref(&arg), item.span)
            }
            StmtKind::Import { path, path_span, name } => {
                self.import_file(scope, path, *path_span, name.as_ref())
            }
            StmtKind::Input { name, ty, default } => {
                let val = self.input(scope, &name.name, name.span, ty.as_ref(), default.as_ref());
                self.bind_or_poison(scope, &Pattern::Name(name.clone()), val, name.span)
            }
            StmtKind::Test(decl) => {
                self.tests.push(Test {
                    name: decl.name.clone(),
                    span: decl.name_span,
                    decl: decl.clone(),
                    scope: Scope::default(),
                });
                Ok(())
            }
            StmtKind::Precision(_) => Ok(()),
            StmtKind::Fn(_)
            | StmtKind::Type(_)
            | StmtKind::Objective(_)
            | StmtKind::Optimizer(_)
            | StmtKind::Primitive(_)
            | StmtKind::Members(_) => {
                if top {
                    return Ok(());
                }
                self.declare(scope, item)
            }
            StmtKind::Rule(_) => {
                self.fail(errors::not_yet(item.span, "a `rule` outside the standard library"))
            }
            StmtKind::Error => Err(super::Poisoned),
            StmtKind::Param(_)
            | StmtKind::Clause(_)
            | StmtKind::Report { .. }
            | StmtKind::Players(_)
            | StmtKind::State(_)
            | StmtKind::Step(_)
            | StmtKind::Answer { .. }
            | StmtKind::Stop { .. }
            | StmtKind::Each { .. }
            | StmtKind::Otherwise(_) => self.fail(errors::not_here(item.span)),
        }
    }

    fn note_solve(&mut self, pattern: &Pattern, value: &Expr) {
        if let (Pattern::Name(name), ExprKind::Solve(_)) = (pattern, &*value.kind) {
            self.host.named_solve(&name.name, name.span);
        }
    }

    fn top_var(&mut self, scope: &mut Scope, item: &Stmt) -> Res<()> {
        let StmtKind::Var { pattern, ty, value } = &item.kind else { return Err(super::Poisoned) };
        let val = self.compute("var", value.span, |lower| {
            let val = lower.expr(scope, value)?;
            match ty {
                Some(ty) => lower.fit(ty, &val, value.span, scope),
                None => Ok(val),
            }
        });
        let mut inner = scope.clone();
        let result = self.bind_or_poison(&mut inner, pattern, val, value.span);
        // The names just bound become variables.
        for name in inner.names().into_iter().take(inner.names().len() - scope.names().len()).rev() {
            if let Some(Slot::Let(val, at)) = inner.get(&name).cloned() {
                let slot = if matches!(val, Val::Poison) {
                    Slot::Let(val, at)
                } else {
                    Slot::Var(Self::cell(val), at)
                };
                *scope = scope.with(&name, slot);
            }
        }
        result
    }

    fn top_assign(&mut self, scope: &Scope, item: &Stmt, place: &Expr) -> Res<()> {
        let StmtKind::Assign { op, value, .. } = &item.kind else { return Err(super::Poisoned) };
        let cell = walk::root(place).and_then(|name| match scope.get(name) {
            Some(Slot::Var(cell, _)) => Some(cell.clone()),
            _ => None,
        });
        let before = cell.as_ref().map(|cell| cell.borrow().clone());
        let new = self.compute("assign", item.span, |lower| {
            lower.assign(scope, place, *op, value, item.span)?;
            Ok(cell.as_ref().map_or(Val::Poison, |cell| cell.borrow().clone()))
        });
        if let (Some(cell), Some(before)) = (cell, before) {
            *cell.borrow_mut() = match &new {
                Ok(val) => val.clone(),
                Err(_) => before,
            };
        }
        new.map(|_| ())
    }

    /// A loop at the top level that only computes: it becomes code, then its variables are known.
    fn top_code(&mut self, scope: &mut Scope, item: &Stmt) -> Res<()> {
        let StmtKind::For { body, .. } = &item.kind else { return Err(super::Poisoned) };
        let mut cells = Vec::new();
        for name in walk::assigned(&body.items) {
            if let Some(Slot::Var(cell, _)) = scope.get(&name) {
                cells.push(cell.clone());
            }
        }
        let before: Vec<Val> = cells.iter().map(|cell| cell.borrow().clone()).collect();
        let after = self.compute("for", item.span, |lower| {
            lower.statement(&mut scope.clone(), item)?;
            Ok(Val::list(cells.iter().map(|cell| cell.borrow().clone()).collect()))
        });
        match after {
            Ok(Val::List(vals)) => {
                for (cell, val) in cells.iter().zip(vals.iter()) {
                    *cell.borrow_mut() = val.clone();
                }
                Ok(())
            }
            _ => {
                for (cell, val) in cells.iter().zip(before) {
                    *cell.borrow_mut() = val;
                }
                Err(super::Poisoned)
            }
        }
    }

    /// A loop at the top level that prints or solves: turn by turn.
    fn top_for(
        &mut self,
        scope: &Scope,
        binding: &crate::syntax::ast::Binding,
        condition: Option<&Expr>,
        body: &Block,
        span: Span,
    ) -> Res<()> {
        if binding.draw {
            return self.fail(errors::not_yet(span, "a loop over a draw"));
        }
        self.warn_of_lost_lets(scope, body);
        let source = self.compute("for", binding.source.span, |lower| lower.expr(scope, &binding.source))?;
        let source = self.source(&source, binding.source.span, false)?;
        let Some(count) = self.source_len(&source).known() else {
            return if self.host.options().execute {
                self.fail(errors::unroll_unknown(span))
            } else {
                Ok(())
            };
        };
        // Nothing is run while a program is only checked: one turn shows its errors.
        let count = if self.host.options().execute { count } else { count.min(1) };
        for k in 0..count {
            if self.host.stopped() {
                return Err(self.run_error(RunError::Interrupted("interrupted".into()), span));
            }
            let index = Val::int(k);
            let item = self.compute("for", span, |lower| lower.source_at(&source, &index, span))?;
            let mut inner = scope.clone();
            self.bind(&mut inner, &binding.pattern, &item, span)?;
            if let Some(condition) = condition {
                let c = self.compute("while", condition.span, |lower| lower.condition(&inner, condition))?;
                if known_bool(&c) == Some(false) {
                    break;
                }
            }
            self.indices.push(index);
            let result = self.top_statements(&mut inner, &body.items, false);
            self.indices.pop();
            result?;
        }
        Ok(())
    }

    fn top_if(&mut self, scope: &Scope, arms: &IfBlock) -> Res<()> {
        let execute = self.host.options().execute;
        let mut result = Ok(());
        for (condition, body) in &arms.arms {
            let c = self.compute("if", condition.span, |lower| lower.condition(scope, condition))?;
            if !execute || known_bool(&c) == Some(true) {
                let mut inner = scope.clone();
                let done = self.top_statements(&mut inner, &body.items, false);
                if execute {
                    return done;
                }
                result = result.and(done);
            }
        }
        if let Some(body) = &arms.otherwise {
            let mut inner = scope.clone();
            result = result.and(self.top_statements(&mut inner, &body.items, false));
        }
        result
    }

    fn print(&mut self, scope: &Scope, args: &[Arg], span: Span) -> Res<()> {
        let mut vals = Vec::new();
        for arg in args {
            let name = arg.name.as_ref().map(|n| n.name.clone());
            let val = match &arg.value {
                ArgValue::Expr(e) => self.compute("print", e.span, |lower| lower.expr(scope, e))?,
                ArgValue::Generator(g, at) => {
                    self.compute("print", *at, |lower| lower.comprehension(scope, g, *at))?
                }
            };
            vals.push((name, val));
        }
        if !self.host.options().execute {
            return Ok(());
        }
        match self.host.print(&vals, span) {
            Ok(()) => Ok(()),
            Err(report) => self.fail(*report),
        }
    }

    fn save(&mut self, scope: &Scope, value: &Expr, path: &Expr, span: Span) -> Res<()> {
        let val = self.compute("save", value.span, |lower| {
            let val = lower.expr(scope, value)?;
            match &val {
                Val::Range(..) => {
                    let source = lower.source(&val, value.span, false)?;
                    lower.range_array(&source, value.span)
                }
                Val::Fit(fit) => Ok(Val::record(fit.params.clone())),
                _ => Ok(val),
            }
        })?;
        let to = self.path(scope, path)?;
        match self.host.save(&val, &to, span) {
            Ok(()) => Ok(()),
            Err(report) => self.fail(*report),
        }
    }

    /// Where something is written to.
    pub(super) fn path(&mut self, scope: &Scope, path: &Expr) -> Res<Arc<str>> {
        match self.compute("path", path.span, |lower| lower.expr(scope, path))? {
            Val::Str(to) => Ok(to),
            other => self.fail(errors::wrong_elem(path.span, "a path in quotes", &other.describe())),
        }
    }

    fn assert(&mut self, scope: &Scope, condition: &Expr, message: Option<&Expr>, span: Span) -> Res<()> {
        let c = self.compute("assert", condition.span, |lower| {
            let c = lower.expr(scope, condition)?;
            match c.ty() {
                Some(ty) if ty.elem == crate::ir::Elem::Bool && ty.rank() == 0 => Ok(c),
                Some(ty) if ty.elem == crate::ir::Elem::Bool => {
                    lower.fail(errors::condition_is_array(condition.span, &ty.to_string()))
                }
                _ => lower.fail(errors::condition_kind(condition.span, &c.describe())),
            }
        })?;
        let text = match message {
            Some(e) => match self.compute("assert", e.span, |lower| lower.expr(scope, e))? {
                Val::Str(text) => Some(text.to_string()),
                other => return self.fail(errors::wrong_elem(e.span, "a text in quotes", &other.describe())),
            },
            None => None,
        };
        if !self.host.options().execute {
            return Ok(());
        }
        let held = known_bool(&c) == Some(true);
        let detail = if held { None } else { self.sides(scope, condition) };
        self.host.assertion(held, text.as_deref(), detail, span);
        Ok(())
    }

    /// The two sides of a comparison that does not hold.
    fn sides(&mut self, scope: &Scope, condition: &Expr) -> Option<String> {
        let ExprKind::Compare { first, rest } = &*condition.kind else { return None };
        let [(op, _, right)] = rest.as_slice() else { return None };
        let mut side = |e: &Expr| {
            let val = self.compute("assert", e.span, |lower| lower.expr(scope, e)).ok()?;
            match &val {
                Val::Known(t) if t.len() == 1 => Some(in_full(t.to_reals()[0])),
                Val::Int(dim) => Some(dim.to_string()),
                _ => None,
            }
        };
        let (a, b) = (side(first)?, side(right)?);
        Some(format!("{a} {} {b}", op.text()))
    }

    fn import_file(
        &mut self,
        scope: &mut Scope,
        path: &str,
        span: Span,
        name: Option<&crate::syntax::ast::Ident>,
    ) -> Res<()> {
        let file = match self.host.import(path, span) {
            Ok(file) => file,
            Err(report) => return self.fail(*report),
        };
        if self.importing.iter().any(|around| Rc::ptr_eq(around, &file)) {
            return self.fail(errors::import_cycle(span, path));
        }
        let outer = self.globals.clone();
        if name.is_some() {
            self.globals = Scope::default();
        }
        let mut inner = if name.is_some() { Scope::default() } else { scope.clone() };
        self.declare_all(&mut inner, &file.items);
        self.globals = inner.clone();
        self.importing.push(file.clone());
        let result = self.top_statements(&mut inner, &file.items, true);
        self.importing.pop();
        match name {
            None => *scope = inner,
            Some(name) => {
                let mut fields = Vec::new();
                for field in inner.names().into_iter().rev() {
                    if let Some(Slot::Let(val, _)) = inner.get(&field) {
                        fields.push((field.clone(), home_of(val, &inner)));
                    }
                }
                self.globals = outer;
                *scope = scope.with(&name.name, Slot::Let(Val::record(fields), name.span));
            }
        }
        result
    }

    /// The value of an `input`: from the command line, or its default.
    fn input(
        &mut self,
        scope: &Scope,
        name: &str,
        span: Span,
        ty: Option<&crate::syntax::ast::TypeExpr>,
        default: Option<&Expr>,
    ) -> Res<Val> {
        let given = self.host.input(name);
        let val = match (given, default) {
            (Some(text), _) => match crate::syntax::parse_expr(FileId(u32::MAX), &text) {
                Ok(e) => {
                    let before = self.reports.len();
                    let val = self.compute("input", span, |lower| lower.expr(&Scope::default(), &e));
                    match val {
                        Ok(val) => val,
                        Err(_) => {
                            self.reports.truncate(before);
                            Val::text(&text)
                        }
                    }
                }
                Err(_) => Val::text(&text),
            },
            (None, Some(e)) => self.compute("input", e.span, |lower| lower.expr(scope, e))?,
            (None, None) => return self.fail(errors::input_missing(span, name)),
        };
        let Some(ty) = ty else { return Ok(val) };
        let val = self.compute("input", span, |lower| lower.fit(ty, &val, span, scope))?;
        Ok(val)
    }
}

/// A number with all its digits.
fn in_full(x: f64) -> String {
    if x == 0.0 || (1e-4..1e16).contains(&x.abs()) { format!("{x}") } else { format!("{x:e}") }
}

/// Functions of an imported module see the module's names.
fn home_of(val: &Val, home: &Scope) -> Val {
    let Val::Function(function) = val else { return val.clone() };
    match &**function {
        Function::User { decl, .. } => {
            Val::Function(Rc::new(Function::User { decl: decl.clone(), scope: home.clone() }))
        }
        Function::Native(native) => {
            let call: NativeCall = native.call.clone();
            let native = Native { name: native.name.clone(), call, role: Role::Plain };
            Val::Function(Rc::new(Function::Native(native)))
        }
        _ => val.clone(),
    }
}

fn declared_span(item: &Stmt) -> Span {
    match &item.kind {
        StmtKind::Fn(decl) => decl.name.span,
        StmtKind::Objective(decl) => decl.name.span,
        StmtKind::Optimizer(decl) => decl.name.span,
        StmtKind::Members(decl) => decl.name.span,
        StmtKind::Type(decl) => decl.name.span,
        StmtKind::Primitive(decl) => decl.name.span,
        _ => item.span,
    }
}

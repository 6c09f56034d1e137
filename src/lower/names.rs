//! Names in declarations that may never be elaborated: functions without declared types, objectives
//! and optimizers that nothing uses. What is elaborated reports its names itself.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use super::{Lower, errors};
use crate::diag::Span;
use crate::syntax::ast::{
    Arg, ArgValue, Binding, Block, Expr, ExprKind, File, Generator, Ident, ParamDecl, ParamSpec, ParamStart,
    Pattern, SolveExpr, Stmt, StmtKind, TypeExpr, TypeKind,
};

/// The names known at a place, innermost last. Those of the file are shared by all its declarations.
#[derive(Clone, Default)]
struct Known {
    file: Rc<FileNames>,
    own: Vec<Arc<str>>,
}

/// The names of a file, in its order.
#[derive(Default)]
struct FileNames {
    all: Vec<Arc<str>>,
    set: HashSet<Arc<str>>,
}

impl Known {
    fn push(&mut self, name: Arc<str>) {
        self.own.push(name);
    }

    fn extend(&mut self, names: impl IntoIterator<Item = Arc<str>>) {
        self.own.extend(names);
    }

    fn contains(&self, name: &Arc<str>) -> bool {
        self.own.contains(name) || self.file.set.contains(name)
    }

    /// All of them, for a report.
    fn all(&self) -> Vec<Arc<str>> {
        self.file.all.iter().chain(&self.own).cloned().collect()
    }
}

/// Names with a meaning in the body of an optimizer.
const OPTIMIZER: [&str; 4] = ["x", "g", "f", "t"];
/// Names with a meaning in a stopping condition.
const FIGURES: [&str; 8] =
    ["steps", "epochs", "loss", "grad_norm", "change", "evals", "seconds", "violation"];

impl Lower<'_> {
    /// Reports names that mean nothing in the declarations of a file.
    pub(crate) fn check_names(&mut self, file: &File) {
        let mut top = Known::default();
        for item in &file.items {
            declared(item, &mut top);
            if let StmtKind::Let { pattern, .. }
            | StmtKind::Var { pattern, .. }
            | StmtKind::Draw { pattern, .. } = &item.kind
            {
                places(pattern, &mut self.top);
            }
        }
        top.extend(self.globals.names());
        let set = top.own.iter().cloned().collect();
        let top = Known { file: Rc::new(FileNames { all: top.own, set }), own: Vec::new() };
        for item in &file.items {
            match &item.kind {
                StmtKind::Fn(decl) => {
                    let mut known = top.clone();
                    self.names_params(&decl.params, &mut known);
                    if let Some(ty) = &decl.result {
                        dims_of(ty, &mut known);
                    }
                    self.names_expr(&decl.body, &known);
                    if let Some(clause) = &decl.derivative {
                        let mut inner = known.clone();
                        inner.extend(clause.params.iter().map(|p| p.name.clone()));
                        self.names_expr(&clause.body, &inner);
                    }
                }
                StmtKind::Objective(decl) => {
                    let mut known = top.clone();
                    self.names_params(&decl.params, &mut known);
                    self.names_block(&decl.body, &known);
                }
                StmtKind::Optimizer(decl) => {
                    let mut known = top.clone();
                    known.extend(OPTIMIZER.iter().map(|n| Arc::from(*n)));
                    known.push(Arc::from("steps"));
                    self.names_params(&decl.params, &mut known);
                    self.names_block(&decl.body, &known);
                }
                _ => {}
            }
        }
    }

    fn names_params(&mut self, params: &[ParamSpec], known: &mut Known) {
        for param in params {
            if let Some(ty) = &param.ty {
                dims_of(ty, known);
            }
            if let Some(default) = &param.default {
                self.names_expr(default, known);
            }
            known.push(param.name.name.clone());
        }
    }

    /// Statements in order; names bound by one are known to the next.
    fn names_block(&mut self, block: &Block, known: &Known) {
        let mut known = known.clone();
        for item in &block.items {
            if let StmtKind::Fn(decl) = &item.kind {
                known.push(decl.name.name.clone());
            }
        }
        for item in &block.items {
            self.names_stmt(item, &mut known);
        }
    }

    fn names_stmt(&mut self, item: &Stmt, known: &mut Known) {
        match &item.kind {
            StmtKind::Let { pattern, value, .. } | StmtKind::Var { pattern, value, .. } => {
                self.names_expr(value, known);
                bound(pattern, known);
            }
            StmtKind::Draw { pattern, source, given, .. } => {
                self.names_expr(source, known);
                given.iter().for_each(|e| self.names_expr(e, known));
                bound(pattern, known);
            }
            StmtKind::Assign { place, value, .. } => {
                if let Some(name) = super::walk::root(place)
                    && !known.contains(name)
                    && &**name != "step"
                {
                    let home = home(known);
                    self.report(errors::assigned_unknown(place.span, name, home));
                    known.push(name.clone());
                }
                self.names_expr(value, known);
            }
            StmtKind::For { binding, condition, body } => {
                self.names_expr(&binding.source, known);
                let mut inner = known.clone();
                bound(&binding.pattern, &mut inner);
                condition.iter().for_each(|e| self.names_expr(e, &inner));
                self.names_block(body, &inner);
            }
            StmtKind::If(arms) => {
                for (condition, body) in &arms.arms {
                    self.names_expr(condition, known);
                    self.names_block(body, known);
                }
                arms.otherwise.iter().for_each(|body| self.names_block(body, known));
            }
            StmtKind::Fn(decl) => {
                let mut inner = known.clone();
                self.names_params(&decl.params, &mut inner);
                self.names_expr(&decl.body, &inner);
            }
            StmtKind::Param(param) => self.names_param(param, known),
            StmtKind::Clause(clause) => clause.values.iter().for_each(|e| self.names_expr(e, known)),
            StmtKind::Report { name, value } => {
                self.names_expr(value, known);
                known.push(name.name.clone());
            }
            StmtKind::State(states) => {
                for (name, _, e) in states {
                    self.names_expr(e, known);
                    known.push(name.name.clone());
                }
            }
            StmtKind::Step(body) => self.names_block(body, known),
            StmtKind::Answer { value, .. } => self.names_expr(value, known),
            StmtKind::Stop { condition, .. } => self.names_expr(condition, known),
            StmtKind::Expr(e) => self.names_expr(e, known),
            StmtKind::Print(_)
            | StmtKind::Plot { .. }
            | StmtKind::Save { .. }
            | StmtKind::Assert { .. }
            | StmtKind::Primitive(_)
            | StmtKind::Rule(_)
            | StmtKind::Type(_)
            | StmtKind::Objective(_)
            | StmtKind::Optimizer(_)
            | StmtKind::Members(_)
            | StmtKind::Test(_)
            | StmtKind::Import { .. }
            | StmtKind::Input { .. }
            | StmtKind::Precision(_)
            | StmtKind::Players(_)
            | StmtKind::Error => {}
            StmtKind::Each { name, ty, body } => self.names_each(name, ty.as_ref(), body, known),
            StmtKind::Otherwise(e) => self.names_expr(e, known),
        }
    }

    fn names_param(&mut self, param: &ParamDecl, known: &mut Known) {
        if let Some(ty) = &param.ty {
            self.names_dims(ty, known);
        }
        match &param.start {
            Some(ParamStart::Value(e) | ParamStart::Draw(e)) => self.names_expr(e, known),
            None => {}
        }
        known.push(param.name.name.clone());
    }

    fn names_each(&mut self, name: &Ident, ty: Option<&TypeExpr>, body: &Block, known: &Known) {
        let mut inner = known.clone();
        inner.push(name.name.clone());
        if let Some(ty) = ty {
            dims_of(ty, &mut inner);
        }
        self.names_block(body, &inner);
    }

    fn names_dims(&mut self, ty: &TypeExpr, known: &Known) {
        if let TypeKind::Named { dims, .. } = &ty.kind {
            dims.iter().for_each(|e| self.names_expr(e, known));
        }
    }

    fn names_args(&mut self, args: &[Arg], known: &Known) {
        for arg in args {
            match &arg.value {
                // `wrt = (a, b)` names parameters of the function.
                ArgValue::Expr(_) if arg.name.as_ref().is_some_and(|n| &*n.name == "wrt") => {}
                ArgValue::Expr(e) => self.names_expr(e, known),
                ArgValue::Generator(g, _) => self.names_generator(g, known),
            }
        }
    }

    fn names_bindings(&mut self, bindings: &[Binding], known: &mut Known) {
        for binding in bindings {
            self.names_expr(&binding.source, known);
            bound(&binding.pattern, known);
        }
    }

    fn names_generator(&mut self, g: &Generator, known: &Known) {
        let mut inner = known.clone();
        self.names_bindings(&g.bindings, &mut inner);
        g.filter.iter().for_each(|e| self.names_expr(e, &inner));
        self.names_expr(&g.body, &inner);
    }

    fn names_in_solve(&mut self, solve: &SolveExpr, known: &Known) {
        let mut inner = known.clone();
        for param in &solve.over {
            match &param.start {
                Some(ParamStart::Value(e) | ParamStart::Draw(e)) => self.names_expr(e, known),
                None => {}
            }
            inner.push(param.name.name.clone());
        }
        solve.values.iter().for_each(|e| self.names_expr(e, &inner));
        [&solve.from, &solve.using].into_iter().flatten().for_each(|e| self.names_expr(e, known));
        if let Some(until) = &solve.until
            && !solve.over.is_empty()
            && solve.using.is_none()
        {
            // Reports of an objective or optimizer are names as well; here there are neither.
            inner.extend(FIGURES.iter().map(|n| Arc::from(*n)));
            self.names_expr(until, &inner);
        }
        let mut options = known.clone();
        options.extend(["implicit", "unroll", "neumann"].map(Arc::from));
        self.names_args(&solve.options, &options);
    }

    /// The names in an expression.
    fn names_expr(&mut self, e: &Expr, known: &Known) {
        match &*e.kind {
            ExprKind::Name(name) => self.known_name(e, name, known),
            ExprKind::Lambda { params, body } => {
                let mut inner = known.clone();
                params.iter().for_each(|p| bound(p, &mut inner));
                self.names_expr(body, &inner);
            }
            ExprKind::Comprehension(g) => self.names_generator(g, known),
            ExprKind::Call { function, args } => {
                if !is_interval(function) {
                    self.names_expr(function, known);
                }
                self.names_args(args, known);
            }
            ExprKind::Block(block) => self.names_block(block, known),
            ExprKind::IfBlock(arms) => {
                for (condition, body) in &arms.arms {
                    self.names_expr(condition, known);
                    self.names_block(body, known);
                }
                arms.otherwise.iter().for_each(|body| self.names_block(body, known));
            }
            ExprKind::Solve(solve) => self.names_in_solve(solve, known),
            ExprKind::With { value, .. } => self.names_expr(value, known),
            ExprKind::Bound(_) => {}
            _ => {
                // Everything else only holds expressions: look one level down.
                let mut inner: Vec<&Expr> = Vec::new();
                let mut first = true;
                super::walk::expr(e, &mut |part| {
                    let here = std::mem::replace(&mut first, false);
                    if !here {
                        inner.push(part);
                    }
                    here
                });
                inner.into_iter().for_each(|part| self.names_expr(part, known));
            }
        }
    }

    fn known_name(&mut self, e: &Expr, name: &Arc<str>, known: &Known) {
        let builtin = super::builtins::names().any(|n| n == &**name);
        if builtin || known.contains(name) || self.host.library_names().contains(name) {
            return;
        }
        let report = errors::unknown_name(e.span, name, home(known), &known.all(), &self.library_words());
        self.report(report);
    }
}

/// Whether the names are those in the body of an optimizer.
fn home(known: &Known) -> errors::Home {
    let given = OPTIMIZER.iter().all(|given| known.contains(&Arc::from(*given)));
    if given { errors::Home::Optimizer } else { errors::Home::Other }
}

/// The names of a pattern with their places.
fn places(pattern: &Pattern, into: &mut Vec<(Arc<str>, Span)>) {
    match pattern {
        Pattern::Name(name) => into.push((name.name.clone(), name.span)),
        Pattern::Tuple(patterns, _) => patterns.iter().for_each(|part| places(part, into)),
    }
}

fn is_interval(function: &Expr) -> bool {
    matches!(&*function.kind, ExprKind::Name(name) if &**name == "interval")
}

/// The names that a top-level statement binds.
fn declared(item: &Stmt, known: &mut Known) {
    match &item.kind {
        StmtKind::Fn(decl) => known.push(decl.name.name.clone()),
        StmtKind::Primitive(decl) => known.push(decl.name.name.clone()),
        StmtKind::Type(decl) => known.push(decl.name.name.clone()),
        StmtKind::Objective(decl) => known.push(decl.name.name.clone()),
        StmtKind::Optimizer(decl) => known.push(decl.name.name.clone()),
        StmtKind::Members(decl) => known.push(decl.name.name.clone()),
        StmtKind::Import { name: Some(name), .. } | StmtKind::Input { name, .. } => {
            known.push(name.name.clone());
        }
        StmtKind::Let { pattern, .. } | StmtKind::Var { pattern, .. } | StmtKind::Draw { pattern, .. } => {
            bound(pattern, known);
        }
        _ => {}
    }
}

fn bound(pattern: &Pattern, known: &mut Known) {
    match pattern {
        Pattern::Name(name) => known.push(name.name.clone()),
        Pattern::Tuple(patterns, _) => patterns.iter().for_each(|p| bound(p, known)),
    }
}

/// The names in the dimensions of a type.
fn dims_of(ty: &TypeExpr, known: &mut Known) {
    match &ty.kind {
        TypeKind::Named { args, dims, .. } => {
            for e in args.iter().chain(dims) {
                super::walk::expr(e, &mut |e| {
                    if let ExprKind::Name(name) = &*e.kind {
                        known.push(name.clone());
                    }
                    true
                });
            }
        }
        TypeKind::Record { fields, .. } => fields.iter().for_each(|(_, ty)| dims_of(ty, known)),
        TypeKind::Tuple { items, .. } => items.iter().for_each(|ty| dims_of(ty, known)),
        TypeKind::Function { params, result } => {
            params.iter().for_each(|ty| dims_of(ty, known));
            dims_of(result, known);
        }
    }
}

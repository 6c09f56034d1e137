//! Questions about trees: does it solve, which names does it assign, which does it mention.

use std::sync::Arc;

use crate::syntax::ast::{
    Arg, ArgValue, Block, Constraint, Expr, ExprKind, Generator, Ident, ParamDecl, ParamStart, Pattern,
    SolveExpr, Stmt, StmtKind,
};

/// Calls `see` on every expression below a statement, outermost first; `see` gives whether to go on
/// inside.
pub(crate) fn stmt_exprs<'a>(stmt: &'a Stmt, see: &mut dyn FnMut(&'a Expr) -> bool) {
    match &stmt.kind {
        StmtKind::Let { value, .. } | StmtKind::Var { value, .. } => expr(value, see),
        StmtKind::Draw { source, given, .. } => {
            expr(source, see);
            given.iter().for_each(|e| expr(e, see));
        }
        StmtKind::Assign { place, value, .. } => {
            expr(place, see);
            expr(value, see);
        }
        StmtKind::For { binding, condition, body } => {
            expr(&binding.source, see);
            condition.iter().for_each(|e| expr(e, see));
            block(body, see);
        }
        StmtKind::If(arms) => {
            for (c, body) in &arms.arms {
                expr(c, see);
                block(body, see);
            }
            arms.otherwise.iter().for_each(|body| block(body, see));
        }
        StmtKind::Print(values) => args(values, see),
        StmtKind::Plot { values, path, options } => {
            args(values, see);
            path.iter().for_each(|e| expr(e, see));
            args(options, see);
        }
        StmtKind::Save { value, path } => {
            expr(value, see);
            expr(path, see);
        }
        StmtKind::Assert { condition, message } => {
            expr(condition, see);
            message.iter().for_each(|e| expr(e, see));
        }
        StmtKind::Expr(e) | StmtKind::Otherwise(e) => expr(e, see),
        StmtKind::Report { value, .. } => expr(value, see),
        StmtKind::State(states) => states.iter().for_each(|(_, _, e)| expr(e, see)),
        StmtKind::Step(body) | StmtKind::Each { body, .. } => block(body, see),
        StmtKind::Answer { value, more } => {
            expr(value, see);
            args(more, see);
        }
        StmtKind::Stop { condition, .. } => expr(condition, see),
        StmtKind::Fn(decl) => expr(&decl.body, see),
        StmtKind::Param(decl) => param(decl, see),
        StmtKind::Clause(clause) => {
            clause.values.iter().for_each(|e| expr(e, see));
            constraints(&clause.constraints, see);
        }
        StmtKind::Input { default, .. } => default.iter().for_each(|e| expr(e, see)),
        StmtKind::Objective(decl) => block(&decl.body, see),
        StmtKind::Optimizer(decl) => block(&decl.body, see),
        StmtKind::Test(decl) => block(&decl.body, see),
        StmtKind::Primitive(_)
        | StmtKind::Rule(_)
        | StmtKind::Type(_)
        | StmtKind::Members(_)
        | StmtKind::Import { .. }
        | StmtKind::Precision(_)
        | StmtKind::Players(_)
        | StmtKind::Error => {}
    }
}

/// [`stmt_exprs`] for every statement of a block.
pub(crate) fn block<'a>(block: &'a Block, see: &mut dyn FnMut(&'a Expr) -> bool) {
    block.items.iter().for_each(|stmt| stmt_exprs(stmt, see));
}

fn args<'a>(args: &'a [Arg], see: &mut dyn FnMut(&'a Expr) -> bool) {
    for arg in args {
        match &arg.value {
            ArgValue::Expr(e) => expr(e, see),
            ArgValue::Generator(g, _) => generator(g, see),
        }
    }
}

fn generator<'a>(g: &'a Generator, see: &mut dyn FnMut(&'a Expr) -> bool) {
    expr(&g.body, see);
    g.bindings.iter().for_each(|b| expr(&b.source, see));
    g.filter.iter().chain(&g.by).for_each(|e| expr(e, see));
}

fn constraints<'a>(constraints: &'a [Constraint], see: &mut dyn FnMut(&'a Expr) -> bool) {
    for constraint in constraints {
        expr(&constraint.value, see);
        constraint.family.iter().for_each(|b| expr(&b.source, see));
    }
}

fn param<'a>(decl: &'a ParamDecl, see: &mut dyn FnMut(&'a Expr) -> bool) {
    decl.set.iter().for_each(|e| expr(e, see));
    match &decl.start {
        Some(ParamStart::Value(e) | ParamStart::Draw(e)) => expr(e, see),
        None => {}
    }
}

fn solve<'a>(solve: &'a SolveExpr, see: &mut dyn FnMut(&'a Expr) -> bool) {
    solve.values.iter().for_each(|e| expr(e, see));
    solve.over.iter().for_each(|p| param(p, see));
    constraints(&solve.constraints, see);
    let parts = [&solve.from, &solve.using, &solve.until];
    parts.into_iter().flatten().for_each(|e| expr(e, see));
    args(&solve.options, see);
}

/// Calls `see` on an expression and, as long as it says so, on what is inside.
pub(crate) fn expr<'a>(e: &'a Expr, see: &mut dyn FnMut(&'a Expr) -> bool) {
    if !see(e) {
        return;
    }
    match &*e.kind {
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::Bool(_)
        | ExprKind::Str(_)
        | ExprKind::Name(_)
        | ExprKind::Error => {}
        ExprKind::Chain { first, rest } => {
            expr(first, see);
            rest.iter().for_each(|(_, _, e)| expr(e, see));
        }
        ExprKind::Compare { first, rest } => {
            expr(first, see);
            rest.iter().for_each(|(_, _, e)| expr(e, see));
        }
        ExprKind::Power(a, b) => {
            expr(a, see);
            expr(b, see);
        }
        ExprKind::Neg(a) | ExprKind::Not(a) | ExprKind::Transpose(a) | ExprKind::Paren(a) => {
            expr(a, see);
        }
        ExprKind::Range(a, b) => a.iter().chain(b).for_each(|e| expr(e, see)),
        ExprKind::Lambda { body, .. } => expr(body, see),
        ExprKind::If { arms, otherwise } => {
            for (c, a) in arms {
                expr(c, see);
                expr(a, see);
            }
            expr(otherwise, see);
        }
        ExprKind::IfBlock(arms) => {
            for (c, body) in &arms.arms {
                expr(c, see);
                block(body, see);
            }
            arms.otherwise.iter().for_each(|body| block(body, see));
        }
        ExprKind::Call { function, args: a } => {
            expr(function, see);
            args(a, see);
        }
        ExprKind::Index { base, args } => {
            expr(base, see);
            args.iter().for_each(|e| expr(e, see));
        }
        ExprKind::Field { base, .. } => expr(base, see),
        ExprKind::Array(items) | ExprKind::Tuple(items) => items.iter().for_each(|e| expr(e, see)),
        ExprKind::Comprehension(g) => generator(g, see),
        ExprKind::Record(fields) => fields.iter().for_each(|(_, e)| expr(e, see)),
        ExprKind::Block(b) => block(b, see),
        ExprKind::With { value, options } => {
            expr(value, see);
            args(options, see);
        }
        ExprKind::Solve(s) | ExprKind::Bound(s) => solve(s, see),
    }
}

/// Names that statements assign, in the order of their first assignment.
pub(crate) fn assigned(items: &[Stmt]) -> Vec<Arc<str>> {
    let mut names = Vec::new();
    assigned_in(items, &mut names);
    names
}

fn assigned_in(items: &[Stmt], names: &mut Vec<Arc<str>>) {
    for stmt in items {
        match &stmt.kind {
            StmtKind::Assign { place, .. } => {
                if let Some(name) = root(place)
                    && !names.contains(name)
                {
                    names.push(name.clone());
                }
            }
            StmtKind::Report { name, .. } => names.push(super::reported::hidden(&name.name)),
            StmtKind::For { body, .. } => assigned_in(&body.items, names),
            StmtKind::If(arms) => {
                arms.arms.iter().for_each(|(_, body)| assigned_in(&body.items, names));
                arms.otherwise.iter().for_each(|body| assigned_in(&body.items, names));
            }
            _ => {}
        }
    }
}

/// The name at the root of a place: `r` of `r.w[i]`.
pub(crate) fn root(place: &Expr) -> Option<&Arc<str>> {
    match &*place.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Index { base, .. } | ExprKind::Field { base, .. } => root(base),
        ExprKind::Paren(inner) => root(inner),
        _ => None,
    }
}

/// Whether a block prints, plots, saves or asserts at any depth.
pub(crate) fn speaks(body: &Block) -> bool {
    body.items.iter().any(|stmt| match &stmt.kind {
        StmtKind::Print(_) | StmtKind::Plot { .. } | StmtKind::Save { .. } | StmtKind::Assert { .. } => true,
        StmtKind::For { body, .. } => speaks(body),
        StmtKind::If(arms) => {
            arms.arms.iter().any(|(_, body)| speaks(body)) || arms.otherwise.as_ref().is_some_and(speaks)
        }
        _ => false,
    })
}

/// Whether an expression mentions one of some names.
pub(crate) fn mentions(e: &Expr, names: &[Arc<str>]) -> bool {
    let mut found = false;
    expr(e, &mut |e| {
        if let ExprKind::Name(name) = &*e.kind {
            found |= names.contains(name);
        }
        !found
    });
    found
}

/// Whether a statement mentions one of some names.
pub(crate) fn stmt_mentions(stmt: &Stmt, names: &[Arc<str>]) -> bool {
    let mut found = false;
    stmt_exprs(stmt, &mut |e| {
        if let ExprKind::Name(name) = &*e.kind {
            found |= names.contains(name);
        }
        !found
    });
    found
}

/// The `let`s of a loop's body whose value reads the name that they bind, where nothing behind reads it: what they
/// compute is lost with the turn.
pub(crate) fn lost_lets(body: &[Stmt]) -> Vec<&Ident> {
    let mut lost = Vec::new();
    for (at, item) in body.iter().enumerate() {
        if let StmtKind::Let { pattern: Pattern::Name(name), value, .. } = &item.kind {
            let names = std::slice::from_ref(&name.name);
            let read = body.iter().skip(at + 1).any(|item| stmt_mentions(item, names));
            if mentions(value, names) && !read {
                lost.push(name);
            }
        }
    }
    lost
}

/// The names that a pattern binds.
pub(crate) fn pattern_names(pattern: &Pattern, names: &mut Vec<Arc<str>>) {
    match pattern {
        Pattern::Name(name) => names.push(name.name.clone()),
        Pattern::Tuple(patterns, _) => patterns.iter().for_each(|p| pattern_names(p, names)),
    }
}

/// The name and the argument of a call `f(a)`.
pub(crate) fn call_of_one(e: &Expr) -> Option<(&str, &Expr)> {
    let ExprKind::Call { function, args } = &*e.kind else { return None };
    match (&*function.kind, args.as_slice()) {
        (ExprKind::Name(name), [Arg { name: None, value: ArgValue::Expr(arg) }]) => Some((name, arg)),
        _ => None,
    }
}

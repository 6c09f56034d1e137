//! What a step reads and assigns, as far as its text tells: gradients, integers.

use std::sync::Arc;

use super::optimizer::{OptimizerValue, Parts};
use super::running::inner_of;
use super::value::{Res, Slot, Val};
use super::{Lower, walk};
use crate::diag::Span;
use crate::ir::Elem;
use crate::syntax::ast::{ArgValue, BinOp, Expr, ExprKind};

impl Lower<'_> {
    /// Integer states that the step assigns reals to start as reals.
    pub(super) fn settle_states(&mut self, span: Span, parts: &Parts<'_>, states: &[Val]) -> Res<Vec<Val>> {
        let mut out = Vec::new();
        for (val, (name, ty, _)) in states.iter().zip(&parts.states) {
            let mut leaves = Vec::new();
            for leaf in val.leaves().unwrap_or_default() {
                let int = leaf.ty().is_some_and(|ty| ty.elem == Elem::Int);
                let stays = ty.is_some() || self.stays_int(parts, &name.name);
                let leaf = if int && !stays { self.cast(&leaf, Elem::Real, span)? } else { leaf };
                leaves.push(leaf);
            }
            out.push(val.rebuild(&mut leaves.into_iter()));
        }
        Ok(out)
    }

    /// Whether a state is only ever assigned integer expressions, as far as literals tell: `k = 0`,
    /// `k += 1`, `k = (k + 1) mod m`.
    fn stays_int(&self, parts: &Parts<'_>, name: &Arc<str>) -> bool {
        let mut int = true;
        assignments(parts.step, name, &mut |value| int &= looks_int(value, name));
        int
    }
}

/// Whether the optimizer looks at a gradient: it mentions `g`, `grad`, `value_and_grad`, `hvp` or
/// `hessian`, itself or through the functions it passes `f` to, or it takes an optimizer that does.
pub(super) fn uses_gradient(lower: &mut Lower<'_>, optimizer: &OptimizerValue) -> Res<bool> {
    looks_at_gradient(lower, optimizer, false)
}

/// The same of an optimizer that may be given its `g`, so that it need not be that of the objective.
fn looks_at_gradient(lower: &mut Lower<'_>, optimizer: &OptimizerValue, given: bool) -> Res<bool> {
    let parts = lower.optimizer_parts(&optimizer.decl)?;
    for (name, inner) in inner_of(optimizer) {
        if looks_at_gradient(lower, &inner, given || always_given_g(&parts, &name))? {
            return Ok(true);
        }
    }
    let words: Vec<Arc<str>> =
        ["g", "grad", "value_and_grad", "hvp", "hessian"].iter().map(|n| Arc::from(*n)).collect();
    let words = if given { words[1..].to_vec() } else { words };
    let mut found = false;
    let mut called: Vec<Arc<str>> = Vec::new();
    let mut note = |e: &Expr| {
        if let ExprKind::Name(name) = &*e.kind {
            found |= words.contains(name);
            if !called.contains(name) {
                called.push(name.clone());
            }
        }
        true
    };
    if !parts.each.is_empty() {
        return Ok(true);
    }
    for item in parts.step {
        walk::stmt_exprs(item, &mut |e| note(e));
    }
    for item in &parts.before {
        walk::stmt_exprs(item, &mut |e| note(e));
    }
    for (_, _, e) in &parts.states {
        walk::expr(e, &mut |e| note(e));
    }
    let derivatives: Vec<Arc<str>> = words.into_iter().filter(|word| **word != *"g").collect();
    let mut done: Vec<Arc<str>> = Vec::new();
    while let Some(name) = called.pop() {
        if found || done.contains(&name) {
            continue;
        }
        done.push(name.clone());
        let home = optimizer.home.clone();
        let own = lower.slot(&home, &name).cloned();
        let val = match own {
            Some(Slot::Let(val, _)) => Some(val),
            Some(Slot::Var(..)) => None,
            None => lower.library_value(&name).ok().flatten(),
        };
        if let Some(Val::Function(function)) = val
            && let super::Function::User { decl, .. } = &*function
        {
            walk::expr(&decl.body, &mut |e| {
                if let ExprKind::Name(name) = &*e.kind {
                    found |= derivatives.contains(name);
                    called.push(name.clone());
                }
                true
            });
        }
    }
    Ok(found)
}

/// Whether a step runs an optimizer that it takes, by `NAME.step(g = …)` only.
fn always_given_g(parts: &Parts<'_>, name: &str) -> bool {
    let is_name = |e: &Expr| matches!(&*e.kind, ExprKind::Name(found) if **found == *name);
    let (mut names, mut fields, mut steps, mut given) = (0, 0, 0, 0);
    for item in parts.step {
        walk::stmt_exprs(item, &mut |e| {
            match &*e.kind {
                ExprKind::Name(_) => names += usize::from(is_name(e)),
                ExprKind::Field { base, field } if is_name(base) => {
                    fields += 1;
                    steps += usize::from(&*field.name == "step");
                }
                ExprKind::Call { function, args } => {
                    let own = matches!(&*function.kind, ExprKind::Field { base, .. } if is_name(base));
                    let g = args.iter().any(|arg| arg.name.as_ref().is_some_and(|n| &*n.name == "g"));
                    given += usize::from(own && g);
                }
                _ => {}
            }
            true
        });
    }
    steps > 0 && names == fields && steps == given
}

/// Whether a step reads `g`, itself or in an optimizer that it does not give another.
pub(super) fn reads_g(lower: &mut Lower<'_>, optimizer: &OptimizerValue) -> Res<bool> {
    let parts = lower.optimizer_parts(&optimizer.decl)?;
    for (name, inner) in inner_of(optimizer) {
        if !always_given_g(&parts, &name) && reads_g(lower, &inner)? {
            return Ok(true);
        }
    }
    let g = [Arc::from("g")];
    let own = parts.step.iter().chain(parts.before.iter().copied()).any(|item| walk::stmt_mentions(item, &g));
    Ok(own || !parts.each.is_empty() || parts.states.iter().any(|(_, _, e)| walk::mentions(e, &g)))
}

/// Calls `see` on every value assigned to a name in a block.
fn assignments(items: &[crate::syntax::ast::Stmt], name: &Arc<str>, see: &mut dyn FnMut(&Expr)) {
    use crate::syntax::ast::StmtKind;
    for stmt in items {
        match &stmt.kind {
            StmtKind::Assign { place, op, value } if walk::root(place) == Some(name) => {
                if matches!(op, Some(BinOp::Div)) {
                    see(place);
                }
                see(value);
            }
            StmtKind::For { body, .. } => assignments(&body.items, name, see),
            StmtKind::If(arms) => {
                arms.arms.iter().for_each(|(_, body)| assignments(&body.items, name, see));
                arms.otherwise.iter().for_each(|body| assignments(&body.items, name, see));
            }
            _ => {}
        }
    }
}

/// Whether an expression is made of integer literals, the name itself, and integer operators.
fn looks_int(e: &Expr, name: &Arc<str>) -> bool {
    match &*e.kind {
        ExprKind::Int(_) => true,
        ExprKind::Name(n) => n == name || matches!(&**n, "t" | "m" | "n"),
        ExprKind::Paren(inner) | ExprKind::Neg(inner) => looks_int(inner, name),
        ExprKind::Chain { first, rest } => {
            looks_int(first, name)
                && rest
                    .iter()
                    .all(|(op, _, e)| !matches!(op, BinOp::Div | BinOp::MatMul) && looks_int(e, name))
        }
        ExprKind::If { arms, otherwise } => {
            arms.iter().all(|(_, e)| looks_int(e, name)) && looks_int(otherwise, name)
        }
        ExprKind::Call { function, args } => {
            matches!(&*function.kind, ExprKind::Name(n) if matches!(&**n, "min" | "max" | "int"))
                && (matches!(&*function.kind, ExprKind::Name(n) if &**n == "int")
                    || args.iter().all(|a| matches!(&a.value, ArgValue::Expr(e) if looks_int(e, name))))
        }
        _ => false,
    }
}

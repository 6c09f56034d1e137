//! Names for cotangents: `dP` is that of `let P = …`.
//!
//! Each array that a function names is given a shift, which is zero. The derivative in the shift is
//! the cotangent of the array.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::Lower;
use super::value::{Argument, Function, NativeCall, Res, Scope, Slot, Val};
use crate::diag::Span;
use crate::ir::{Elem, Ty};
use crate::ops::Emit;
use crate::syntax::ast::{Arg, ArgValue, Block, Expr, ExprKind, FnDecl, Pattern, StmtKind};

/// A function whose named arrays can be shifted.
pub(super) struct Shifted {
    /// The function.
    pub f: Val,
    state: Rc<RefCell<State>>,
}

struct State {
    names: Vec<Arc<str>>,
    /// The types of the arrays, where they have been met.
    types: Vec<Option<Ty>>,
    /// The shifts, once they are given.
    shifts: Vec<Option<Val>>,
}

impl Shifted {
    /// The function of a declaration, whose outermost `let`s are looked at, with the names around it.
    pub fn new(decl: &Arc<FnDecl>, home: &Scope) -> Shifted {
        let mut names = Vec::new();
        let mut decl = (**decl).clone();
        if let ExprKind::Block(block) = &mut *decl.body.kind {
            shift(block, &mut names);
        }
        let (types, shifts) = (vec![None; names.len()], vec![None; names.len()]);
        let mut scope = home.clone();
        let state = Rc::new(RefCell::new(State { names, types, shifts }));
        for at in 0..state.borrow().names.len() {
            let state = state.clone();
            let call: NativeCall = Rc::new(move |lower, args, span| meet(lower, &state, at, args, span));
            scope = scope.with(&word(at), Slot::Let(Val::native("a shift", call), decl.name.span));
        }
        let f = Val::Function(Rc::new(Function::User { decl: Arc::new(decl), scope }));
        Shifted { f, state }
    }

    /// After the function was walked once: the names of the arrays it met, and a shift of zero for each.
    pub fn zeros(&self, lower: &mut Lower<'_>) -> (Vec<Arc<str>>, Vec<Val>) {
        let state = self.state.borrow();
        let met = state.names.iter().zip(&state.types).filter_map(|(n, ty)| ty.clone().map(|ty| (n, ty)));
        met.map(|(name, ty)| {
            let zero = lower.build().zeros(&ty);
            (cotangent(name), lower.wrap(zero))
        })
        .unzip()
    }

    /// The function of its arguments and, behind them, the shifts of all arrays that were met.
    pub fn of_shifts(&self, arguments: usize) -> Val {
        let (f, state) = (self.f.clone(), self.state.clone());
        let call: NativeCall = Rc::new(move |lower, mut args, span| {
            let mut shifts = args.split_off(arguments).into_iter();
            {
                let state = &mut *state.borrow_mut();
                for (shift, ty) in state.shifts.iter_mut().zip(&state.types) {
                    *shift = if ty.is_some() { shifts.next().map(|arg| arg.value) } else { None };
                }
            }
            lower.call(&f, args, span)
        });
        Val::native("f", call)
    }
}

/// What stands around the value of a `let`: looks at it, or shifts it.
fn meet(
    lower: &mut Lower<'_>,
    state: &Rc<RefCell<State>>,
    at: usize,
    args: Vec<Argument>,
    span: Span,
) -> Res<Val> {
    let value = lower.one_argument("a shift", args, span)?.value;
    let shift = state.borrow().shifts[at].clone();
    if let Some(shift) = shift {
        return lower.arith("add", (&value, span), (&shift, span), span);
    }
    if let Val::Staged(staged) = &value
        && staged.ty.elem == Elem::Real
    {
        state.borrow_mut().types[at] = Some(staged.ty.clone());
    }
    Ok(value)
}

/// `let P = e` becomes `let P = word(e)`.
fn shift(block: &mut Block, names: &mut Vec<Arc<str>>) {
    for item in &mut block.items {
        if let StmtKind::Let { pattern: Pattern::Name(name), ty: None, value } = &mut item.kind {
            let function =
                Expr { kind: Box::new(ExprKind::Name(word(names.len()))), span: value.span, depth: 1 };
            let args = vec![Arg { name: None, value: ArgValue::Expr(value.clone()) }];
            *value = Expr { kind: Box::new(ExprKind::Call { function, args }), ..value.clone() };
            names.push(name.name.clone());
        }
    }
}

/// A name that no program can write.
fn word(at: usize) -> Arc<str> {
    Arc::from(format!("shift {at}"))
}

/// `dP`, `d_logits`.
fn cotangent(name: &str) -> Arc<str> {
    let joint = if name.chars().count() == 1 { "" } else { "_" };
    Arc::from(format!("d{joint}{name}"))
}

//! Declarations as values.

use std::rc::Rc;
use std::sync::Arc;

use super::value::{Function, Native, NativeCall, Res, Role, Scope, Slot, Val};
use super::{Lower, errors};
use crate::math::Prim;
use crate::syntax::ast::{Stmt, StmtKind};

/// The name and value of a declaration; `None` for other statements.
pub(crate) fn declaration(item: &Stmt, scope: &Scope) -> Option<(Arc<str>, Val)> {
    let function = |function| Val::Function(Rc::new(function));
    match &item.kind {
        StmtKind::Fn(decl) => {
            let value = Function::User { decl: decl.clone(), scope: scope.clone() };
            Some((decl.name.name.clone(), function(value)))
        }
        StmtKind::Primitive(decl) => {
            let prim = Prim::named(&decl.native)?;
            Some((decl.name.name.clone(), function(Function::Primitive(prim))))
        }
        StmtKind::Type(decl) => {
            let value = Function::Type(decl.clone(), scope.clone());
            Some((decl.name.name.clone(), function(value)))
        }
        StmtKind::Objective(decl) => {
            let (decl, home) = (decl.clone(), scope.clone());
            let name = decl.name.name.clone();
            let call: NativeCall =
                Rc::new(move |lower, args, span| lower.make_objective(&decl, &home, args, span));
            Some((name.clone(), constructor(&name, call, Role::Objective(scope.clone()))))
        }
        StmtKind::Optimizer(decl) => {
            let (decl, home) = (decl.clone(), scope.clone());
            let name = decl.name.name.clone();
            let call: NativeCall =
                Rc::new(move |lower, args, span| lower.make_optimizer(&decl, &home, args, span));
            Some((name.clone(), constructor(&name, call, Role::Plain)))
        }
        StmtKind::Members(decl) => {
            let (decl, made, home) = (decl.clone(), decl.clone(), scope.clone());
            let name = decl.name.name.clone();
            let call: NativeCall =
                Rc::new(move |lower, args, span| lower.make_members(&made, &home, args, span));
            let role = if decl.distribution { Role::Distribution(decl) } else { Role::Plain };
            Some((name.clone(), function(Function::Native(Native { name, call, role }))))
        }
        _ => None,
    }
}

fn constructor(name: &Arc<str>, call: NativeCall, role: Role) -> Val {
    Val::Function(Rc::new(Function::Native(Native { name: name.clone(), call, role })))
}

impl Lower<'_> {
    /// A declaration inside a block.
    pub(crate) fn declare(&mut self, scope: &mut Scope, item: &Stmt) -> Res<()> {
        match declaration(item, scope) {
            Some((name, value)) => {
                *scope = scope.with(&name, Slot::Let(value, item.span));
                Ok(())
            }
            None => self.fail(errors::not_here(item.span)),
        }
    }
}

//! Types as written: fitting a value to one, binding the names in its dimensions.

use std::rc::Rc;
use std::sync::Arc;

use super::value::{Function, Record, Res, Scope, Slot, Val};
use super::{Lower, errors};
use crate::diag::Span;
use crate::ir::{Dim, Elem, Ty};
use crate::syntax::ast::{Expr, ExprKind, TypeDecl, TypeExpr, TypeKind};

/// Which names a signature has bound so far; `None` where dimensions may not bind names.
pub(crate) type Bound = Option<Vec<Arc<str>>>;

impl Lower<'_> {
    /// Fits a value to a declared type whose dimensions are known: converts integers to reals and
    /// repeats a scalar.
    pub(crate) fn fit(&mut self, ty: &TypeExpr, val: &Val, span: Span, scope: &Scope) -> Res<Val> {
        let mut scope = scope.clone();
        self.fit_in(ty, val, span, &mut scope, &mut None)
    }

    /// Fits an argument to a parameter's type, binding the names in its dimensions.
    pub(crate) fn fit_in(
        &mut self,
        ty: &TypeExpr,
        val: &Val,
        span: Span,
        scope: &mut Scope,
        bound: &mut Bound,
    ) -> Res<Val> {
        if matches!(val, Val::Poison) {
            return Err(super::Poisoned);
        }
        self.check_no_arguments(ty)?;
        match &ty.kind {
            TypeKind::Named { name, args, dims } => match &*name.name {
                "real" => self.fit_array(Elem::Real, dims, ty, val, span, scope, bound),
                "int" => self.fit_array(Elem::Int, dims, ty, val, span, scope, bound),
                "bool" => self.fit_array(Elem::Bool, dims, ty, val, span, scope, bound),
                "complex" => self.fail(errors::not_yet(ty.span, "`complex`")),
                "string" => match val {
                    Val::Str(_) | Val::Strs(_) => Ok(val.clone()),
                    _ => self.fail(errors::type_differs(span, "string", &val.describe(), ty.span)),
                },
                "optimizer" => match val {
                    Val::Optimizer(_) => Ok(val.clone()),
                    _ => self.fail(errors::type_differs(span, "an optimizer", &val.describe(), ty.span)),
                },
                "set" | "distribution" => match val {
                    Val::Members(_) => Ok(val.clone()),
                    _ => self.fail(errors::type_differs(span, &name.name, &val.describe(), ty.span)),
                },
                "table" => match val {
                    Val::Record(_) => Ok(val.clone()),
                    _ => self.fail(errors::type_differs(span, "a table", &val.describe(), ty.span)),
                },
                _ => {
                    let decl = self.type_named(scope, &name.name, name.span)?;
                    if !dims.is_empty() {
                        return self.fail(errors::not_yet(ty.span, "arrays of a named type"));
                    }
                    self.fit_named(&decl, args, ty, val, span, scope, bound)
                }
            },
            TypeKind::Record { fields, dims } if dims.is_empty() => {
                let Val::Record(record) = val else {
                    return self.fail(errors::type_differs(span, "a record", &val.describe(), ty.span));
                };
                let mut out = Vec::new();
                for (name, field_ty) in fields {
                    let Some(part) = record.get(&name.name) else {
                        let names: Vec<&str> = record.fields.iter().map(|(n, _)| &**n).collect();
                        return self.fail(errors::field_missing(span, &name.name, &names));
                    };
                    let part = self.fit_in(field_ty, &part.clone(), span, scope, bound)?;
                    out.push((name.name.clone(), part));
                }
                Ok(Val::Record(Rc::new(Record { fields: out, rows: record.rows.clone() })))
            }
            TypeKind::Tuple { items, dims } if dims.is_empty() => match val {
                Val::Tuple(vals) if vals.len() == items.len() => {
                    let mut out = Vec::new();
                    for (item, val) in items.iter().zip(vals.iter()) {
                        out.push(self.fit_in(item, val, span, scope, bound)?);
                    }
                    Ok(Val::tuple(out))
                }
                _ => self.fail(errors::type_differs(span, "a tuple", &val.describe(), ty.span)),
            },
            TypeKind::Record { .. } | TypeKind::Tuple { .. } => match val {
                // An array of records is a record of arrays.
                Val::Record(_) => Ok(val.clone()),
                _ => self.fail(errors::type_differs(span, "a table", &val.describe(), ty.span)),
            },
            TypeKind::Function { .. } => match val {
                Val::Function(_) | Val::Objective(_) => Ok(val.clone()),
                _ => self.fail(errors::type_differs(span, "a function", &val.describe(), ty.span)),
            },
        }
    }

    /// The sizes of an array do not stand in parentheses.
    fn check_no_arguments(&mut self, ty: &TypeExpr) -> Res<()> {
        match &ty.kind {
            TypeKind::Named { name, args, .. }
                if !args.is_empty() && matches!(&*name.name, "real" | "int" | "bool" | "string") =>
            {
                self.fail(errors::sizes_in_brackets(args[0].span, &name.name))
            }
            _ => Ok(()),
        }
    }

    /// Fits a value to a named type. Its parameters are bound by the value, then compared with the
    /// arguments, which may be names that the signature binds here.
    #[expect(clippy::too_many_arguments, reason = "a type, a value and where both stand")]
    fn fit_named(
        &mut self,
        (decl, home): &(Arc<TypeDecl>, Scope),
        args: &[Expr],
        ty: &TypeExpr,
        val: &Val,
        span: Span,
        scope: &mut Scope,
        bound: &mut Bound,
    ) -> Res<Val> {
        if args.len() != decl.params.len() {
            return self.fail(errors::type_arguments(
                ty.span,
                &decl.name.name,
                decl.params.len(),
                args.len(),
            ));
        }
        let mut inner = home.clone();
        let fitted = self.fit_in(&decl.ty, val, span, &mut inner, &mut Some(Vec::new()))?;
        for (param, arg) in decl.params.iter().zip(args) {
            if let Some(Slot::Let(Val::Int(dim), _)) = inner.get(&param.name).cloned() {
                let (found, written) = (val.describe(), self.written(ty));
                self.fit_dim(arg, &dim, scope, bound, (span, &found, &written))?;
            }
        }
        Ok(fitted)
    }

    pub(crate) fn type_named(
        &mut self,
        scope: &Scope,
        name: &Arc<str>,
        span: Span,
    ) -> Res<(Arc<TypeDecl>, Scope)> {
        let known = self.slot(scope, name).cloned();
        let found = match known {
            Some(Slot::Let(val, _)) => Some(val),
            Some(Slot::Var(..)) => None,
            None => self.library_value(name)?,
        };
        if let Some(Val::Function(function)) = found
            && let Function::Type(decl, scope) = &*function
        {
            return Ok((decl.clone(), scope.clone()));
        }
        self.fail(errors::unknown_type(span, name))
    }

    pub(crate) fn type_scope(
        &mut self,
        (decl, home): &(Arc<TypeDecl>, Scope),
        args: &[Expr],
        span: Span,
        scope: &Scope,
    ) -> Res<Scope> {
        if args.len() != decl.params.len() {
            return self.fail(errors::type_arguments(span, &decl.name.name, decl.params.len(), args.len()));
        }
        let mut inner = home.clone();
        for (param, arg) in decl.params.iter().zip(args) {
            let dim = self.dimension(scope, arg)?;
            inner = inner.with(&param.name, Slot::Let(Val::Int(dim), param.span));
        }
        Ok(inner)
    }

    #[expect(clippy::too_many_arguments, reason = "a type, a value and where both stand")]
    fn fit_array(
        &mut self,
        elem: Elem,
        dims: &[Expr],
        ty: &TypeExpr,
        val: &Val,
        span: Span,
        scope: &mut Scope,
        bound: &mut Bound,
    ) -> Res<Val> {
        let written = self.written(ty);
        if let Val::Range(..) = val {
            let source = self.source(val, span, false)?;
            let array = self.range_array(&source, span)?;
            return self.fit_array(elem, dims, ty, &array, span, scope, bound);
        }
        let Some(found) = val.ty() else {
            return self.fail(errors::type_differs(span, &written, &val.describe(), ty.span));
        };
        if elem == Elem::Int && dims.is_empty() && matches!(val, Val::Int(_)) {
            return Ok(val.clone());
        }
        let converts = found.elem == elem || (elem == Elem::Real && found.elem == Elem::Int);
        if !converts {
            return self.fail(errors::type_differs(span, &written, &val.describe(), ty.span));
        }
        let val = self.cast(val, elem, span)?;
        if found.rank() == 0 && !dims.is_empty() && bound.is_none() {
            let dims = dims.iter().map(|e| self.dimension(scope, e)).collect::<Res<Vec<Dim>>>()?;
            self.check_size(&[Ty::new(elem, dims.clone())], ty.span)?;
            return self.spread(&val, &dims, span);
        }
        if found.rank() != dims.len() {
            return self.fail(errors::type_differs(span, &written, &found.to_string(), ty.span));
        }
        for (e, dim) in dims.iter().zip(&found.dims) {
            self.fit_dim(e, dim, scope, bound, (span, &found.to_string(), &written))?;
        }
        Ok(val)
    }

    /// The integers of a range as an array.
    pub(crate) fn range_array(&mut self, source: &super::generators::Source, span: Span) -> Res<Val> {
        let len = self.source_len(source);
        let steps = self.counting(&len, span);
        match source {
            super::generators::Source::Range { lo, .. } => match lo {
                Val::Int(Dim::Known(0)) => Ok(steps),
                _ => self.arith("add", (&steps, span), (lo, span), span),
            },
            _ => self.fail(errors::range_varies(span)),
        }
    }

    fn fit_dim(
        &mut self,
        e: &Expr,
        dim: &Dim,
        scope: &mut Scope,
        bound: &mut Bound,
        (span, found, written): (Span, &str, &str),
    ) -> Res<()> {
        let mut free = Vec::new();
        if let Some(bound) = bound {
            super::walk::expr(e, &mut |e| {
                if let ExprKind::Name(name) = &*e.kind
                    && !bound.contains(name)
                    && !free.contains(name)
                {
                    free.push(name.clone());
                }
                true
            });
        }
        if let ([name], Some(bound)) = (free.as_slice(), bound.as_mut()) {
            let unknown = format!("?{name}");
            let trial = scope.with(name, Slot::Let(Val::Int(Dim::name(&unknown)), e.span));
            let formula = self.dimension(&trial, e)?;
            let solved = formula.linear_in(&unknown).and_then(|(k, rest)| dim.sub(&rest)?.div_exact(k));
            // Whether a symbolic dimension divides is known only when it is a number.
            let solved = solved.or_else(|| {
                self.next_unit += 1;
                let open = Dim::name(&format!("_{}", self.next_unit));
                (dim.known().is_none()).then_some(open)
            });
            let Some(solved) = solved else {
                return self.fail(errors::dimension_unsolved(e.span, span, found, written));
            };
            bound.push(name.clone());
            *scope = scope.with(name, Slot::Let(Val::Int(solved), e.span));
            return Ok(());
        }
        let want = self.dimension(scope, e)?;
        if !super::arith::same_dims(std::slice::from_ref(&want), std::slice::from_ref(dim)) {
            let name = crate::syntax::print_expr(e);
            return self.fail(errors::dimension_differs(
                span,
                written,
                found,
                (e.span, &name),
                &want.to_string(),
                &dim.to_string(),
            ));
        }
        Ok(())
    }

    /// A stand-in for a parameter of a declared type, with symbolic dimensions. `None` if the
    /// type leaves something open.
    pub(crate) fn stand_in(
        &mut self,
        ty: &TypeExpr,
        scope: &mut Scope,
        bound: &mut Vec<Arc<str>>,
    ) -> Option<Val> {
        match &ty.kind {
            TypeKind::Named { .. } if self.check_no_arguments(ty).is_err() => None,
            TypeKind::Named { name, args, dims } => {
                let elem = match &*name.name {
                    "real" => Elem::Real,
                    "int" if dims.is_empty() => {
                        self.next_unit += 1;
                        return Some(Val::Int(Dim::name(&format!("_{}", self.next_unit))));
                    }
                    "int" => Elem::Int,
                    "bool" => Elem::Bool,
                    _ if args.is_empty() && dims.is_empty() => {
                        let (decl, home) = self.type_named(scope, &name.name, name.span).ok()?;
                        let mut home = home;
                        return self.stand_in(&decl.ty, &mut home, bound);
                    }
                    _ => return None,
                };
                let mut sizes = Vec::new();
                for e in dims {
                    if let ExprKind::Name(n) = &*e.kind
                        && !bound.contains(n)
                    {
                        bound.push(n.clone());
                        *scope = scope.with(n, Slot::Let(Val::Int(Dim::name(n)), e.span));
                    }
                    sizes.push(self.dimension(scope, e).ok()?);
                }
                Some(self.unit_param(Ty::new(elem, sizes)))
            }
            TypeKind::Record { fields, dims } if dims.is_empty() => {
                let mut out = Vec::new();
                for (name, ty) in fields {
                    out.push((name.name.clone(), self.stand_in(ty, scope, bound)?));
                }
                Some(Val::record(out))
            }
            TypeKind::Tuple { items, dims } if dims.is_empty() => {
                let items: Option<Vec<Val>> =
                    items.iter().map(|ty| self.stand_in(ty, scope, bound)).collect();
                Some(Val::tuple(items?))
            }
            TypeKind::Function { result, .. } => {
                let opaque = Function::Opaque(Some((**result).clone()), scope.clone());
                Some(Val::Function(Rc::new(opaque)))
            }
            TypeKind::Record { .. } | TypeKind::Tuple { .. } => None,
        }
    }

    /// A type as written, for reports.
    pub(crate) fn written(&self, ty: &TypeExpr) -> String {
        crate::syntax::print_type(ty)
    }
}

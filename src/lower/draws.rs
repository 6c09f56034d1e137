//! Draws: `let z ~ normal(0, 1)`.
//!
//! A draw is a pure function of its key: the seed, the names of the functions called, the name of
//! the variable and the indices of the loops and generators around (Salmon et al., 2011,
//! Threefry-2x32). Distributions are declared in `stdlib/distributions.opt`: `sample(u)` turns a
//! uniform number in (0, 1) into a draw.

use std::sync::Arc;

use super::call::lifted;
use super::value::{Argument, Members, Res, Scope, Slot, Val};
use super::{Lower, errors};
use crate::diag::Span;
use crate::ir::{Dim, Elem, Ty};
use crate::math::functions::threefry;
use crate::ops::Emit;
use crate::syntax::ast::{Expr, Ident, MembersDecl, Pattern, TypeExpr, TypeKind};

impl Lower<'_> {
    /// `let p: ty ~ source [given e]`
    pub(crate) fn draw(
        &mut self,
        scope: &Scope,
        pattern: &Pattern,
        ty: Option<&TypeExpr>,
        source: &Expr,
        given: Option<&Expr>,
    ) -> Res<Val> {
        let val = self.expr(scope, source)?;
        if let Some(given) = given {
            return self.fail(errors::not_yet(given.span, "`given`"));
        }
        self.draw_typed(scope, &pattern_name(pattern), ty, &val, source.span)
    }

    /// A draw of a type; of a record every field, under its own name.
    fn draw_typed(
        &mut self,
        scope: &Scope,
        name: &str,
        ty: Option<&TypeExpr>,
        val: &Val,
        span: Span,
    ) -> Res<Val> {
        match ty.map(|ty| (ty, &ty.kind)) {
            Some((_, TypeKind::Record { fields, dims })) if dims.is_empty() => {
                let field = |(field, ty): &(Ident, TypeExpr)| {
                    let part =
                        self.draw_typed(scope, &format!("{name}.{}", field.name), Some(ty), val, span)?;
                    Ok((field.name.clone(), part))
                };
                return Ok(Val::record(fields.iter().map(field).collect::<Res<Vec<_>>>()?));
            }
            Some((_, TypeKind::Tuple { items, dims })) if dims.is_empty() => {
                let item = |(at, ty): (usize, &TypeExpr)| {
                    self.draw_typed(scope, &format!("{name}.{at}"), Some(ty), val, span)
                };
                return Ok(Val::tuple(items.iter().enumerate().map(item).collect::<Res<Vec<Val>>>()?));
            }
            Some((ty, TypeKind::Named { name: of, args, dims }))
                if dims.is_empty() && !matches!(&*of.name, "real" | "int" | "bool") =>
            {
                let (decl, home) = self.type_named(scope, &of.name, of.span)?;
                let (given, wanted) = (args.len(), decl.params.len());
                if given != wanted {
                    return self.fail(errors::type_arguments(ty.span, &decl.name.name, wanted, given));
                }
                let mut inner = home;
                for (param, arg) in decl.params.iter().zip(args) {
                    let dim = self.dimension(scope, arg)?;
                    inner = inner.with(&param.name, Slot::Let(Val::Int(dim), arg.span));
                }
                return self.draw_typed(&inner, name, Some(&decl.ty), val, span);
            }
            _ => {}
        }
        let mut key = self.draw_key(name, span)?;
        let dims = match ty.map(|ty| &ty.kind) {
            None => None,
            Some(TypeKind::Named { dims, .. }) => {
                let dims = dims.iter().map(|e| self.dimension(scope, e)).collect::<Res<Vec<Dim>>>()?;
                self.check_size(&[Ty::new(Elem::Real, dims.clone())], span)?;
                Some(dims)
            }
            Some(_) => return self.fail(errors::not_yet(span, "a draw of this type")),
        };
        let drawn = match val {
            Val::Members(members) if members.decl.distribution => {
                let members = members.clone();
                self.draw_distribution(&members, dims, &key, span)?
            }
            _ => {
                let u = self.uniforms(&mut key, dims.as_deref().unwrap_or(&[]), span)?;
                self.draw_element(val, &u, span)?
            }
        };
        match ty {
            Some(ty) => self.fit(ty, &drawn, span, scope),
            None => Ok(drawn),
        }
    }

    /// The key of a draw as an integer scalar.
    fn draw_key(&mut self, name: &str, span: Span) -> Res<Val> {
        let mut fixed = self.seed;
        for call in self.calls.iter().map(|c| &**c).chain([name]) {
            fixed = threefry(fixed, hash(call));
        }
        let mut key = Val::int(fixed);
        for index in self.indices.clone() {
            key = match (&key, &index) {
                (Val::Int(Dim::Known(k)), Val::Int(Dim::Known(i))) => Val::int(threefry(*k, *i)),
                _ => self.emit("threefry", &[key.clone(), index], span)?,
            };
        }
        Ok(key)
    }

    /// Uniform numbers in (0, 1) of the given dimensions: element `j` has counter `j`.
    fn uniforms(&mut self, key: &mut Val, dims: &[Dim], span: Span) -> Res<Val> {
        let count = Dim::product(dims).ok_or(super::Poisoned)?;
        let counters = if dims.is_empty() { Val::int(0) } else { self.counting(&count, span) };
        let bits = self.emit("threefry", &[key.clone(), counters], span)?;
        let u = self.emit("unit", &[bits], span)?;
        let value = self.value(&u, span)?;
        self.build().at(span);
        let value = self.build().reshape(value, dims);
        Ok(self.wrap(value))
    }

    /// Draws from a distribution: as many as the annotation says, or as its arguments have.
    fn draw_distribution(
        &mut self,
        members: &Members,
        dims: Option<Vec<Dim>>,
        key: &Val,
        span: Span,
    ) -> Res<Val> {
        let decl = members.decl.clone();
        let scalar: Vec<bool> =
            decl.params.iter().map(|p| p.ty.as_ref().is_none_or(super::call::is_scalar_type)).collect();
        let arrays: Vec<Val> = members
            .args
            .iter()
            .zip(&scalar)
            .filter(|((_, val), scalar)| **scalar && val.ty().is_some_and(|ty| ty.rank() > 0))
            .map(|((_, val), _)| val.clone())
            .collect();
        let dims = match dims {
            Some(dims) => dims,
            None => {
                let at: Vec<(&Val, Span)> = arrays.iter().map(|val| (val, span)).collect();
                self.common_dims(&arrays, &at, span)?
            }
        };
        let u = self.uniforms(&mut key.clone(), &dims, span)?;
        if dims.is_empty() {
            return self.member(members, "sample", vec![u], span);
        }
        let count = Dim::product(&dims).ok_or(super::Poisoned)?;
        let mut flat = Vec::new();
        for val in arrays.iter().chain([&u]) {
            let wide = self.spread(val, &dims, span)?;
            let value = self.value(&wide, span)?;
            let value = self.build().reshape(value, std::slice::from_ref(&count));
            flat.push(self.wrap(value));
        }
        let result = self.map(&count, span, |lower, index| {
            let mut parts = flat.iter();
            let mut args = Vec::new();
            for ((name, val), scalar) in members.args.iter().zip(&scalar) {
                let lifted = *scalar && val.ty().is_some_and(|ty| ty.rank() > 0);
                let part = if lifted { parts.next() } else { None };
                let val = match part {
                    Some(part) => lower.take(part, index, span)?,
                    None => val.clone(),
                };
                args.push((name.clone(), val));
            }
            let u = lower.take(flat.last().ok_or(super::Poisoned)?, index, span)?;
            let inner = Members { decl: decl.clone(), args, scope: members.scope.clone() };
            lower.member(&inner, "sample", vec![u], span)
        })?;
        let ty = result.ty().ok_or(super::Poisoned)?;
        let mut wide = dims;
        wide.extend(ty.dims.into_iter().skip(1));
        let value = self.value(&result, span)?;
        let value = self.build().reshape(value, &wide);
        Ok(self.wrap(value))
    }

    /// An element of a range, array or table, uniformly.
    fn draw_element(&mut self, val: &Val, u: &Val, span: Span) -> Res<Val> {
        let source = self.source(val, span, false)?;
        let len = self.source_len(&source);
        if len.known() == Some(0) {
            return self.fail(errors::empty_draw(span));
        }
        let count = self.cast_real(&Val::Int(len.clone()), span)?;
        let scaled = self.apply("mul", &[(u, span), (&count, span)], span)?;
        let index = self.emit("real_to_int", &[scaled], span)?;
        let last = len.sub(&Dim::Known(1)).ok_or(super::Poisoned)?;
        let index = self.apply("minimum", &[(&index, span), (&Val::Int(last), span)], span)?;
        let rank = index.ty().map_or(0, |ty| ty.rank());
        if rank == 0 {
            return self.source_at(&source, &index, span);
        }
        match &source {
            super::generators::Source::Range { lo, .. } => {
                self.arith("add", (lo, span), (&index, span), span)
            }
            super::generators::Source::Rows { array, .. } => {
                let (a, i) = (self.value(array, span)?, self.value(&index, span)?);
                self.build().at(span);
                let value = self.build().gather(a, &[i]);
                Ok(self.wrap(value))
            }
            _ => self.fail(errors::not_yet(span, "several draws of rows at once")),
        }
    }

    /// A member of a distribution or set, with its parameters bound.
    pub(crate) fn member(&mut self, members: &Members, name: &str, args: Vec<Val>, span: Span) -> Res<Val> {
        let Some(member) = members.decl.members.iter().find(|m| &*m.name.name == name) else {
            return self.fail(errors::no_member(span, &members.decl.name.name, name));
        };
        let mut scope = members.scope.clone();
        let mut bound = Some(Vec::new());
        for (param, (name, val)) in members.decl.params.iter().zip(&members.args) {
            if let Some(ty) = param.ty.as_ref().filter(|ty| !super::call::is_scalar_type(ty)) {
                self.fit_in(ty, val, span, &mut scope, &mut bound)?;
            }
            scope = scope.with(name, Slot::Let(val.clone(), span));
        }
        if member.params.len() != args.len() {
            return self.fail(errors::argument_count(span, name, member.params.len(), args.len()));
        }
        let slots: Vec<Option<Argument>> =
            args.into_iter().map(|value| Some(Argument { name: None, value, span })).collect();
        let call = |lower: &mut Self, slots| {
            let (scope, _) = lower.bind_params(&member.params, slots, &scope)?;
            lower.expr(&scope, &member.body)
        };
        let lifted = lifted(&member.params, &slots);
        if lifted.is_empty() { call(self, slots) } else { self.call_lifted(&slots, &lifted, span, call) }
    }

    /// A distribution or set applied to arguments. Arguments declared as scalars may be arrays:
    /// then it is one distribution for each element.
    pub(crate) fn make_members(
        &mut self,
        decl: &Arc<MembersDecl>,
        home: &Scope,
        args: Vec<Argument>,
        span: Span,
    ) -> Res<Val> {
        let slots = self.match_args(&decl.name.name, &decl.params, args, span)?;
        let mut out = Vec::new();
        for (param, slot) in decl.params.iter().zip(slots) {
            let (val, at) = match (slot, &param.default) {
                (Some(arg), _) => (arg.value, arg.span),
                (None, Some(default)) => (self.expr(home, default)?, default.span),
                (None, None) => return Err(super::Poisoned),
            };
            let Some(ty) = val.ty() else {
                return self.fail(errors::expected_array(at, &val.describe()));
            };
            let val = if ty.elem == Elem::Int && !is_int(param.ty.as_ref()) {
                self.cast_real(&val, at)?
            } else {
                val
            };
            out.push((param.name.name.clone(), val));
        }
        Ok(Val::Members(std::rc::Rc::new(Members { decl: decl.clone(), args: out, scope: home.clone() })))
    }
}

fn is_int(ty: Option<&TypeExpr>) -> bool {
    matches!(ty.map(|ty| &ty.kind), Some(TypeKind::Named { name, .. }) if &*name.name == "int")
}

/// The name a draw is keyed by.
fn pattern_name(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Name(name) => name.name.to_string(),
        Pattern::Tuple(patterns, _) => patterns.iter().map(pattern_name).collect::<Vec<_>>().join(","),
    }
}

/// FNV-1a of a name.
fn hash(name: &str) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash.cast_signed()
}

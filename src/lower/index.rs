//! Indexing: elements, slices, integer arrays, and assignment to parts.

use super::arith::At;
use super::expr::known_bool;
use super::stage::IntFact;
use super::value::{Res, Scope, Val};
use super::{Lower, errors};
use crate::diag::Span;
use crate::ir::{Dim, Elem, Tensor, Ty};
use crate::ops::Emit;
use crate::syntax::ast::{BinOp, Expr, ExprKind};

/// One index of `a[i, 2..5, :]`.
enum Index {
    /// A scalar: the dimension goes away.
    One(Val, Span),
    /// `lo..hi`: known length.
    Slice { lo: Val, len: Dim, span: Span },
    /// `:`
    All,
    /// An array of integers: its dimensions replace the one indexed.
    Many(Val, Span),
}

impl Lower<'_> {
    /// `a[i, j]`, and `zeros[n, d]`.
    pub(crate) fn index_expr(&mut self, scope: &Scope, base: &Expr, args: &[Expr], span: Span) -> Res<Val> {
        if let ExprKind::Name(name) = &*base.kind
            && matches!(&**name, "zeros" | "ones")
            && scope.get(name).is_none()
        {
            return self.filled(scope, if &**name == "ones" { 1.0 } else { 0.0 }, args, span);
        }
        let whole = self.expr(scope, base)?;
        self.index_value(scope, &whole, base.span, args, span)
    }

    /// `zeros[n, d]`
    fn filled(&mut self, scope: &Scope, number: f64, args: &[Expr], span: Span) -> Res<Val> {
        let dims = args.iter().map(|arg| self.dimension(scope, arg)).collect::<Res<Vec<Dim>>>()?;
        let ty = Ty::new(Elem::Real, dims);
        self.check_size(std::slice::from_ref(&ty), span)?;
        self.build().at(span);
        let value = self.build().full(&ty, number);
        Ok(self.wrap(value))
    }

    /// An expression as a dimension.
    pub(crate) fn dimension(&mut self, scope: &Scope, e: &Expr) -> Res<Dim> {
        match self.expr(scope, e)? {
            Val::Int(dim) => {
                if dim.known().is_some_and(|n| n < 0) {
                    return self.fail(errors::negative_dimension(e.span, &dim.to_string()));
                }
                Ok(dim)
            }
            Val::Staged(s) if s.ty.rank() == 0 && s.ty.elem == Elem::Int => {
                self.fail(errors::dimension_at_run_time(e.span))
            }
            other => self.fail(errors::dimension_kind(e.span, &other.describe())),
        }
    }

    /// A place in a list. What a statement computes is computed now: `fits[argmin(fits.loss)]`; where nothing is run,
    /// the first place stands for it.
    fn place_in_list(&mut self, val: &Val, span: Span) -> Res<i64> {
        let computed = matches!(val, Val::Staged(s) if s.ty.rank() == 0 && s.ty.elem == Elem::Int);
        if !computed || self.symbolic || self.inside() {
            return self.static_int(val, span);
        }
        if !self.host.options().execute {
            self.pretended = true;
            return Ok(0);
        }
        Ok(self.force(val, span)?.ints()[0])
    }

    /// `whole[args]` of an evaluated base.
    pub(crate) fn index_value(
        &mut self,
        scope: &Scope,
        whole: &Val,
        base_span: Span,
        args: &[Expr],
        span: Span,
    ) -> Res<Val> {
        match whole {
            Val::Record(record) if record.rows.is_some() => {
                return self.index_table(scope, whole, args, span);
            }
            Val::Tuple(items) | Val::List(items) => {
                let [arg] = args else { return self.fail(errors::one_index(span)) };
                let val = self.expr(scope, arg)?;
                let k = self.place_in_list(&val, arg.span)?;
                return match usize::try_from(k).ok().and_then(|k| items.get(k)) {
                    Some(item) => Ok(item.clone()),
                    None => self.fail(errors::index_out_of_range(
                        arg.span,
                        k,
                        k,
                        &Dim::from(items.len()),
                        base_span,
                    )),
                };
            }
            Val::Strs(texts) => {
                let [arg] = args else { return self.fail(errors::one_index(span)) };
                let val = match &*arg.kind {
                    ExprKind::Range(lo, hi) => {
                        self.text_range(scope, texts, lo.as_ref(), hi.as_ref(), arg.span)?
                    }
                    _ => self.expr(scope, arg)?,
                };
                if val.ty().is_some_and(|ty| ty.rank() == 1 && ty.elem == Elem::Int) {
                    return self.pick_texts(texts, &val, arg.span, base_span);
                }
                let k = self.place_in_list(&val, arg.span)?;
                return match usize::try_from(k).ok().and_then(|k| texts.get(k)) {
                    Some(text) => Ok(Val::text(text)),
                    None => self.fail(errors::index_out_of_range(
                        arg.span,
                        k,
                        k,
                        &Dim::from(texts.len()),
                        base_span,
                    )),
                };
            }
            Val::Range(..) => {
                let source = self.source(whole, base_span, false)?;
                let array = self.range_array(&source, base_span)?;
                return self.index_value(scope, &array, base_span, args, span);
            }
            Val::Poison => return Err(super::Poisoned),
            _ => {}
        }
        let Some(ty) = whole.ty() else {
            return self.fail(errors::not_indexable(base_span, &whole.describe()));
        };
        if ty.rank() == 0 {
            return self.fail(errors::not_indexable(base_span, &whole.describe()));
        }
        let indices = self.indices_of(scope, &ty, args, base_span, span)?;
        self.take_indices(whole, &ty, indices, base_span, span)
    }

    fn index_table(&mut self, scope: &Scope, table: &Val, args: &[Expr], span: Span) -> Res<Val> {
        let [arg] = args else { return self.fail(errors::one_index(span)) };
        let Val::Record(record) = table else { return Err(super::Poisoned) };
        let scalar = {
            let val = match &*arg.kind {
                ExprKind::Range(..) => None,
                _ => Some(self.expr(scope, arg)?),
            };
            if let Some(Val::Str(name)) = &val {
                let column = crate::syntax::ast::Ident { name: name.clone(), span: arg.span };
                return self.field(table, &column, span);
            }
            val.filter(|val| val.ty().is_some_and(|ty| ty.rank() == 0))
        };
        if let Some(index) = scalar {
            let source = self.source(table, span, false)?;
            return self.source_at(&source, &index, arg.span);
        }
        let mut fields = Vec::new();
        let mut rows = None;
        for (name, column) in &record.fields {
            let part = self.index_value(scope, column, span, args, span)?;
            rows = part.ty().and_then(|ty| ty.dims.first().cloned()).or(rows);
            fields.push((name.clone(), part));
        }
        Ok(Val::Record(std::rc::Rc::new(super::Record { fields, rows })))
    }

    /// `a..b` of a column of texts, as known places.
    fn text_range(
        &mut self,
        scope: &Scope,
        texts: &[String],
        lo: Option<&Expr>,
        hi: Option<&Expr>,
        span: Span,
    ) -> Res<Val> {
        let mut end = |e: Option<&Expr>, default: usize| match e {
            Some(e) => {
                let val = self.expr(scope, e)?;
                self.static_int(&val, e.span)
            }
            None => Ok(i64::try_from(default).unwrap_or(i64::MAX)),
        };
        let (from, to) = (end(lo, 0)?, end(hi, texts.len())?);
        if from < 0 || to > i64::try_from(texts.len()).unwrap_or(i64::MAX) {
            return self.fail(errors::slice_out_of_range(span, from, to, &Dim::from(texts.len()), span));
        }
        let places: Vec<i64> = (from..to).collect();
        Ok(Val::Known(Tensor::int(&[places.len()], places)))
    }

    /// The texts at places that are computed now: texts are never part of code.
    fn pick_texts(&mut self, texts: &[String], places: &Val, span: Span, base_span: Span) -> Res<Val> {
        if !self.host.options().execute {
            let count = places.ty().and_then(|ty| ty.dims[0].known()).unwrap_or(0);
            let picked = texts.iter().cycle().take(usize::try_from(count).unwrap_or(0)).cloned();
            return Ok(Val::Strs(std::sync::Arc::new(picked.collect())));
        }
        let known = self.force(places, span)?;
        let mut picked = Vec::new();
        for k in known.ints() {
            match usize::try_from(*k).ok().and_then(|k| texts.get(k)) {
                Some(text) => picked.push(text.clone()),
                None => {
                    let size = Dim::from(texts.len());
                    return self.fail(errors::index_out_of_range(span, *k, *k, &size, base_span));
                }
            }
        }
        Ok(Val::Strs(std::sync::Arc::new(picked)))
    }

    fn indices_of(
        &mut self,
        scope: &Scope,
        ty: &Ty,
        args: &[Expr],
        base_span: Span,
        span: Span,
    ) -> Res<Vec<Index>> {
        if args.len() > ty.rank() {
            return self.fail(errors::too_many_indices(span, args.len(), base_span, &ty.to_string()));
        }
        args.iter().zip(&ty.dims).map(|(arg, dim)| self.index_of(scope, arg, dim, base_span)).collect()
    }

    fn index_of(&mut self, scope: &Scope, arg: &Expr, dim: &Dim, base_span: Span) -> Res<Index> {
        let span = arg.span;
        if let ExprKind::Range(lo, hi) = &*arg.kind {
            if lo.is_none() && hi.is_none() {
                return Ok(Index::All);
            }
            let lo_val = match lo {
                Some(e) => self.expr(scope, e)?,
                None => Val::int(0),
            };
            let hi_val = match hi {
                Some(e) => self.expr(scope, e)?,
                None => Val::Int(dim.clone()),
            };
            return self.slice_of(lo_val, hi_val, dim, base_span, span);
        }
        let val = self.expr(scope, arg)?;
        if let Val::Range(lo, hi) = &val {
            return self.slice_of((**lo).clone(), (**hi).clone(), dim, base_span, span);
        }
        match val.ty() {
            Some(ty) if ty.elem == Elem::Int && ty.rank() == 0 => Ok(Index::One(val, span)),
            Some(ty) if ty.elem == Elem::Int => Ok(Index::Many(val, span)),
            Some(ty) if ty.elem == Elem::Bool => self.fail(errors::index_by_bool(span)),
            _ => self.fail(errors::index_kind(span, &val.describe())),
        }
    }

    fn slice_of(&mut self, lo: Val, hi: Val, dim: &Dim, base_span: Span, span: Span) -> Res<Index> {
        let (a, b) = (self.int_fact(&lo), self.int_fact(&hi));
        let len = match (&lo, &hi) {
            (Val::Int(lo), Val::Int(hi)) => hi.sub(lo),
            _ if a.base == b.base && a.base.is_some() => Some(Dim::Known(b.offset - a.offset)),
            _ if self.symbolic => {
                self.next_unit += 1;
                Some(Dim::name(&format!("_{}", self.next_unit)))
            }
            _ => None,
        };
        let Some(len) = len else { return self.fail(errors::slice_length(span)) };
        let too_long = match (b.hi, dim.known()) {
            (Some(hi), Some(n)) if self.conditional == 0 || a.base.is_none() => hi > n,
            _ => false,
        };
        let negative = a.hi.is_some_and(|lo| lo < 0);
        if too_long || negative || len.known().is_some_and(|n| n < 0) {
            let from = a.lo.or(a.hi).unwrap_or(0);
            let to = b.hi.unwrap_or(0);
            return self.fail(errors::slice_out_of_range(span, from, to, dim, base_span));
        }
        Ok(Index::Slice { lo, len, span })
    }

    /// An element along the first dimension.
    pub(crate) fn take(&mut self, array: &Val, index: &Val, span: Span) -> Res<Val> {
        let Some(ty) = array.ty() else {
            return self.fail(errors::not_indexable(span, &array.describe()));
        };
        if ty.rank() == 0 {
            return self.fail(errors::not_indexable(span, &array.describe()));
        }
        if let (Val::Known(t), Val::Int(Dim::Known(k))) = (array, index)
            && let Ok(at) = usize::try_from(*k)
            && at < t.sizes[0]
        {
            return Ok(super::stage::known(&row(t, at)));
        }
        let index = self.checked_index(index, &ty.dims[0], span, span)?;
        let (a, i) = (self.value(array, span)?, self.value(&index, span)?);
        self.build().at(span);
        let value = self.build().gather(a, &[i]);
        let entry = self.wrap(value);
        // What is known of all entries is known of each.
        if ty.elem == Elem::Int {
            let IntFact { lo, hi, .. } = self.int_fact(array);
            if lo.is_some() || hi.is_some() {
                self.learn(&entry, IntFact { lo, hi, ..IntFact::default() });
            }
        }
        Ok(entry)
    }

    /// An index that is in range as far as can be known; outside of what counts it is 0.
    fn checked_index(&mut self, index: &Val, dim: &Dim, span: Span, base_span: Span) -> Res<Val> {
        let fact = self.int_fact(index);
        let Some(n) = dim.known() else { return Ok(index.clone()) };
        let inside = fact.lo.is_some_and(|lo| lo >= 0) && fact.hi.is_some_and(|hi| hi < n);
        if inside {
            return Ok(index.clone());
        }
        let never = fact.hi.is_some_and(|hi| hi < 0) || fact.lo.is_some_and(|lo| lo >= n);
        // The ends of a loop variable's interval are reached, unless a condition keeps them out.
        let reached = fact.tight && matches!(index, Val::Staged(_));
        let outside = (fact.hi.is_some_and(|hi| hi >= n) || fact.lo.is_some_and(|lo| lo < 0))
            && fact.lo.is_some()
            && fact.hi.is_some();
        if self.conditional == 0 && (never || (reached && outside)) {
            let (lo, hi) = (fact.lo.unwrap_or(0), fact.hi.unwrap_or(0));
            return self.fail(errors::index_out_of_range(span, lo, hi, dim, base_span));
        }
        match self.guard.clone() {
            Some(guard) if known_bool(&guard).is_none() => {
                self.apply("where", &[(&guard, span), (index, span), (&Val::int(0), span)], span)
            }
            _ => Ok(index.clone()),
        }
    }

    /// Applies indices: slices first, then the scalars together, then integer arrays one by one.
    fn take_indices(
        &mut self,
        whole: &Val,
        ty: &Ty,
        indices: Vec<Index>,
        base_span: Span,
        span: Span,
    ) -> Res<Val> {
        let mut value = self.value(whole, base_span)?;
        let mut scalars: Vec<(usize, Val)> = Vec::new();
        let mut arrays: Vec<(usize, Val)> = Vec::new();
        for (axis, index) in indices.into_iter().enumerate() {
            let dim = &ty.dims[axis];
            match index {
                Index::All => {}
                Index::Slice { lo: Val::Int(lo), len, .. } => {
                    let hi = lo.add(&len).ok_or(super::Poisoned)?;
                    self.build().at(span);
                    value = self.build().slice_axis(value, axis, &lo, &hi);
                }
                Index::Slice { lo, len, span } => {
                    let steps = self.counting(&len, span);
                    let places = self.arith("add", (&steps, span), (&lo, span), span)?;
                    arrays.push((axis, places));
                }
                Index::One(index, at) => {
                    let index = self.checked_index(&index, dim, at, base_span)?;
                    scalars.push((axis, index));
                }
                Index::Many(index, at) => {
                    let index = self.guarded_index(&index, at)?;
                    arrays.push((axis, index));
                }
            }
        }
        if !scalars.is_empty() {
            value = self.take_scalars(value, &mut arrays, &scalars, span)?;
        }
        // From the last axis on, so that earlier axes keep their places.
        for (axis, index) in arrays.into_iter().rev() {
            value = self.take_array(value, axis, &index, span)?;
        }
        Ok(self.wrap(value))
    }

    fn guarded_index(&mut self, index: &Val, span: Span) -> Res<Val> {
        match self.guard.clone() {
            Some(guard) if known_bool(&guard).is_none() => {
                let dims = index.ty().map(|ty| ty.dims).unwrap_or_default();
                let guard = self.spread(&guard, &dims, span)?;
                self.apply("where", &[(&guard, span), (index, span), (&Val::int(0), span)], span)
            }
            _ => Ok(index.clone()),
        }
    }

    /// `0, 1, …`
    pub(crate) fn counting(&mut self, len: &Dim, span: Span) -> Val {
        self.build().at(span);
        let value = self.build().iota(std::slice::from_ref(len), 0);
        self.wrap(value)
    }

    fn take_scalars(
        &mut self,
        value: crate::ir::Value,
        arrays: &mut [(usize, Val)],
        scalars: &[(usize, Val)],
        span: Span,
    ) -> Res<crate::ir::Value> {
        let rank = self.build().ty(value).rank();
        let mut order: Vec<usize> = scalars.iter().map(|(axis, _)| *axis).collect();
        let rest: Vec<usize> = (0..rank).filter(|axis| !order.contains(axis)).collect();
        order.extend(&rest);
        for (axis, _) in arrays.iter_mut() {
            *axis = rest.iter().position(|a| a == axis).unwrap_or(0);
        }
        let vals: Vec<Val> = scalars.iter().map(|(_, val)| val.clone()).collect();
        let indices = self.values(&vals, span)?;
        let build = self.build();
        build.at(span);
        let moved = build.permute(value, &order);
        Ok(build.gather(moved, &indices))
    }

    fn take_array(
        &mut self,
        value: crate::ir::Value,
        axis: usize,
        index: &Val,
        span: Span,
    ) -> Res<crate::ir::Value> {
        let rank = self.build().ty(value).rank();
        let extra = index.ty().map_or(1, |ty| ty.rank());
        let mut order = vec![axis];
        order.extend((0..rank).filter(|a| *a != axis));
        let i = self.value(index, span)?;
        let build = self.build();
        build.at(span);
        let moved = build.permute(value, &order);
        let taken = build.gather(moved, &[i]);
        // The index dimensions lead; they belong where the axis was.
        let mut back: Vec<usize> = (extra..extra + axis).collect();
        back.extend(0..extra);
        back.extend(extra + axis..extra + rank - 1);
        Ok(build.permute(taken, &back))
    }

    /// `whole[args] = new`, `whole[args] += new`.
    #[expect(clippy::too_many_arguments, reason = "the parts of one assignment")]
    pub(crate) fn index_update(
        &mut self,
        scope: &Scope,
        whole: &Val,
        base_span: Span,
        args: &[Expr],
        op: Option<BinOp>,
        new: At<'_>,
        span: Span,
    ) -> Res<Val> {
        let Some(ty) = whole.ty() else {
            return self.fail(errors::not_indexable(base_span, &whole.describe()));
        };
        let whole = if ty.elem == Elem::Int && new.0.ty().is_some_and(|t| t.elem == Elem::Real) {
            self.cast(whole, Elem::Real, base_span)?
        } else {
            whole.clone()
        };
        let ty = whole.ty().ok_or(super::Poisoned)?;
        let added = matches!(op, Some(BinOp::Add | BinOp::Sub));
        let update = match op {
            None | Some(BinOp::Add) => new.0.clone(),
            Some(BinOp::Sub) => self.negate(new, span)?,
            Some(op) => {
                let old = self.index_value(scope, &whole, base_span, args, span)?;
                self.combine(op, (&old, span), new, span)?
            }
        };
        let update = self.cast(&update, ty.elem, new.1)?;
        let indices = self.indices_of(scope, &ty, args, base_span, span)?;
        self.scatter_indices(&whole, &ty, indices, added, &update, (new.1, span, base_span))
    }

    fn scatter_indices(
        &mut self,
        whole: &Val,
        ty: &Ty,
        indices: Vec<Index>,
        add: bool,
        update: &Val,
        (new_span, span, base_span): (Span, Span, Span),
    ) -> Res<Val> {
        // Every indexed axis gets an integer array over the dimensions of the assigned part.
        let mut part: Vec<Dim> = Vec::new();
        let mut spots: Vec<(usize, Val, usize, usize)> = Vec::new();
        for (axis, index) in indices.into_iter().enumerate() {
            match index {
                Index::All => {}
                Index::One(index, at) => {
                    let index = self.checked_index(&index, &ty.dims[axis], at, base_span)?;
                    spots.push((axis, index, part.len(), 0));
                }
                Index::Slice { lo, len, span } => {
                    let steps = self.counting(&len, span);
                    let places = self.arith("add", (&steps, span), (&lo, span), span)?;
                    spots.push((axis, places, part.len(), 1));
                    part.push(len);
                }
                Index::Many(index, at) => {
                    let index = self.guarded_index(&index, at)?;
                    let dims = index.ty().map(|ty| ty.dims).unwrap_or_default();
                    spots.push((axis, index, part.len(), dims.len()));
                    part.extend(dims);
                }
            }
        }
        let free: Vec<usize> = (0..ty.rank()).filter(|a| !spots.iter().any(|s| s.0 == *a)).collect();
        // The assigned part in the order: index dimensions, then free axes.
        let natural = self.part_dims(ty, &spots, &part);
        let update_ty = update.ty().ok_or(super::Poisoned)?;
        let tail = natural.len().checked_sub(update_ty.rank());
        let fits = tail.is_some_and(|k| super::arith::same_dims(&natural[k..], &update_ty.dims));
        if !fits {
            let want = Ty::new(ty.elem, natural).to_string();
            return self.fail(errors::assigned_shape(new_span, &update.describe(), &want));
        }
        let update = self.spread(update, &natural, new_span)?;
        let order = self.part_order(ty, &spots, &part);
        let mut index_values = Vec::new();
        for (_, index, at, rank) in &spots {
            let value = self.value(index, span)?;
            let axes: Vec<usize> = (*at..*at + *rank).collect();
            self.build().at(span);
            index_values.push(self.build().broadcast(value, &part, &axes));
        }
        let (w, u) = (self.value(whole, base_span)?, self.value(&update, new_span)?);
        let mut lead: Vec<usize> = spots.iter().map(|s| s.0).collect();
        lead.extend(&free);
        let mut back = vec![0; lead.len()];
        for (k, axis) in lead.iter().enumerate() {
            back[*axis] = k;
        }
        let build = self.build();
        build.at(span);
        let moved = build.permute(w, &lead);
        let u = build.permute(u, &order);
        let value = if index_values.is_empty() {
            if add { build.call("add", &[moved, u]) } else { u }
        } else {
            build.scatter(add, moved, u, &index_values)
        };
        let value = build.permute(value, &back);
        Ok(self.wrap(value))
    }

    /// The dimensions of the assigned part as the user sees them, axis by axis.
    fn part_dims(&self, ty: &Ty, spots: &[(usize, Val, usize, usize)], part: &[Dim]) -> Vec<Dim> {
        let mut dims = Vec::new();
        for axis in 0..ty.rank() {
            match spots.iter().find(|s| s.0 == axis) {
                Some((_, _, at, rank)) => dims.extend(part[*at..*at + *rank].iter().cloned()),
                None => dims.push(ty.dims[axis].clone()),
            }
        }
        dims
    }

    /// Where the axes of the part go so that index dimensions lead.
    fn part_order(&self, ty: &Ty, spots: &[(usize, Val, usize, usize)], part: &[Dim]) -> Vec<usize> {
        let mut lead = vec![0; part.len()];
        let mut rest = Vec::new();
        let mut at_axis = 0;
        for axis in 0..ty.rank() {
            match spots.iter().find(|s| s.0 == axis) {
                Some((_, _, at, rank)) => {
                    for k in 0..*rank {
                        lead[at + k] = at_axis + k;
                    }
                    at_axis += rank;
                }
                None => {
                    rest.push(at_axis);
                    at_axis += 1;
                }
            }
        }
        lead.extend(rest);
        lead
    }
}

/// A row of a known array.
fn row(t: &Tensor, at: usize) -> Tensor {
    use crate::ir::Data;
    let sizes = &t.sizes[1..];
    let width: usize = sizes.iter().product();
    let part = at * width..(at + 1) * width;
    match &t.data {
        Data::Real(data) => Tensor::real(sizes, data[part].to_vec()),
        Data::Int(data) => Tensor::int(sizes, data[part].to_vec()),
        Data::Bool(data) => Tensor::bool(sizes, data[part].to_vec()),
    }
}

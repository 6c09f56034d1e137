//! Operators on values: coercion, lifting over arrays and records, broadcasting.

use std::rc::Rc;

use super::stage::IntFact;
use super::value::{Record, Res, Val};
use super::{Lower, errors};
use crate::diag::Span;
use crate::ir::{Dim, Elem, Tensor, Ty};
use crate::math::{Kind, Prim};
use crate::ops::Emit;

/// A value and where it stands.
pub(crate) type At<'a> = (&'a Val, Span);

impl Lower<'_> {
    /// An elementwise operation by its machine name, on values of any structure.
    pub(crate) fn apply(&mut self, name: &str, args: &[At<'_>], span: Span) -> Res<Val> {
        if args.iter().any(|(val, _)| matches!(val, Val::Tuple(_) | Val::Record(_))) {
            return self.apply_record(name, args, span);
        }
        if args.iter().any(|(val, _)| matches!(val, Val::Range(..))) {
            let vals = args.iter().map(|(val, at)| self.range_or(val, *at)).collect::<Res<Vec<Val>>>()?;
            let args: Vec<At<'_>> = vals.iter().zip(args).map(|(val, (_, at))| (val, *at)).collect();
            return self.apply(name, &args, span);
        }
        let prim = Prim::named(name).expect("operators name machine functions");
        let vals = self.coerce(prim, args, span)?;
        let dims = self.common_dims(&vals, args, span)?;
        let vals = vals.iter().map(|val| self.spread(val, &dims, span)).collect::<Res<Vec<Val>>>()?;
        self.emit_prim(prim, &vals, span)
    }

    /// Leaf by leaf; scalars go with every leaf.
    fn apply_record(&mut self, name: &str, args: &[At<'_>], span: Span) -> Res<Val> {
        let shape = args
            .iter()
            .find(|(val, _)| matches!(val, Val::Tuple(_) | Val::Record(_)))
            .map(|(val, _)| (*val).clone())
            .expect("one argument is a record");
        let Some(count) = shape.leaves().map(|leaves| leaves.len()) else {
            return self.fail(errors::not_a_vector(span, &shape.describe()));
        };
        let mut columns = Vec::new();
        for (val, at) in args {
            let leaves = match val {
                Val::Tuple(_) | Val::Record(_) => val.leaves(),
                _ => Some(vec![(*val).clone(); count]),
            };
            match leaves {
                Some(leaves) if leaves.len() == count => columns.push((leaves, *at)),
                _ => {
                    let (a, b) = (shape.describe(), val.describe());
                    return self.fail(errors::records_differ(span, &a, &b));
                }
            }
        }
        let mut results = Vec::new();
        for k in 0..count {
            let row: Vec<At<'_>> = columns.iter().map(|(leaves, at)| (&leaves[k], *at)).collect();
            results.push(self.apply(name, &row, span)?);
        }
        Ok(plain(&shape).rebuild(&mut results.into_iter()))
    }

    /// Converts arguments to the element kinds the primitive takes.
    fn coerce(&mut self, prim: Prim, args: &[At<'_>], span: Span) -> Res<Vec<Val>> {
        let (takes, _) = prim.signature();
        let mut elems = Vec::new();
        for (val, at) in args {
            match val.ty() {
                Some(ty) => elems.push(ty.elem),
                None if matches!(val, Val::Poison) => return Err(super::Poisoned),
                None => {
                    return self.fail(errors::operator_takes_numbers(
                        span,
                        prim.name(),
                        *at,
                        &val.describe(),
                    ));
                }
            }
        }
        let shared = |kind: Kind| {
            let mut all = takes.iter().zip(&elems).filter(|(k, _)| **k == kind).map(|(_, e)| *e);
            let first = all.next()?;
            Some(all.fold(first, |a, b| match (a, b) {
                (Elem::Real, Elem::Int) | (Elem::Int, Elem::Real) => Elem::Real,
                (a, _) => a,
            }))
        };
        let mut out = Vec::new();
        for (((val, at), kind), elem) in args.iter().zip(takes).zip(&elems) {
            let want = match kind {
                Kind::Real => Elem::Real,
                Kind::Int => Elem::Int,
                Kind::Bool => Elem::Bool,
                Kind::Number | Kind::Any => shared(*kind).unwrap_or(*elem),
            };
            let number = *kind == Kind::Number;
            if (number && *elem == Elem::Bool)
                || (*elem != want && !(want == Elem::Real && *elem == Elem::Int))
            {
                let want = if number { "a number".to_string() } else { want.to_string() };
                return self.fail(errors::operand_kind(span, prim.name(), *at, &want, &val.describe()));
            }
            out.push(self.cast(val, want, *at)?);
        }
        Ok(out)
    }

    /// Converts integers to reals, and truth values to numbers.
    pub(crate) fn cast(&mut self, val: &Val, want: Elem, span: Span) -> Res<Val> {
        let Some(ty) = val.ty() else {
            if matches!(val, Val::Poison) {
                return Err(super::Poisoned);
            }
            return self.fail(errors::expected_array(span, &val.describe()));
        };
        if ty.elem == want {
            return Ok(val.clone());
        }
        #[expect(clippy::cast_precision_loss, reason = "integers beyond 2^53 round, as documented")]
        match (val, want) {
            (Val::Int(Dim::Known(n)), Elem::Real) => return Ok(Val::real(*n as f64)),
            (Val::Known(t), Elem::Real) if t.len() <= 1 << 20 => {
                return Ok(Val::Known(Tensor::real(&t.sizes, t.to_reals())));
            }
            _ => {}
        }
        match (ty.elem, want) {
            (Elem::Int, Elem::Real) => self.emit("int_to_real", std::slice::from_ref(val), span),
            (Elem::Bool, Elem::Real) => self.emit("bool_to_real", std::slice::from_ref(val), span),
            (Elem::Bool, Elem::Int) => self.emit("bool_to_int", std::slice::from_ref(val), span),
            (_, want) => self.fail(errors::wrong_elem(span, &want.to_string(), &val.describe())),
        }
    }

    /// A real array, converting integers.
    pub(crate) fn cast_real(&mut self, val: &Val, span: Span) -> Res<Val> {
        if val.ty().is_some_and(|ty| ty.elem == Elem::Bool) {
            return self.fail(errors::wrong_elem(span, "real", &val.describe()));
        }
        self.cast(val, Elem::Real, span)
    }

    /// The dimensions that arrays share by broadcasting: they pair up from the right and must be
    /// equal; only missing leading ones are filled in.
    pub(crate) fn common_dims(&mut self, vals: &[Val], args: &[At<'_>], span: Span) -> Res<Vec<Dim>> {
        let mut widest: usize = 0;
        let types: Vec<Ty> = vals.iter().filter_map(Val::ty).collect();
        for (k, ty) in types.iter().enumerate() {
            if ty.rank() > types[widest].rank() {
                widest = k;
            }
        }
        let dims = types.get(widest).map(|ty| ty.dims.clone()).unwrap_or_default();
        for (k, ty) in types.iter().enumerate() {
            let tail = &dims[dims.len() - ty.rank()..];
            if !same_dims(tail, &ty.dims) {
                let left = (&types[widest], args[widest].1);
                let right = (ty, args[k].1);
                let (first, second) = if widest < k { (left, right) } else { (right, left) };
                return self.fail(errors::shapes_do_not_broadcast(span, first, second));
            }
        }
        Ok(dims)
    }

    /// Repeats an array along missing leading dimensions.
    pub(crate) fn spread(&mut self, val: &Val, dims: &[Dim], span: Span) -> Res<Val> {
        if val.ty().is_some_and(|ty| ty.rank() == dims.len()) {
            return Ok(val.clone());
        }
        let value = self.value(val, span)?;
        let build = self.build();
        build.at(span);
        let value = build.broadcast_to(value, dims);
        Ok(self.wrap(value))
    }

    /// `a + b`, `a - b`, `a * b`: on dimensions they stay dimensions.
    pub(crate) fn arith(&mut self, name: &str, a: At<'_>, b: At<'_>, span: Span) -> Res<Val> {
        if let (Val::Int(x), Val::Int(y)) = (a.0, b.0) {
            let result = match name {
                "add" => x.add(y),
                "sub" => x.sub(y),
                "mul" => x.mul(y),
                _ => return self.apply(name, &[a, b], span),
            };
            return match result {
                Some(dim) => Ok(Val::Int(dim)),
                None => self.fail(errors::int_overflow(span)),
            };
        }
        let result = self.apply(name, &[a, b], span)?;
        self.learn_arith(name, a.0, b.0, &result);
        Ok(result)
    }

    /// Intervals and offsets of staged integer sums and products with constants.
    fn learn_arith(&mut self, name: &str, a: &Val, b: &Val, result: &Val) {
        let Val::Staged(s) = result else { return };
        if s.ty.elem != Elem::Int || s.ty.rank() != 0 {
            return;
        }
        let (x, y) = (self.int_fact(a), self.int_fact(b));
        // With two varying operands the ends need not be reached together.
        let tight = x.tight && y.tight && (x.is_known() || y.is_known());
        let both = |f: fn(i64, i64) -> Option<i64>, p: Option<i64>, q: Option<i64>| f(p?, q?);
        let fact = match name {
            "add" => IntFact {
                lo: both(i64::checked_add, x.lo, y.lo),
                hi: both(i64::checked_add, x.hi, y.hi),
                base: if y.base.is_none() {
                    x.base
                } else if x.base.is_none() {
                    y.base
                } else {
                    None
                },
                offset: x.offset.wrapping_add(y.offset),
                tight,
            },
            "sub" => IntFact {
                lo: both(i64::checked_sub, x.lo, y.hi),
                hi: both(i64::checked_sub, x.hi, y.lo),
                base: if y.base.is_none() { x.base } else { None },
                offset: x.offset.wrapping_sub(y.offset),
                tight,
            },
            "mul" => {
                let ends: Option<Vec<i64>> = [(x.lo, y.lo), (x.lo, y.hi), (x.hi, y.lo), (x.hi, y.hi)]
                    .iter()
                    .map(|(p, q)| both(i64::checked_mul, *p, *q))
                    .collect();
                IntFact {
                    lo: ends.as_ref().and_then(|e| e.iter().min().copied()),
                    hi: ends.as_ref().and_then(|e| e.iter().max().copied()),
                    tight,
                    ..IntFact::default()
                }
            }
            "int_div" | "int_mod" => self.divided(name, x, y),
            _ => return,
        };
        // An offset without a base would claim that the value is a constant.
        let lost = fact.base.is_none() && (fact.lo.is_none() || fact.lo != fact.hi);
        let fact = if lost { IntFact { base: Some(s.value), offset: 0, ..fact } } else { fact };
        self.learn(result, fact);
    }

    fn divided(&self, name: &str, x: IntFact, y: IntFact) -> IntFact {
        let Some(k) = y.lo.filter(|k| Some(*k) == y.hi && *k > 0) else {
            return IntFact::default();
        };
        let inside = x.lo.is_some_and(|lo| lo >= 0) && x.hi.is_some_and(|hi| hi < k);
        if name == "int_mod" && inside {
            return x;
        }
        if name == "int_mod" {
            return IntFact { lo: Some(0), hi: Some(k - 1), ..IntFact::default() };
        }
        IntFact {
            lo: x.lo.map(|n| n.div_euclid(k)),
            hi: x.hi.map(|n| n.div_euclid(k)),
            tight: x.tight,
            ..IntFact::default()
        }
    }

    /// `a / b`: always real.
    pub(crate) fn divide(&mut self, a: At<'_>, b: At<'_>, span: Span) -> Res<Val> {
        self.apply("div", &[a, b], span)
    }

    /// `a div b`, `a mod b` of integers.
    pub(crate) fn int_divide(&mut self, name: &str, a: At<'_>, b: At<'_>, span: Span) -> Res<Val> {
        if let (Val::Int(x), Val::Int(y)) = (a.0, b.0) {
            if y.known() == Some(0) {
                return self.fail(errors::division_by_zero(span));
            }
            if let (Some(x), Some(y)) = (x.known(), y.known()) {
                let prim = if name == "int_div" {
                    crate::math::functions::int_div(x, y)
                } else {
                    crate::math::functions::int_mod(x, y)
                };
                return Ok(Val::int(prim));
            }
            if name == "int_div"
                && let Some(dim) = y.known().and_then(|y| x.div_exact(y))
            {
                return Ok(Val::Int(dim));
            }
        }
        let result = self.apply(name, &[a, b], span)?;
        self.learn_arith(name, a.0, b.0, &result);
        Ok(result)
    }

    /// `a ^ b`.
    pub(crate) fn power(&mut self, a: At<'_>, b: At<'_>, span: Span) -> Res<Val> {
        if matches!(b.0, Val::Int(Dim::Known(-1)))
            && let Some(ty) = a.0.ty()
            && let [rows, columns] = ty.dims.as_slice()
            && rows == columns
        {
            self.report(errors::reciprocals(span, &ty.to_string()));
        }
        if let (Val::Int(Dim::Known(x)), Val::Int(Dim::Known(y))) = (a.0, b.0)
            && let Ok(exponent) = u32::try_from(*y)
        {
            return match x.checked_pow(exponent) {
                Some(n) => Ok(Val::int(n)),
                None => self.fail(errors::int_overflow(span)),
            };
        }
        if let (Val::Int(x), Val::Int(Dim::Known(y))) = (a.0, b.0)
            && (0..=8).contains(y)
        {
            let power = (0..*y).try_fold(Dim::Known(1), |p, _| p.mul(x));
            if let Some(dim) = power {
                return Ok(Val::Int(dim));
            }
        }
        if matches!(a.0, Val::Tuple(_) | Val::Record(_)) {
            return self.apply_power_record(a, b, span);
        }
        let base = self.range_or(a.0, a.1)?;
        let base = self.cast_real(&base, a.1)?;
        match b.0.ty() {
            Some(ty) if ty.elem == Elem::Int => self.apply("powi", &[(&base, a.1), b], span),
            _ => self.apply("pow", &[(&base, a.1), b], span),
        }
    }

    fn apply_power_record(&mut self, a: At<'_>, b: At<'_>, span: Span) -> Res<Val> {
        let Some(leaves) = a.0.leaves() else {
            return self.fail(errors::not_a_vector(span, &a.0.describe()));
        };
        let mut out = Vec::new();
        for leaf in &leaves {
            out.push(self.power((leaf, a.1), b, span)?);
        }
        Ok(plain(a.0).rebuild(&mut out.into_iter()))
    }

    /// `-a`.
    pub(crate) fn negate(&mut self, a: At<'_>, span: Span) -> Res<Val> {
        match a.0 {
            Val::Int(dim) => match dim.mul(&Dim::Known(-1)) {
                Some(dim) => Ok(Val::Int(dim)),
                None => self.fail(errors::int_overflow(span)),
            },
            Val::Known(t) if t.sizes.is_empty() && t.elem() == Elem::Real => Ok(Val::real(-t.reals()[0])),
            _ => self.apply("neg", &[a], span),
        }
    }

    /// A comparison; decided at once where both sides are known.
    pub(crate) fn compare(&mut self, name: &str, a: At<'_>, b: At<'_>, span: Span) -> Res<Val> {
        if let Some(mut equal) = same_texts(a.0, b.0)
            && matches!(name, "eq" | "ne")
        {
            if name == "ne" {
                equal.iter_mut().for_each(|equal| *equal = !*equal);
            }
            return Ok(match (a.0, b.0) {
                (Val::Str(_), Val::Str(_)) => Val::bool(equal == [true]),
                _ => Val::Known(Tensor::bool(&[equal.len()], equal)),
            });
        }
        if let Some(decided) = decide(name, a.0, b.0) {
            return Ok(Val::bool(decided));
        }
        self.apply(name, &[a, b], span)
    }

    /// Whether two lists of dimensions must be the same.
    pub(crate) fn require_dims(&mut self, a: (&Ty, Span), b: (&Ty, Span), span: Span) -> Res<()> {
        if same_dims(&a.0.dims, &b.0.dims) {
            return Ok(());
        }
        self.fail(errors::shapes_do_not_broadcast(span, a, b))
    }
}

/// Whether two texts are the same; of columns, entry by entry. `None` if they are no texts, or columns of other lengths.
fn same_texts(a: &Val, b: &Val) -> Option<Vec<bool>> {
    match (a, b) {
        (Val::Str(x), Val::Str(y)) => Some(vec![x == y]),
        (Val::Strs(texts), Val::Str(one)) | (Val::Str(one), Val::Strs(texts)) => {
            Some(texts.iter().map(|text| **text == **one).collect())
        }
        (Val::Strs(xs), Val::Strs(ys)) if xs.len() == ys.len() => {
            Some(xs.iter().zip(ys.iter()).map(|(x, y)| x == y).collect())
        }
        _ => None,
    }
}

/// A table that takes part in arithmetic is a plain record.
fn plain(val: &Val) -> Val {
    match val {
        Val::Record(record) => Val::Record(Rc::new(Record { fields: record.fields.clone(), rows: None })),
        other => other.clone(),
    }
}

/// Whether dimensions are equal. A stand-in for an integer that is known only when the program
/// runs (`_1`) may equal anything.
pub(crate) fn same_dims(a: &[Dim], b: &[Dim]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || is_open(a) || is_open(b))
}

/// Whether a dimension depends on an integer that only a run computes.
pub(crate) fn is_open(dim: &Dim) -> bool {
    dim.names().iter().any(|name| name.starts_with('_'))
}

/// Comparisons of known scalars.
fn decide(name: &str, a: &Val, b: &Val) -> Option<bool> {
    let ordering = match (a, b) {
        (Val::Int(x), Val::Int(y)) => x.sub(y)?.known()?.partial_cmp(&0),
        _ => {
            let scalar = |val: &Val| match val {
                #[expect(clippy::cast_precision_loss, reason = "compared as reals, as at run time")]
                Val::Int(Dim::Known(n)) => Some(*n as f64),
                Val::Known(t) if t.sizes.is_empty() && t.elem() != Elem::Bool => Some(t.to_reals()[0]),
                _ => None,
            };
            scalar(a)?.partial_cmp(&scalar(b)?)
        }
    };
    use std::cmp::Ordering::{Equal, Greater, Less};
    Some(match name {
        "lt" => ordering == Some(Less),
        "le" => matches!(ordering, Some(Less | Equal)),
        "eq" => ordering == Some(Equal),
        "ne" => ordering != Some(Equal),
        "ge" => matches!(ordering, Some(Greater | Equal)),
        "gt" => ordering == Some(Greater),
        _ => return None,
    })
}

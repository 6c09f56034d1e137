//! Functions that cannot be written in the language itself, because they look at shapes, at
//! functions or at files. All others are in `stdlib`.

use std::sync::Arc;

use super::reductions::Reduction;
use super::value::{Argument, Res, Scope, Val};
use super::{Lower, errors};
use crate::data::Reading;
use crate::diag::Span;
use crate::ir::{Dim, Elem, Fold, Ty};
use crate::ops::Emit;
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind};

/// How a built-in function sees its arguments as written.
type Special = fn(&mut Lower<'_>, &Scope, &[Arg], Span) -> Res<Val>;

/// What a built-in function does with evaluated arguments.
type Apply = fn(&mut Lower<'_>, Vec<Argument>, Span) -> Res<Val>;

/// A built-in function.
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// One line of documentation.
    pub about: &'static str,
    special: Option<Special>,
    /// What it does with evaluated arguments.
    pub(crate) apply: Apply,
}

impl Builtin {
    /// Calls it with arguments as written.
    pub(crate) fn call(&self, lower: &mut Lower<'_>, scope: &Scope, args: &[Arg], span: Span) -> Res<Val> {
        if let Some(special) = self.special {
            return special(lower, scope, args, span);
        }
        let args = lower.arguments(scope, args)?;
        (self.apply)(lower, args, span)
    }
}

const fn plain(name: &'static str, about: &'static str, apply: Apply) -> Builtin {
    Builtin { name, about, special: None, apply }
}

macro_rules! reduction {
    ($name:literal, $what:expr, $about:literal) => {
        Builtin {
            name: $name,
            about: $about,
            special: Some(|lower, scope, args, span| lower.reduction_call($what, scope, args, span)),
            apply: |lower, args, span| lower.reduction($what, args, span),
        }
    };
}

macro_rules! derivative {
    ($name:literal, $about:literal, $make:expr) => {
        Builtin {
            name: $name,
            about: $about,
            special: Some(|lower, scope, args, span| {
                let (args, wrt) = lower.with_wrt(scope, args)?;
                let f = lower.function_argument($name, args, span)?;
                let make: fn(&mut Lower<'_>, Val, Vec<Arc<str>>, Span) -> Res<Val> = $make;
                make(lower, f, wrt, span)
            }),
            apply: |lower, args, span| {
                let f = lower.function_argument($name, args, span)?;
                let make: fn(&mut Lower<'_>, Val, Vec<Arc<str>>, Span) -> Res<Val> = $make;
                make(lower, f, Vec::new(), span)
            },
        }
    };
}

static BUILTINS: &[Builtin] = &[
    reduction!("sum", Reduction::Sum, "the sum of all entries, or over a generator"),
    reduction!("mean", Reduction::Mean, "the mean of all entries, or over a generator"),
    reduction!("prod", Reduction::Prod, "the product of all entries, or over a generator"),
    reduction!("max", Reduction::Max, "the greatest entry, or the greater of two"),
    reduction!("min", Reduction::Min, "the least entry, or the lesser of two"),
    reduction!("all", Reduction::All, "whether all are true"),
    reduction!("any", Reduction::Any, "whether any is true"),
    reduction!("logsumexp", Reduction::LogSumExp, "log(sum(exp(x))) without overflow"),
    reduction!("argmax", Reduction::ArgMax, "where the greatest is"),
    reduction!("argmin", Reduction::ArgMin, "where the least is"),
    derivative!("grad", "the gradient of a scalar function", |l, f, wrt, s| l.gradient(f, wrt, false, s)),
    derivative!("value_and_grad", "value and gradient together", |l, f, wrt, s| l.gradient(f, wrt, true, s)),
    derivative!("jacobian", "all partial derivatives", |l, f, wrt, _| Ok(l.jacobian(f, wrt))),
    derivative!("hessian", "all second partial derivatives", |l, f, wrt, _| Ok(l.hessian(f, wrt))),
    derivative!("laplacian", "the trace of the Hessian", |l, f, wrt, _| Ok(l.laplacian(f, wrt))),
    plain("jvp", "the derivative of f at x in direction v", |l, args, s| {
        let [f, x, v] = l.fixed("jvp", args, s)?;
        l.forward(&f.value, &x, &v, s).map(|(_, tangent)| tangent)
    }),
    plain("vjp", "the transposed derivative of f at x applied to u", |l, args, s| {
        let [f, x, u] = l.fixed("vjp", args, s)?;
        l.backward(&f.value, &x, &u.value, s)
    }),
    plain("hvp", "the Hessian of f at x times v", |l, args, s| {
        let [f, x, v] = l.fixed("hvp", args, s)?;
        l.hessian_vector(&f.value, &x, &v, s)
    }),
    plain("constant", "its argument, constant for differentiation", |l, args, s| {
        let [x] = l.fixed("constant", args, s)?;
        l.constant(&x.value, s)
    }),
    plain("dot", "the sum of products of entries", |l, args, s| {
        let [a, b] = l.fixed("dot", args, s)?;
        l.dot((&a.value, a.span), (&b.value, b.span), s)
    }),
    plain("norm", "the Euclidean norm", |l, args, s| {
        let [a] = l.fixed("norm", args, s)?;
        l.norm((&a.value, a.span), s)
    }),
    plain("where", "the elementwise choice", |l, args, s| {
        let [c, a, b] = l.fixed("where", args, s)?;
        let (a, b) = l.same_elem(&a, &b)?;
        l.apply("where", &[(&c.value, c.span), (&a.value, a.span), (&b.value, b.span)], s)
    }),
    plain("flatten", "all entries as one vector", |l, args, s| {
        let [a] = l.fixed("flatten", args, s)?;
        l.flatten(&a.value, s)
    }),
    plain("eye", "the identity matrix", |l, args, s| {
        let [n] = l.fixed("eye", args, s)?;
        let n = l.known_dim(&n)?;
        l.eye(&n, s)
    }),
    plain("diag", "the diagonal of a matrix, or the matrix of a diagonal", |l, args, s| {
        let [a] = l.fixed("diag", args, s)?;
        l.diag((&a.value, a.span), s)
    }),
    plain("trace", "the sum of the diagonal", |l, args, s| {
        let [a] = l.fixed("trace", args, s)?;
        l.trace((&a.value, a.span), s)
    }),
    plain("cholesky", "the lower Cholesky factor", |l, args, s| {
        let [a] = l.fixed("cholesky", args, s)?;
        l.cholesky((&a.value, a.span), s)
    }),
    plain("forward_solve", "inv(L) @ b for lower triangular L", |l, args, s| {
        let [a, b] = l.fixed("forward_solve", args, s)?;
        l.triangular_solve((&a.value, a.span), (&b.value, b.span), false, s)
    }),
    plain("back_solve", "inv(L') @ b for lower triangular L", |l, args, s| {
        let [a, b] = l.fixed("back_solve", args, s)?;
        l.triangular_solve((&a.value, a.span), (&b.value, b.span), true, s)
    }),
    plain("inv", "the inverse, as in inv(A) @ b", |l, args, s| {
        let [a] = l.fixed("inv", args, s)?;
        l.inverse((&a.value, a.span), s)
    }),
    plain("det", "the determinant", |l, args, s| {
        let [a] = l.fixed("det", args, s)?;
        l.determinant((&a.value, a.span), false, s)
    }),
    plain("logdet", "log(abs(det(A)))", |l, args, s| {
        let [a] = l.fixed("logdet", args, s)?;
        l.determinant((&a.value, a.span), true, s)
    }),
    plain("cofactors", "det(A)*inv(A)', also where there is no inverse", |l, args, s| {
        let [a] = l.fixed("cofactors", args, s)?;
        l.cofactors((&a.value, a.span), s)
    }),
    plain("qr", "(Q, R) with A = Q @ R", |l, args, s| {
        let [a] = l.fixed("qr", args, s)?;
        l.qr((&a.value, a.span), s)
    }),
    plain("eigh", "(values, vectors) of a symmetric matrix", |l, args, s| {
        let [a] = l.fixed("eigh", args, s)?;
        l.eigh((&a.value, a.span), s)
    }),
    plain("svd", "(U, s, V) with A = U @ diag(s) @ V'", |l, args, s| {
        let [a] = l.fixed("svd", args, s)?;
        l.svd((&a.value, a.span), s)
    }),
    plain("len", "the size of the first dimension", |l, args, s| {
        let [a] = l.fixed("len", args, s)?;
        l.len(&a)
    }),
    plain("last", "the last element", |l, args, s| {
        let [a] = l.fixed("last", args, s)?;
        let n = l.len(&a)?;
        let at = l.arith("sub", (&n, s), (&Val::int(1), s), s)?;
        let source = l.source(&a.value, a.span, false)?;
        l.source_at(&source, &at, s)
    }),
    plain("linspace", "n numbers from a to b in equal steps", |l, args, s| l.linspace(args, s)),
    plain("append", "an array with one more element", |l, args, s| l.append(args, s)),
    plain("concat", "arrays one behind the other", |l, args, s| l.concat_values(args, s)),
    plain("reshape", "the same entries under other dimensions", |l, args, s| l.reshape(args, s)),
    plain("cumsum", "running sums along the first dimension", |l, args, s| {
        let [a] = l.fixed("cumsum", args, s)?;
        l.along(&a, s, |b, v| b.cumsum(v, 0, false))
    }),
    plain("cumprod", "running products along the first dimension", |l, args, s| {
        l.running_fold("cumprod", Fold::Prod, args, s)
    }),
    plain("cummax", "the greatest so far, along the first dimension", |l, args, s| {
        l.running_fold("cummax", Fold::Max, args, s)
    }),
    plain("cummin", "the least so far, along the first dimension", |l, args, s| {
        l.running_fold("cummin", Fold::Min, args, s)
    }),
    plain("reverse", "the elements in the other order", |l, args, s| {
        let [a] = l.fixed("reverse", args, s)?;
        l.along(&a, s, |b, v| b.reverse(v, 0))
    }),
    plain("argsort", "the indices that sort a vector", |l, args, s| {
        let [a] = l.fixed("argsort", args, s)?;
        l.along(&a, s, |b, v| b.argsort(v, 0))
    }),
    plain("sort", "a vector in ascending order", |l, args, s| {
        let [a] = l.fixed("sort", args, s)?;
        l.along(&a, s, |b, v| {
            let order = b.argsort(v, 0);
            b.gather(v, &[order])
        })
    }),
    plain("top_k", "the indices of the k greatest entries, greatest first", |l, args, s| l.top_k(args, s)),
    plain("real", "an integer or truth value as a real", |l, args, s| {
        let [a] = l.fixed("real", args, s)?;
        l.cast(&a.value, Elem::Real, s)
    }),
    plain("int", "a real rounded toward zero, or a truth value, as an integer", |l, args, s| {
        let [a] = l.fixed("int", args, s)?;
        match a.value.ty() {
            Some(ty) if ty.elem == Elem::Real => l.emit("real_to_int", &[a.value], s),
            _ => l.cast(&a.value, Elem::Int, s),
        }
    }),
    Builtin {
        name: "expect",
        about: "the expectation over draws",
        special: Some(|l, scope, args, s| l.expectation(scope, args, s)),
        apply: |l, _, s| l.fail(errors::expect_form(s)),
    },
    Builtin {
        name: "checkpoint",
        about: "its argument, computed again by reverse mode instead of kept",
        special: Some(|l, scope, args, s| l.checkpoint(scope, args, s)),
        apply: |l, _, s| l.fail(errors::checkpoint_of(s, "a value that is computed already")),
    },
    plain("cost", "the cost of an expression", |l, _, s| l.fail(errors::not_yet(s, "`cost`"))),
    plain("csv", "a table from a file with a header", |l, args, s| l.load("csv", args, s)),
    plain("npy", "an array from a NumPy file", |l, args, s| l.load("npy", args, s)),
    plain("npz", "named arrays from a NumPy archive", |l, args, s| l.load("npz", args, s)),
    plain("json", "arrays or a table from a JSON file", |l, args, s| l.load("json", args, s)),
    plain("matrix", "columns of a table side by side", |l, args, s| l.table_matrix(args, s)),
    plain("names", "the column names of a table", |l, args, s| l.table_names(args, s)),
    plain("standardize", "each column less its mean, over its standard deviation", |l, args, s| {
        l.table_standardize(args, s)
    }),
    plain("one_hot", "a row of zeros with a one for each class", |l, args, s| l.table_one_hot(args, s)),
    plain("split", "a table in two at random", |l, args, s| l.table_split(args, s)),
    plain("group", "numbers for the distinct values of a column", |l, args, s| l.table_group(args, s)),
    plain("table", "a record of columns as a table", |l, args, s| l.table_of(args, s)),
];

/// The built-in function of a name.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// The names of all built-in functions and constants.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|builtin| builtin.name).chain(["pi", "e", "inf", "zeros", "ones"])
}

/// All built-in functions with a line about each.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUILTINS.iter().map(|builtin| (builtin.name, builtin.about))
}

/// A built-in constant.
pub(crate) fn constant(name: &str) -> Option<Val> {
    match name {
        "pi" => Some(Val::real(std::f64::consts::PI)),
        "e" => Some(Val::real(std::f64::consts::E)),
        "inf" => Some(Val::real(f64::INFINITY)),
        _ => None,
    }
}

impl Lower<'_> {
    /// A fixed number of positional arguments.
    pub(crate) fn fixed<const N: usize>(
        &mut self,
        name: &str,
        args: Vec<Argument>,
        span: Span,
    ) -> Res<[Argument; N]> {
        if let Some(named) = args.iter().find_map(|arg| arg.name.clone()) {
            return self.fail(errors::unknown_argument(named.span, name, &named.name, &[]));
        }
        let count = args.len();
        match args.try_into() {
            Ok(args) => Ok(args),
            Err(_) => self.fail(errors::argument_count(span, name, N, count)),
        }
    }

    /// Arguments, with the names in `wrt = (a, b)` taken as written.
    fn with_wrt(&mut self, scope: &Scope, args: &[Arg]) -> Res<(Vec<Argument>, Vec<Arc<str>>)> {
        let mut wrt = Vec::new();
        let mut rest = Vec::new();
        for arg in args {
            match (&arg.name, &arg.value) {
                (Some(name), ArgValue::Expr(e)) if &*name.name == "wrt" => {
                    let items: Vec<&Expr> = match &*e.kind {
                        ExprKind::Tuple(items) => items.iter().collect(),
                        ExprKind::Paren(inner) => vec![inner],
                        _ => vec![e],
                    };
                    for item in items {
                        let ExprKind::Name(name) = &*item.kind else {
                            return self.fail(errors::wrt_names(item.span));
                        };
                        wrt.push(name.clone());
                    }
                }
                _ => rest.push(arg.clone()),
            }
        }
        Ok((self.arguments(scope, &rest)?, wrt))
    }

    fn function_argument(&mut self, name: &str, args: Vec<Argument>, span: Span) -> Res<Val> {
        let [f] = match <[Argument; 1]>::try_from(args) {
            Ok(args) => args,
            Err(args) if args.len() == 2 => {
                let by_place = args[1].name.is_some() || matches!(args[1].value, Val::Int(_));
                return self.fail(errors::derivative_call(span, name, by_place));
            }
            Err(args) => return self.fail(errors::argument_count(span, name, 1, args.len())),
        };
        match f.value {
            Val::Function(_) | Val::Objective(_) => Ok(f.value),
            Val::Poison => Err(super::Poisoned),
            other => self.fail(errors::expected_function(f.span, name, &other.describe())),
        }
    }

    /// Two values with the same kind of elements.
    fn same_elem(&mut self, a: &Argument, b: &Argument) -> Res<(Argument, Argument)> {
        let (mut a, mut b) = (a.clone(), b.clone());
        let elem = |arg: &Argument| arg.value.ty().map(|ty| ty.elem);
        if elem(&a) == Some(Elem::Real) && elem(&b) == Some(Elem::Int) {
            b.value = self.cast_real(&b.value, b.span)?;
        } else if elem(&a) == Some(Elem::Int) && elem(&b) == Some(Elem::Real) {
            a.value = self.cast_real(&a.value, a.span)?;
        }
        Ok((a, b))
    }

    fn known_dim(&mut self, arg: &Argument) -> Res<Dim> {
        match &arg.value {
            Val::Int(dim) => Ok(dim.clone()),
            other => self.fail(errors::dimension_kind(arg.span, &other.describe())),
        }
    }

    fn len(&mut self, arg: &Argument) -> Res<Val> {
        let source = self.source(&arg.value, arg.span, false)?;
        Ok(Val::Int(self.source_len(&source)))
    }

    fn linspace(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        let [a, b, n] = self.fixed("linspace", args, span)?;
        let dim = self.known_dim(&n)?;
        if dim.known().is_some_and(|n| n < 2) {
            return self.fail(errors::linspace_count(n.span));
        }
        self.check_size(&[Ty::new(Elem::Real, vec![dim.clone()])], span)?;
        let (lo, hi) = (self.cast_real(&a.value, a.span)?, self.cast_real(&b.value, b.span)?);
        let steps = self.counting(&dim, span);
        let steps = self.cast_real(&steps, span)?;
        let count = dim.sub(&Dim::Known(1)).ok_or(super::Poisoned)?;
        let count = self.cast_real(&Val::Int(count), span)?;
        // a*(1 - s) + b*s hits both ends exactly.
        let s = self.divide((&steps, span), (&count, span), span)?;
        let rest = self.apply("sub", &[(&Val::real(1.0), span), (&s, span)], span)?;
        let left = self.apply("mul", &[(&lo, a.span), (&rest, span)], span)?;
        let right = self.apply("mul", &[(&hi, b.span), (&s, span)], span)?;
        self.apply("add", &[(&left, span), (&right, span)], span)
    }

    fn append(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        let [a, x] = self.fixed("append", args, span)?;
        if let Val::List(items) = &a.value {
            let mut items = items.to_vec();
            items.push(x.value.clone());
            return Ok(Val::list(items));
        }
        let one = self.stack(vec![x.value.clone()], &[x.span], span)?;
        if a.value.ty().is_some_and(|ty| ty.dims.first().and_then(Dim::known) == Some(0)) {
            return Ok(one);
        }
        let one = Argument { name: None, value: one, span: x.span };
        self.concat_values(vec![a, one], span)
    }

    fn concat_values(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        if args.is_empty() {
            return self.fail(errors::argument_count(span, "concat", 2, 0));
        }
        let real = args.iter().any(|a| a.value.ty().is_some_and(|t| t.elem == Elem::Real));
        let mut parts = Vec::new();
        let mut head: Option<(Ty, Span)> = None;
        for arg in &args {
            let val = match &arg.value {
                Val::Range(..) => {
                    let source = self.source(&arg.value, arg.span, false)?;
                    self.range_array(&source, arg.span)?
                }
                other => other.clone(),
            };
            let val = if real { self.cast_real(&val, arg.span)? } else { val };
            let Some(ty) = val.ty().filter(|ty| ty.rank() > 0) else {
                return self.fail(errors::expected_array(arg.span, &val.describe()));
            };
            if let Some((known, at)) = &head
                && (known.elem != ty.elem || !super::arith::same_dims(&known.dims[1..], &ty.dims[1..]))
            {
                return self.fail(errors::concat_differs(span, (known, *at), (&ty, arg.span)));
            }
            head.get_or_insert((ty, arg.span));
            parts.push(self.value(&val, arg.span)?);
        }
        self.build().at(span);
        let value = self.build().concat(&parts, 0);
        Ok(self.wrap(value))
    }

    fn reshape(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        let mut args = args.into_iter();
        let Some(a) = args.next() else {
            return self.fail(errors::argument_count(span, "reshape", 2, 0));
        };
        let mut dims = Vec::new();
        for arg in args {
            dims.push(self.known_dim(&arg)?);
        }
        let mut a = a;
        if let Val::Range(..) = a.value {
            let source = self.source(&a.value, a.span, false)?;
            a.value = self.range_array(&source, a.span)?;
        }
        let Some(ty) = a.value.ty() else {
            return self.fail(errors::expected_array(a.span, &a.value.describe()));
        };
        let count = |dims: &[Dim]| Dim::product(dims);
        let wanted = Ty::new(ty.elem, dims.clone());
        let (from, to) = (count(&ty.dims).ok_or(super::Poisoned)?, count(&dims).ok_or(super::Poisoned)?);
        if !super::arith::same_dims(&[from], &[to]) {
            return self.fail(errors::reshape_count(span, &ty.to_string(), &wanted.to_string()));
        }
        let value = self.value(&a.value, a.span)?;
        self.build().at(span);
        let value = self.build().reshape(value, &dims);
        Ok(self.wrap(value))
    }

    /// An op along the first dimension of an array.
    fn along(
        &mut self,
        arg: &Argument,
        span: Span,
        run: impl FnOnce(&mut crate::ir::Build, crate::ir::Value) -> crate::ir::Value,
    ) -> Res<Val> {
        match arg.value.ty() {
            Some(ty) if ty.rank() > 0 => {}
            _ => return self.fail(errors::expected_array(arg.span, &arg.value.describe())),
        }
        let value = self.value(&arg.value, arg.span)?;
        self.build().at(span);
        let value = run(self.build(), value);
        Ok(self.wrap(value))
    }

    /// A running fold along the first dimension.
    fn running_fold(&mut self, name: &str, fold: Fold, args: Vec<Argument>, span: Span) -> Res<Val> {
        let [mut a] = self.fixed(name, args, span)?;
        if a.value.ty().is_some_and(|ty| ty.elem == Elem::Bool) {
            a.value = self.cast(&a.value, Elem::Int, span)?;
        }
        self.along(&a, span, |b, v| b.running(fold, v))
    }

    fn top_k(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        let [v, k] = self.fixed("top_k", args, span)?;
        let k_dim = self.known_dim(&k)?;
        let Some(n) = v.value.ty().and_then(|ty| ty.dims.first().cloned()) else {
            return self.fail(errors::expected_array(v.span, &v.value.describe()));
        };
        if let (Some(k), Some(n)) = (k_dim.known(), n.known())
            && k > n
        {
            return self.fail(errors::top_k_count(span, k, n));
        }
        let negative = self.negate((&v.value, v.span), span)?;
        let negative = Argument { name: None, value: negative, span: v.span };
        self.along(&negative, span, |b, v| {
            let order = b.argsort(v, 0);
            b.slice_axis(order, 0, &Dim::Known(0), &k_dim)
        })
    }

    /// A named argument that is true or false, taken out; false where it is left out. No other may be named.
    fn flag(&mut self, function: &str, name: &str, args: &mut Vec<Argument>) -> Res<bool> {
        let named = |arg: &Argument| arg.name.as_ref().is_some_and(|key| &*key.name == name);
        let Some(at) = args.iter().position(named) else {
            return match args.iter().find_map(|arg| arg.name.clone()) {
                Some(key) => self.fail(errors::unknown_argument(key.span, function, &key.name, &[name])),
                None => Ok(false),
            };
        };
        let flag = args.remove(at);
        match super::expr::known_bool(&flag.value) {
            Some(flag) => Ok(flag),
            None => self.fail(errors::wrong_elem(flag.span, "true or false", &flag.value.describe())),
        }
    }

    fn load(&mut self, function: &str, mut args: Vec<Argument>, span: Span) -> Res<Val> {
        let drop_missing =
            if function == "csv" { self.flag(function, "drop_missing", &mut args)? } else { false };
        let [path] = self.fixed(function, args, span)?;
        let Val::Str(text) = &path.value else {
            return self.fail(errors::wrong_elem(path.span, "a path in quotes", &path.value.describe()));
        };
        let reading = Reading { function, path: text, drop_missing };
        match self.host.load(reading, path.span) {
            Ok(Some(loaded)) => Ok(super::tables::from_loaded(loaded)),
            Ok(None) => {
                self.pretended = true;
                Err(super::Poisoned)
            }
            Err(report) => self.fail(*report),
        }
    }
}

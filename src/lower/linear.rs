//! Linear algebra: products, transposes, norms, factorisations, block matrices.

use super::arith::At;
use super::value::{Res, Scope, Val};
use super::{Lower, errors};
use crate::diag::Span;
use crate::ir::{Dim, Elem, Fold, Ty};
use crate::ops::Emit;
use crate::syntax::ast::{Expr, ExprKind};

impl Lower<'_> {
    /// `a @ b`: the last dimension of `a` with the first of `b`.
    pub(crate) fn matmul(&mut self, a: At<'_>, b: At<'_>, span: Span, op: Span) -> Res<Val> {
        let (x, y) = (self.real_array(a)?, self.real_array(b)?);
        let (tx, ty) = (x.ty().ok_or(super::Poisoned)?, y.ty().ok_or(super::Poisoned)?);
        let (Some(last), Some(first)) = (tx.dims.last(), ty.dims.first()) else {
            return self.fail(errors::matmul_of_scalar(op, (&tx, a.1), (&ty, b.1)));
        };
        if !super::arith::same_dims(std::slice::from_ref(last), std::slice::from_ref(first)) {
            return self.fail(errors::matmul_shapes(span, (&tx, a.1), (&ty, b.1)));
        }
        if let Some(product) = self.product_with_inverse((&x, a.1), (&y, b.1), span)? {
            return Ok(product);
        }
        let (u, v) = (self.value(&x, a.1)?, self.value(&y, b.1)?);
        self.build().at(span);
        let value = self.build().dot(u, v, &[], &[(tx.rank() - 1, 0)]);
        Ok(self.wrap(value))
    }

    pub(crate) fn real_array(&mut self, (val, span): At<'_>) -> Res<Val> {
        match val.ty() {
            Some(ty) if ty.elem == Elem::Bool => self.fail(errors::wrong_elem(span, "real", &ty.to_string())),
            Some(_) => self.cast(val, Elem::Real, span),
            None => self.fail(errors::expected_array(span, &val.describe())),
        }
    }

    /// `dot(a, b)`: the sum of products of all entries of arrays or records of one shape.
    pub(crate) fn dot(&mut self, a: At<'_>, b: At<'_>, span: Span) -> Res<Val> {
        let (Some(xs), Some(ys)) = (a.0.leaves(), b.0.leaves()) else {
            let bad = if a.0.leaves().is_none() { a } else { b };
            return self.fail(errors::not_a_vector(bad.1, &bad.0.describe()));
        };
        if xs.len() != ys.len() || xs.is_empty() {
            return self.fail(errors::records_differ(span, &a.0.describe(), &b.0.describe()));
        }
        let mut sum: Option<Val> = None;
        for (x, y) in xs.iter().zip(&ys) {
            let one = self.dot_leaf((x, a.1), (y, b.1), span)?;
            sum = Some(match sum {
                None => one,
                Some(sum) => self.arith("add", (&sum, span), (&one, span), span)?,
            });
        }
        sum.ok_or(super::Poisoned)
    }

    fn dot_leaf(&mut self, a: At<'_>, b: At<'_>, span: Span) -> Res<Val> {
        let (x, y) = (self.real_array(a)?, self.real_array(b)?);
        let (tx, ty) = (x.ty().ok_or(super::Poisoned)?, y.ty().ok_or(super::Poisoned)?);
        if !super::arith::same_dims(&tx.dims, &ty.dims) {
            return self.fail(errors::dot_shapes(span, (&tx, a.1), (&ty, b.1)));
        }
        if tx.rank() == 0 {
            return self.apply("mul", &[(&x, a.1), (&y, b.1)], span);
        }
        let (u, v) = (self.value(&x, a.1)?, self.value(&y, b.1)?);
        let pairs: Vec<(usize, usize)> = (0..tx.rank()).map(|k| (k, k)).collect();
        self.build().at(span);
        let value = self.build().dot(u, v, &[], &pairs);
        Ok(self.wrap(value))
    }

    /// `norm(x)`: Euclidean; its derivative at 0 is 0.
    pub(crate) fn norm(&mut self, a: At<'_>, span: Span) -> Res<Val> {
        let square = self.dot(a, a, span)?;
        let zero = Val::real(0.0);
        // NaN must stay NaN: only an exact zero takes the other side.
        let is_zero = self.apply("eq", &[(&square, span), (&zero, span)], span)?;
        let safe =
            self.apply("where", &[(&is_zero, span), (&Val::real(1.0), span), (&square, span)], span)?;
        let root = self.apply("sqrt", &[(&safe, span)], span)?;
        self.apply("where", &[(&is_zero, span), (&zero, span), (&root, span)], span)
    }

    /// `A'`
    pub(crate) fn transpose(&mut self, a: &Val, span: Span) -> Res<Val> {
        let Some(ty) = a.ty() else {
            return self.fail(errors::expected_array(span, &a.describe()));
        };
        if ty.rank() != 2 {
            return self.fail(errors::transpose_rank(span, &ty.to_string()));
        }
        let value = self.value(a, span)?;
        self.build().at(span);
        let value = self.build().permute(value, &[1, 0]);
        let result = self.wrap(value);
        self.learn_transpose(a, &result);
        Ok(result)
    }

    /// The lower Cholesky factor; NaN if the matrix is not positive definite.
    pub(crate) fn cholesky(&mut self, a: At<'_>, span: Span) -> Res<Val> {
        let (x, _) = self.square(a, "cholesky")?;
        let value = self.value(&x, a.1)?;
        self.build().at(span);
        let value = self.build().cholesky(value);
        Ok(self.wrap(value))
    }

    /// `inv(L) @ b`, or `inv(L') @ b`, for lower triangular L.
    pub(crate) fn triangular_solve(
        &mut self,
        l: At<'_>,
        b: At<'_>,
        transposed: bool,
        span: Span,
    ) -> Res<Val> {
        let (x, n) = self.square(l, if transposed { "back_solve" } else { "forward_solve" })?;
        let y = self.real_array(b)?;
        let ty = y.ty().ok_or(super::Poisoned)?;
        let fits = ty.rank() >= 1
            && ty.rank() <= 2
            && super::arith::same_dims(&ty.dims[..1], std::slice::from_ref(&n));
        if !fits {
            let tx = x.ty().ok_or(super::Poisoned)?;
            return self.fail(errors::matmul_shapes(span, (&tx, l.1), (&ty, b.1)));
        }
        let (u, v) = (self.value(&x, l.1)?, self.value(&y, b.1)?);
        self.build().at(span);
        let solved = self.build().triangular_solve(u, v, transposed);
        Ok(self.wrap(solved))
    }

    /// `eye(n)`
    pub(crate) fn eye(&mut self, n: &Dim, span: Span) -> Res<Val> {
        let dims = [n.clone(), n.clone()];
        self.check_size(&[Ty::new(Elem::Real, dims.to_vec())], span)?;
        self.build().at(span);
        let i = self.build().iota(&dims, 0);
        let j = self.build().iota(&dims, 1);
        let same = self.build().call("eq", &[i, j]);
        let value = self.build().call("bool_to_real", &[same]);
        Ok(self.wrap(value))
    }

    /// The diagonal of a matrix, or the matrix with a diagonal.
    pub(crate) fn diag(&mut self, a: At<'_>, span: Span) -> Res<Val> {
        let x = self.real_array(a)?;
        let ty = x.ty().ok_or(super::Poisoned)?;
        match ty.dims.as_slice() {
            [n] => {
                let n = n.clone();
                let eye = self.eye(&n, span)?;
                self.apply("mul", &[(&eye, span), (&x, a.1)], span)
            }
            [n, m] if super::arith::same_dims(std::slice::from_ref(n), std::slice::from_ref(m)) => {
                let places = self.counting(&n.clone(), span);
                let (v, i) = (self.value(&x, a.1)?, self.value(&places, span)?);
                self.build().at(span);
                let value = self.build().gather(v, &[i, i]);
                Ok(self.wrap(value))
            }
            _ => self.fail(errors::not_square(a.1, "diag", &ty.to_string())),
        }
    }

    /// The sum of the diagonal.
    pub(crate) fn trace(&mut self, a: At<'_>, span: Span) -> Res<Val> {
        let (x, _) = self.square(a, "trace")?;
        let diagonal = self.diag((&x, a.1), span)?;
        self.fold(Fold::Sum, &diagonal, &[0], span)
    }

    /// `[[A, B], [B', C]]`: rows of matrices make one matrix. `None` if it is no block matrix.
    pub(crate) fn blocks(&mut self, scope: &Scope, items: &[Expr], span: Span) -> Res<Option<Val>> {
        let rows: Option<Vec<&Vec<Expr>>> = items
            .iter()
            .map(|item| match &*item.kind {
                ExprKind::Array(cells) => Some(cells),
                _ => None,
            })
            .collect();
        let Some(rows) = rows else { return Ok(None) };
        let mut lines = Vec::new();
        let mut any = false;
        for cells in &rows {
            let mut line = Vec::new();
            for cell in cells.iter() {
                let val = self.expr(scope, cell)?;
                any |= val.ty().is_some_and(|ty| ty.rank() == 2);
                line.push((val, cell.span));
            }
            lines.push(line);
        }
        if !any {
            // Plain nested arrays: stack what has been elaborated.
            let mut stacked = Vec::new();
            for (line, item) in lines.into_iter().zip(items) {
                let (vals, spans): (Vec<Val>, Vec<Span>) = line.into_iter().unzip();
                stacked.push(self.stack(vals, &spans, item.span)?);
            }
            let spans: Vec<Span> = items.iter().map(|item| item.span).collect();
            return self.stack(stacked, &spans, span).map(Some);
        }
        let mut bands = Vec::new();
        for (line, item) in lines.iter().zip(items) {
            bands.push((self.beside(line, 1, item.span)?, item.span));
        }
        self.beside(&bands, 0, span).map(Some)
    }

    /// Matrices beside each other (axis 1) or below each other (axis 0).
    fn beside(&mut self, cells: &[(Val, Span)], axis: usize, span: Span) -> Res<Val> {
        let mut parts = Vec::new();
        let mut first: Option<(Ty, Span)> = None;
        for (val, at) in cells {
            let x = self.real_array((val, *at))?;
            let ty = x.ty().ok_or(super::Poisoned)?;
            if ty.rank() != 2 {
                return self.fail(errors::block_rank(*at, &ty.to_string()));
            }
            if let Some((known, known_at)) = &first
                && !super::arith::same_dims(&known.dims[1 - axis..2 - axis], &ty.dims[1 - axis..2 - axis])
            {
                return self.fail(errors::blocks_differ(span, (known, *known_at), (&ty, *at)));
            }
            first.get_or_insert((ty, *at));
            parts.push(self.value(&x, *at)?);
        }
        if parts.is_empty() {
            return self.fail(errors::block_rank(span, "nothing"));
        }
        self.build().at(span);
        let value = self.build().concat(&parts, axis);
        Ok(self.wrap(value))
    }
}

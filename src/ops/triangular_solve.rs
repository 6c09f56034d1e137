//! `triangular_solve`: linear equations with a triangular matrix.

use super::{Emit, matrix, shape};
use crate::ir::{Attr, Build, Derivative, Dim, Elem, Facts, Form, Misfit, Tensor, Trap, Ty, Value, space};

/// `inv(L) @ b`, or `inv(L') @ b` if `transposed`, for lower triangular `L: [.., n, n]` and
/// `b: [.., n, k]`; leading axes are batches. Only the lower triangle of `L` is read.
///
/// Its derivative is its own rule, for it is not linear in `L`; being linear in `b`, it answers
/// [`Facts::transpose`] for operand 1.
///
/// Kernel `triangular_solve(out, [l, b], [batch, n, k, transposed])`: the number of systems, the
/// order of `L`, the number of columns of `b`, whether `L` is transposed (0 or 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriangularSolve {
    /// Whether `L` is transposed.
    pub transposed: bool,
}

impl Facts for TriangularSolve {
    fn name(&self) -> &'static str {
        "triangular_solve"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        vec![("transposed", Attr::Flag(self.transposed))]
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 2)?;
        let (l, b) = (&operands[0], &operands[1]);
        shape::square(l)?;
        shape::elements(Elem::Real, b)?;
        if b.rank() != l.rank() {
            let text = format!("{l} and {b} have different numbers of axes");
            return Err(Misfit(text));
        }
        let mut ty = b.clone();
        for axis in 0..b.rank() - 1 {
            ty.dims[axis] = shape::agree(l, axis, b, axis)?;
        }
        Ok(ty)
    }

    fn derivative(&self) -> Derivative {
        Derivative::Own
    }

    /// From `L x = b`: `L dx = db - dL x`.
    fn jvp(
        &self,
        build: &mut Build,
        operands: &[Value],
        result: Value,
        tangents: &[Option<Value>],
    ) -> Option<Value> {
        let moved = tangents[0].map(|tangent| {
            let tangent = matrix::lower(build, tangent, 1.0);
            let tangent = match self.transposed {
                true => matrix::swapped(build, tangent),
                false => tangent,
            };
            matrix::product(build, tangent, result)
        });
        let right = match (tangents[1], moved) {
            (Some(tangent), Some(moved)) => build.call("sub", &[tangent, moved]),
            (Some(tangent), None) => tangent,
            (None, Some(moved)) => build.call("neg", &[moved]),
            (None, None) => return None,
        };
        Some(build.triangular_solve(operands[0], right, self.transposed))
    }

    fn transpose(&self, build: &mut Build, cotangent: Value, operands: &[Value], which: usize) -> Value {
        assert_eq!(which, 1, "triangular_solve is not linear in L");
        build.triangular_solve(operands[0], cotangent, !self.transposed)
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let (l, b) = (operands[0], operands[1]);
        if batched[0] {
            let b = shape::lead(build, b, batched[1], size);
            return build.triangular_solve(l, b, self.transposed);
        }
        // One matrix for all: the right sides stand side by side as columns.
        let b = shape::lead(build, b, batched[1], size);
        let rank = build.ty(b).rank();
        let order: Vec<usize> = (1..rank - 1).chain([0, rank - 1]).collect();
        let apart = build.permute(b, &order);
        let dims = build.ty(apart).dims.clone();
        let mut joined = dims[..rank - 2].to_vec();
        joined.push(shape::count(&dims[rank - 2..]));
        let joined = build.reshape(apart, &joined);
        let solved = build.triangular_solve(l, joined, self.transposed);
        let solved = build.reshape(solved, &dims);
        let order: Vec<usize> = [rank - 2].into_iter().chain(0..rank - 2).chain([rank - 1]).collect();
        build.permute(solved, &order)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let (l, b) = (operands[0], operands[1]);
        let [.., n, k] = b.sizes[..] else {
            panic!("a matrix has two axes");
        };
        let mut out: Vec<f64> = space(&b.sizes)?;
        out.extend_from_slice(b.reals());
        if n * k > 0 {
            let systems = l.reals().chunks_exact(n * n).zip(out.chunks_exact_mut(n * k));
            for (l, x) in systems {
                self.solve(l, x, n, k);
            }
        }
        Ok(Tensor::real(&b.sizes, out))
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let [batch, n] = matrix::batches(&operands[0]);
        let k = operands[1].dims[operands[1].rank() - 1].size();
        Form::Kernel {
            name: "triangular_solve",
            numbers: vec![batch, n, shape::number(k), i64::from(self.transposed)],
        }
    }
}

impl TriangularSolve {
    /// One system in place, by substitution from the front, or the back if `transposed`.
    fn solve(&self, l: &[f64], x: &mut [f64], n: usize, k: usize) {
        let entry = |i: usize, j: usize| match self.transposed {
            true => l[j * n + i],
            false => l[i * n + j],
        };
        for step in 0..n {
            let (i, done) = match self.transposed {
                true => (n - 1 - step, n - step..n),
                false => (step, 0..step),
            };
            for column in 0..k {
                let known: f64 = (done.clone()).map(|j| entry(i, j) * x[j * k + column]).sum();
                x[i * k + column] = (x[i * k + column] - known) / entry(i, i);
            }
        }
    }
}

//! `cholesky`: the lower Cholesky factor.

use super::{Emit, matrix, shape};
use crate::ir::{Attr, Build, Derivative, Dim, Facts, Form, Misfit, Tensor, Trap, Ty, Value, space};

/// The lower Cholesky factor of the last two axes; leading axes are batches. Only the lower
/// triangle is read (so only it has a derivative); the upper one of the result is zero. Where the
/// matrix is not positive definite, all of its result is NaN.
///
/// Kernel `cholesky(out, [value], [batch, n])`: the number of matrices, their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cholesky;

impl Facts for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }

    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, operands: &[Ty]) -> Result<Ty, Misfit> {
        shape::arity(operands, 1)?;
        shape::square(&operands[0])?;
        Ok(operands[0].clone())
    }

    fn derivative(&self) -> Derivative {
        Derivative::Own
    }

    /// `dL = L phi(inv(L) dA inv(L)')`, where `phi` takes the lower triangle and half the diagonal
    /// (Murray, 2016, "Differentiation of the Cholesky decomposition").
    fn jvp(
        &self,
        build: &mut Build,
        _operands: &[Value],
        result: Value,
        tangents: &[Option<Value>],
    ) -> Option<Value> {
        let tangent = matrix::symmetric(build, tangents[0]?);
        let left = build.triangular_solve(result, tangent, false);
        let left = matrix::swapped(build, left);
        let both = build.triangular_solve(result, left, false);
        let half = matrix::lower(build, both, 0.5);
        Some(matrix::product(build, result, half))
    }

    fn transpose(&self, _build: &mut Build, _cotangent: Value, _operands: &[Value], _which: usize) -> Value {
        unreachable!("cholesky is not linear")
    }

    fn batch(&self, build: &mut Build, operands: &[Value], batched: &[bool], size: &Dim) -> Value {
        let value = shape::lead(build, operands[0], batched[0], size);
        build.cholesky(value)
    }

    fn eval(&self, operands: &[&Tensor]) -> Result<Tensor, Trap> {
        let value = operands[0];
        let [.., n, _] = value.sizes[..] else {
            panic!("a matrix has two axes");
        };
        let mut out: Vec<f64> = space(&value.sizes)?;
        if n > 0 {
            for matrix in value.reals().chunks_exact(n * n) {
                out.extend(factor(matrix, n));
            }
        }
        Ok(Tensor::real(&value.sizes, out))
    }

    fn form(&self, operands: &[Ty]) -> Form {
        let [batch, n] = matrix::batches(&operands[0]);
        Form::Kernel { name: "cholesky", numbers: vec![batch, n] }
    }
}

/// The factor of one matrix, row by row.
fn factor(a: &[f64], n: usize) -> Vec<f64> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = a[i * n + j] - known;
            if i != j {
                l[i * n + j] = rest / l[j * n + j];
            } else if rest > 0.0 && rest.is_finite() {
                l[i * n + i] = rest.sqrt();
            } else {
                return vec![f64::NAN; n * n];
            }
        }
    }
    l
}

//! Ops computed by a call: those that no loop nest describes.
//!
//! Compiled code calls a kernel with the context, the arena and the *record* of the call, which
//! says where the result and the operands lie and holds the kernel's numbers. Every kernel gives
//! the same bits as its op's `eval`; in `f32`, sums are kept in `f64` where one pass does.

mod block;
mod call;
mod gemm;
mod index;
mod linalg;
mod order;
mod watch;

pub use block::{ROW, Vectors, block, has_block};
pub use call::record;

use super::Context;

/// A kernel as compiled code calls it.
pub type Kernel = unsafe extern "C" fn(*mut Context, *mut u8, *const i64);

/// A kernel by the name its op gives, for reals of 32 or 64 bits.
pub fn find(name: &str, single: bool) -> Option<Kernel> {
    let [double_precision, single_precision]: [Kernel; 2] = match name {
        "scatter" => [index::scatter::<f64>, index::scatter::<f32>],
        "cumsum" => [order::cumsum::<f64>, order::cumsum::<f32>],
        "argsort" => [order::argsort::<f64>, order::argsort::<f32>],
        "arg_reduce" => [order::arg_reduce::<f64>, order::arg_reduce::<f32>],
        "gemm" => [gemm::gemm::<f64>, gemm::gemm::<f32>],
        "cholesky" => [linalg::cholesky::<f64>, linalg::cholesky::<f32>],
        "triangular_solve" => [linalg::triangular_solve::<f64>, linalg::triangular_solve::<f32>],
        "lu" => [linalg::lu::<f64>, linalg::lu::<f32>],
        "lu_solve" => [linalg::lu_solve::<f64>, linalg::lu_solve::<f32>],
        "qr" => [linalg::qr::<f64>, linalg::qr::<f32>],
        "eigh" => [linalg::eigh::<f64>, linalg::eigh::<f32>],
        "svd" => [linalg::svd::<f64>, linalg::svd::<f32>],
        "determinant" => [linalg::determinant::<f64>, linalg::determinant::<f32>],
        "cofactors" => [linalg::cofactors::<f64>, linalg::cofactors::<f32>],
        "watch" => [watch::watch::<f64>, watch::watch::<f32>],
        _ => return None,
    };
    Some(if single { single_precision } else { double_precision })
}

/// The operand whose place the result of a kernel may take, if nothing else reads it.
pub fn in_place_of(name: &str) -> Option<usize> {
    (name == "scatter").then_some(0)
}

//! Whether two functions are the same, but for the numbers of their values and what they are called.

use super::{Binding, Custom, Data, Function, Op, Tangents, Tensor, Value};

/// Whether two functions compute the same by the same bindings, from the same places of the source. Literals are equal
/// to the bit.
pub fn same(a: &Function, b: &Function) -> bool {
    if a.bindings.len() != b.bindings.len() || a.params.len() != b.params.len() {
        return false;
    }
    let mut map = vec![None; a.types.len()];
    let mut pair = |a_values: &[Value], b_values: &[Value]| {
        a_values.len() == b_values.len()
            && a_values.iter().zip(b_values).all(|(x, y)| {
                map[x.0 as usize] = Some(*y);
                a.ty(*x) == b.ty(*y)
            })
    };
    if !pair(&a.params, &b.params)
        || !a.bindings.iter().zip(&b.bindings).all(|(x, y)| pair(&x.values, &y.values))
    {
        return false;
    }
    let equal = |x: &[Value], y: &[Value]| {
        x.len() == y.len() && x.iter().zip(y).all(|(x, y)| map[x.0 as usize] == Some(*y))
    };
    let bindings = |(x, y): (&Binding, &Binding)| {
        x.span == y.span && equal(&x.operands, &y.operands) && same_op(&x.op, &y.op)
    };
    equal(&a.results, &b.results) && a.bindings.iter().zip(&b.bindings).all(bindings)
}

fn same_op(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Constant(a), Op::Constant(b)) => same_bits(a, b),
        (Op::Primitive(a), Op::Primitive(b)) => a == b,
        (Op::Structural(a), Op::Structural(b)) => a.name() == b.name() && a.attributes() == b.attributes(),
        (Op::Loop(a), Op::Loop(b)) => {
            let conditions = match (&a.condition, &b.condition) {
                (Some(a), Some(b)) => same(a, b),
                (None, None) => true,
                _ => false,
            };
            a.trip == b.trip && a.carried == b.carried && conditions && same(&a.body, &b.body)
        }
        (Op::If(a), Op::If(b)) => same(&a.then, &b.then) && same(&a.otherwise, &b.otherwise),
        (Op::Map(a), Op::Map(b)) => a.trip == b.trip && same(&a.body, &b.body),
        (Op::Custom(a), Op::Custom(b)) => same_custom(a, b),
        (Op::Jvp(a), Op::Jvp(b)) | (Op::Vjp(a), Op::Vjp(b)) => {
            a.active == b.active && same(&a.function, &b.function)
        }
        _ => false,
    }
}

fn same_custom(a: &Custom, b: &Custom) -> bool {
    let tangents = match (&a.tangents, &b.tangents) {
        (Tangents::Stated(a), Tangents::Stated(b)) => same(a, b),
        (Tangents::Root(a), Tangents::Root(b)) => {
            same(&a.residual, &b.residual) && same(&a.solve, &b.solve) && same(&a.adjoint, &b.adjoint)
        }
        (Tangents::Inverse(a), Tangents::Inverse(b)) => {
            same(&a.product, &b.product)
                && same(&a.adjoint, &b.adjoint)
                && same(&a.adjoint_product, &b.adjoint_product)
        }
        _ => false,
    };
    tangents && same(&a.function, &b.function)
}

/// Equal sizes, and elements equal to the bit.
fn same_bits(a: &Tensor, b: &Tensor) -> bool {
    a.sizes == b.sizes
        && match (&a.data, &b.data) {
            (Data::Real(a), Data::Real(b)) => {
                std::sync::Arc::ptr_eq(a, b)
                    || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.to_bits() == b.to_bits())
            }
            (Data::Int(a), Data::Int(b)) => a == b,
            (Data::Bool(a), Data::Bool(b)) => a == b,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::same;
    use crate::diag::Span;
    use crate::ir::{Build, Function, Ty};

    /// `x + number`, with so many values that nothing reads.
    fn plus(number: f64, unread: usize) -> Function {
        let mut build = Build::new("f", Span::default());
        let x = build.param(Ty::scalar(crate::ir::Elem::Real));
        let mut function = build.finish(vec![x]);
        for _ in 0..unread {
            let _ = function.fresh(Ty::scalar(crate::ir::Elem::Real));
        }
        let mut build = Build::resume(Function { results: Vec::new(), ..function }, Span::default());
        let one = build.real(number);
        let add = crate::math::Prim::named("add").expect("in the table of machine functions");
        let sum = build.primitive(add, &[x, one]);
        build.finish(vec![sum])
    }

    #[test]
    fn numbers_of_values_do_not_matter_and_bits_do() {
        assert!(same(&plus(1.0, 0), &plus(1.0, 3)));
        assert!(!same(&plus(1.0, 0), &plus(2.0, 0)));
        assert!(!same(&plus(0.0, 0), &plus(-0.0, 0)));
        assert!(same(&plus(f64::NAN, 0), &plus(f64::NAN, 0)));
    }
}

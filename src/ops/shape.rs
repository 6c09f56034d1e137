//! Arithmetic on dimensions and the sentences about those that do not fit.

use crate::ir::{Dim, Elem, Misfit, Ty};

/// Whether two dimensions may be equal: only a known difference says no.
pub(super) fn may_agree(a: &Dim, b: &Dim) -> bool {
    match a.sub(b) {
        Some(Dim::Known(difference)) => difference == 0,
        Some(Dim::Poly(_)) | None => true,
    }
}

/// Of two dimensions that may be equal, the one that says more.
pub(super) fn clearer<'a>(a: &'a Dim, b: &'a Dim) -> &'a Dim {
    if a.known().is_none() && b.known().is_some() {
        b
    } else {
        a
    }
}

/// That axis `i` of `a` and axis `j` of `b` may be equal; gives their dimension.
pub(super) fn agree(a: &Ty, i: usize, b: &Ty, j: usize) -> Result<Dim, Misfit> {
    let (left, right) = (axis(a, i)?, axis(b, j)?);
    if may_agree(left, right) {
        Ok(clearer(left, right).clone())
    } else {
        Err(Misfit(format!(
            "axis {i} of {a} has {left} elements, but axis {j} of {b} has {right}"
        )))
    }
}

/// The dimension of an axis.
pub(super) fn axis(ty: &Ty, axis: usize) -> Result<&Dim, Misfit> {
    ty.dims
        .get(axis)
        .ok_or_else(|| Misfit(format!("{ty} has no axis {axis}")))
}

/// That there are exactly `count` operands.
pub(super) fn arity(operands: &[Ty], count: usize) -> Result<(), Misfit> {
    if operands.len() == count {
        return Ok(());
    }
    let s = if count == 1 { "" } else { "s" };
    let found = operands.len();
    Err(Misfit(format!("takes {count} operand{s}, found {found}")))
}

/// That there are `least` operands or more.
pub(super) fn at_least(operands: &[Ty], least: usize) -> Result<(), Misfit> {
    if operands.len() >= least {
        return Ok(());
    }
    let found = operands.len();
    Err(Misfit(format!(
        "takes {least} or more operands, found {found}"
    )))
}

/// That the elements are reals or integers.
pub(super) fn numbers(ty: &Ty) -> Result<(), Misfit> {
    if ty.elem == Elem::Bool {
        return Err(Misfit(format!("expected real or int elements, found {ty}")));
    }
    Ok(())
}

/// That the elements are of one kind.
pub(super) fn elements(elem: Elem, ty: &Ty) -> Result<(), Misfit> {
    if ty.elem == elem {
        return Ok(());
    }
    Err(Misfit::elem(elem, ty))
}

/// That no axis is named twice and each is below `rank`.
pub(super) fn distinct_axes(axes: &[usize], rank: usize) -> Result<(), Misfit> {
    for (k, axis) in axes.iter().enumerate() {
        if *axis >= rank {
            return Err(Misfit(format!("there is no axis {axis} among {rank}")));
        }
        if axes[..k].contains(axis) {
            return Err(Misfit(format!("axis {axis} is named twice")));
        }
    }
    Ok(())
}

/// That a list has one entry for each axis.
pub(super) fn one_for_each_axis(name: &str, list: &[Dim], ty: &Ty) -> Result<(), Misfit> {
    if list.len() == ty.rank() {
        return Ok(());
    }
    let (found, rank) = (list.len(), ty.rank());
    Err(Misfit(format!(
        "{name} has {found} entries, but {ty} has {rank} axes"
    )))
}

/// That a dimension is not known to be negative.
pub(super) fn not_negative(name: &str, dim: &Dim) -> Result<(), Misfit> {
    match dim.known() {
        Some(n) if n < 0 => Err(Misfit(format!("{name} is {n}, which is negative"))),
        Some(_) | None => Ok(()),
    }
}

/// A result of checked arithmetic, or the misfit that it is too large.
pub(super) fn fits(dim: Option<Dim>) -> Result<Dim, Misfit> {
    dim.ok_or_else(|| Misfit("the dimensions are too large".to_owned()))
}

/// The product of dimensions.
pub(super) fn product(dims: &[Dim]) -> Option<Dim> {
    dims.iter()
        .try_fold(Dim::Known(1), |product, dim| product.mul(dim))
}

/// That a real array has two axes or more, the last two equal.
pub(super) fn square(ty: &Ty) -> Result<(), Misfit> {
    elements(Elem::Real, ty)?;
    match &ty.dims[..] {
        [.., rows, columns] if may_agree(rows, columns) => Ok(()),
        [.., rows, columns] => Err(Misfit(format!(
            "expected a square matrix, found {ty}, which is {rows} by {columns}"
        ))),
        _ => Err(Misfit(format!("expected a square matrix, found {ty}"))),
    }
}

/// The common dimensions of the int arrays that index the leading axes of `value`.
pub(super) fn index_dims(value: &Ty, indices: &[Ty]) -> Result<Vec<Dim>, Misfit> {
    if indices.len() > value.rank() {
        let count = indices.len();
        return Err(Misfit(format!("{count} indices are given for {value}")));
    }
    let mut dims = indices[0].dims.clone();
    for index in indices {
        elements(Elem::Int, index)?;
        let fits = index.rank() == dims.len()
            && index.dims.iter().zip(&dims).all(|(a, b)| may_agree(a, b));
        if !fits {
            let first = &indices[0];
            return Err(Misfit(format!(
                "indices have different dimensions: {first} and {index}"
            )));
        }
        for (dim, other) in dims.iter_mut().zip(&index.dims) {
            *dim = clearer(dim, other).clone();
        }
    }
    Ok(dims)
}

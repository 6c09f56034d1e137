//! Concrete arrays, row-major.

use std::sync::Arc;

use super::{Dim, Elem, Ty};

/// An array with its sizes. Cloning shares the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first.
    pub sizes: Vec<usize>,
    /// Elements, row-major.
    pub data: Data,
}

/// The elements of a tensor. Reals are held as `f64`; under `precision f32` each is a
/// value that `f32` holds exactly.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Reals.
    Real(Arc<Vec<f64>>),
    /// Integers.
    Int(Arc<Vec<i64>>),
    /// Truth values.
    Bool(Arc<Vec<bool>>),
}

impl Tensor {
    /// A real array; the data must have as many elements as the sizes say.
    pub fn real(sizes: &[usize], data: Vec<f64>) -> Tensor {
        debug_assert_eq!(sizes.iter().product::<usize>(), data.len());
        Tensor {
            sizes: sizes.to_vec(),
            data: Data::Real(Arc::new(data)),
        }
    }

    /// An integer array.
    pub fn int(sizes: &[usize], data: Vec<i64>) -> Tensor {
        debug_assert_eq!(sizes.iter().product::<usize>(), data.len());
        Tensor {
            sizes: sizes.to_vec(),
            data: Data::Int(Arc::new(data)),
        }
    }

    /// An array of truth values.
    pub fn bool(sizes: &[usize], data: Vec<bool>) -> Tensor {
        debug_assert_eq!(sizes.iter().product::<usize>(), data.len());
        Tensor {
            sizes: sizes.to_vec(),
            data: Data::Bool(Arc::new(data)),
        }
    }

    /// A real scalar.
    pub fn scalar(x: f64) -> Tensor {
        Tensor::real(&[], vec![x])
    }

    /// An integer scalar.
    pub fn int_scalar(n: i64) -> Tensor {
        Tensor::int(&[], vec![n])
    }

    /// A truth value.
    pub fn bool_scalar(b: bool) -> Tensor {
        Tensor::bool(&[], vec![b])
    }

    /// Its type.
    pub fn ty(&self) -> Ty {
        Ty::new(
            self.elem(),
            self.sizes.iter().map(|n| Dim::from(*n)).collect(),
        )
    }

    /// The kind of its elements.
    pub fn elem(&self) -> Elem {
        match self.data {
            Data::Real(_) => Elem::Real,
            Data::Int(_) => Elem::Int,
            Data::Bool(_) => Elem::Bool,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Real(data) => data.len(),
            Data::Int(data) => data.len(),
            Data::Bool(data) => data.len(),
        }
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its reals.
    ///
    /// # Panics
    /// If the elements are of another kind.
    pub fn reals(&self) -> &[f64] {
        match &self.data {
            Data::Real(data) => data,
            Data::Int(_) | Data::Bool(_) => {
                panic!("a real tensor was expected, found {}", self.ty())
            }
        }
    }

    /// Its integers.
    ///
    /// # Panics
    /// If the elements are of another kind.
    pub fn ints(&self) -> &[i64] {
        match &self.data {
            Data::Int(data) => data,
            Data::Real(_) | Data::Bool(_) => {
                panic!("an int tensor was expected, found {}", self.ty())
            }
        }
    }

    /// Its truth values.
    ///
    /// # Panics
    /// If the elements are of another kind.
    pub fn bools(&self) -> &[bool] {
        match &self.data {
            Data::Bool(data) => data,
            Data::Real(_) | Data::Int(_) => {
                panic!("a bool tensor was expected, found {}", self.ty())
            }
        }
    }

    /// The elements as reals, whatever their kind; `true` is 1.
    pub fn to_reals(&self) -> Vec<f64> {
        match &self.data {
            Data::Real(data) => data.to_vec(),
            #[expect(
                clippy::cast_precision_loss,
                reason = "integers beyond 2^53 round, as documented"
            )]
            Data::Int(data) => data.iter().map(|n| *n as f64).collect(),
            Data::Bool(data) => data.iter().map(|b| f64::from(u8::from(*b))).collect(),
        }
    }

    /// The same elements under other sizes.
    pub fn reshaped(&self, sizes: &[usize]) -> Tensor {
        debug_assert_eq!(sizes.iter().product::<usize>(), self.len());
        Tensor {
            sizes: sizes.to_vec(),
            data: self.data.clone(),
        }
    }
}

//! Machine functions on rows: the same functions, and the same bits, for many elements at a time.
//!
//! Each is compiled for the vector instructions of several machines; which is used is found out
//! once. The code is that of `math::elementary`, so no machine gives other bits than another.

use crate::math::{Cpu, Prim, elementary, functions};

/// A function on a row of reals, in place: `(row, count)`.
pub type Block = unsafe extern "C" fn(*mut u8, usize);

/// The most elements of a row.
pub const ROW: usize = 128;

/// The vectors that code uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vectors {
    /// Of two reals, which every machine has.
    Bits128,
    /// Of four reals: AVX2.
    Bits256,
    /// Of eight reals: AVX-512 with its extensions DQ, VL and BW.
    Bits512,
}

impl Vectors {
    /// The widest of this machine.
    pub fn here() -> Vectors {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
            {
                return Vectors::Bits512;
            }
            if is_x86_feature_detected!("avx2") {
                return Vectors::Bits256;
            }
        }
        Vectors::Bits128
    }

    /// Those of a number of bits.
    pub fn named(bits: &str) -> Option<Vectors> {
        let all = [Vectors::Bits128, Vectors::Bits256, Vectors::Bits512];
        all.into_iter().find(|vectors| vectors.bits().to_string() == bits)
    }

    /// How many bits they have.
    pub fn bits(self) -> u32 {
        match self {
            Vectors::Bits128 => 128,
            Vectors::Bits256 => 256,
            Vectors::Bits512 => 512,
        }
    }
}

/// What a row holds.
trait Real: Copy {
    fn wide(self) -> f64;
    fn narrow(x: f64) -> Self;
}

impl Real for f64 {
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
    #[inline(always)]
    fn narrow(x: f64) -> f64 {
        x
    }
}

impl Real for f32 {
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "reals are rounded to the program's precision")]
    fn narrow(x: f64) -> f32 {
        x as f32
    }
}

/// A function of every element. Written out, because a loop over a function value is not made into
/// vector code.
macro_rules! each {
    ($row:ident, $name:ident) => {
        for x in $row {
            *x = T::narrow(elementary::$name(x.wide()));
        }
    };
}

/// As [`each`]; a row with an argument beyond the bound goes to the function that takes all.
macro_rules! each_within {
    ($row:ident, $name:ident) => {
        let near = $row.iter().fold(true, |near, x| near & (x.wide().abs() <= elementary::TURNS));
        if near {
            each!($row, $name);
        } else {
            for x in $row {
                *x = T::narrow(functions::$name(x.wide()));
            }
        }
    };
}

/// A function for each kind of machine and real.
macro_rules! blocks {
    ($($name:ident: $each:ident;)*) => {
        $(
            mod $name {
                use super::*;

                #[inline(always)]
                fn row<T: Real>(row: &mut [T]) {
                    $each!(row, $name);
                }

                unsafe extern "C" fn plain<T: Real>(first: *mut u8, count: usize) {
                    // SAFETY: by the caller's promise, see `find`.
                    row(unsafe { std::slice::from_raw_parts_mut(first.cast::<T>(), count) });
                }

                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx2")]
                unsafe extern "C" fn avx2<T: Real>(first: *mut u8, count: usize) {
                    // SAFETY: by the caller's promise, see `find`.
                    row(unsafe { std::slice::from_raw_parts_mut(first.cast::<T>(), count) });
                }

                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
                unsafe extern "C" fn avx512<T: Real>(first: *mut u8, count: usize) {
                    // SAFETY: by the caller's promise, see `find`.
                    row(unsafe { std::slice::from_raw_parts_mut(first.cast::<T>(), count) });
                }

                #[cfg(target_arch = "x86_64")]
                pub(super) fn of<T: Real>(vectors: Vectors) -> Block {
                    match vectors {
                        Vectors::Bits512 => avx512::<T>,
                        Vectors::Bits256 => avx2::<T>,
                        Vectors::Bits128 => plain::<T>,
                    }
                }

                #[cfg(not(target_arch = "x86_64"))]
                pub(super) fn of<T: Real>(_: Vectors) -> Block {
                    plain::<T>
                }
            }
        )*

        fn named<T: Real>(name: &str, vectors: Vectors) -> Option<Block> {
            match name {
                $(stringify!($name) => Some($name::of::<T>(vectors)),)*
                _ => None,
            }
        }
    };
}

blocks! {
    exp: each;
    expm1: each;
    log: each;
    log1p: each;
    tanh: each;
    sigmoid: each;
    sigmoid_slope: each;
    sech2: each;
    gauss: each;
    softplus: each;
    sin: each_within;
    cos: each_within;
}

/// Whether a primitive has a function on rows.
pub fn has_block(prim: Prim, single: bool) -> bool {
    block(prim, single, Vectors::Bits128).is_some()
}

/// The function of a primitive on rows, if it has one, for vectors that the machine must have. It is
/// called with a row of the arena.
pub fn block(prim: Prim, single: bool, vectors: Vectors) -> Option<Block> {
    if !matches!(prim.cpu(), Cpu::Call1(_)) {
        return None;
    }
    if single { named::<f32>(prim.name(), vectors) } else { named::<f64>(prim.name(), vectors) }
}

//! Programs in other forms: functions of the IR as text in the language itself.

mod arith;
mod control;
mod minima;
mod sizes;
mod structural;
mod tree;

pub use minima::{Layout, Signature, Unprintable, minima};

//! A session: the standard library, the options, and the way of a program from IR to code that can
//! run.

mod catalogue;
mod compile;
mod session;
mod stdlib;

pub use catalogue::{Family, HyperParam, Optimizer, catalogue, declared, families, optimizers};
pub use compile::{Code, compile, compile_both, compile_once};
pub use session::{Engine, Session, SessionOptions, Stamp, WIDTH, stamp};
pub use stdlib::Library;

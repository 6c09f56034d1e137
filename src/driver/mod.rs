//! A session: the standard library, the options, and the way of a program from IR to code that can
//! run.

mod compile;
mod session;
mod stdlib;

pub use compile::{Code, compile};
pub use session::{Engine, Session, SessionOptions};
pub use stdlib::Library;

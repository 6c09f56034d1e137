//! What compiled code needs while it runs: memory, a place to report to, kernels, and threads.

#![expect(unsafe_code, reason = "compiled code works on raw memory; every use says why it is safe")]

mod buffer;
mod context;
mod heap;
pub mod kernels;
mod laps;
mod pool;

pub use buffer::{Arena, OutOfMemory};
pub use context::{Context, Noted, record};
pub use heap::one_heap;
pub use laps::{Lap, lap};
pub use pool::{Part, each, parts};

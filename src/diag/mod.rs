//! Spans, reports and their rendering. Knows no language.

mod cause;
mod render;
mod report;
mod span;
mod suggest;

pub use cause::cause;
pub use render::{printable, render};
pub use report::{Fix, Label, Report, Severity};
pub use span::{FileId, Sources, Span};
pub use suggest::nearest;

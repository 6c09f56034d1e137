//! What an editor asks of a text while it is written: what is wrong, what a name means, what could stand here.
//!
//! No protocol and no terminal: positions are bytes, answers are plain. Two sources are brought together. The tree
//! gives names and scopes at once, also of a text with errors. Elaboration gives shapes, values and fields, some
//! moments later and of the text as it was then; its answers are moved along with the edits since.

mod document;
mod hover;
mod names;
mod scopes;
mod shelf;
mod study;
mod text;

pub use document::{Document, Texts};
pub use hover::{Hover, hover};
pub use shelf::Shelf;
pub use study::{Origin, Place, Problem, Scholar, Study, Subject};
pub use text::{Encoding, Lines, Position};

//! What an editor asks of a text while it is written: what is wrong, what a name means, what could stand here.
//!
//! No protocol and no terminal: positions are bytes, answers are plain. Two sources are brought together. The tree
//! gives names and scopes at once, also of a text with errors. Elaboration gives shapes, values and fields, some
//! moments later and of the text as it was then; its answers are moved along with the edits since.

mod complete;
mod document;
mod hover;
mod mend;
mod names;
mod navigate;
mod outline;
mod paint;
mod scan;
mod scopes;
mod shelf;
mod signature;
mod stack;
mod study;
mod text;
mod tree;

pub use complete::{Completion, Item, Offer, complete, page};
pub use document::{Document, Texts};
pub use hover::{Hover, hover};
pub use mend::{Mend, mends};
pub use names::{Def, FIGURES, Kind, Names, Target, Use};
pub use navigate::{Mention, definition, mentions, mentions_of_import, renamable, rename};
pub use outline::{Fold, Symbol, folds, symbols};
pub use paint::{Hint, Paint, Painted, hints, painted};
pub use shelf::Shelf;
pub use signature::{Signature, signature};
pub use study::{Origin, Place, Problem, Scholar, Studied, Study, Subject};
pub use text::{Encoding, Lines, Position, Shift, difference};

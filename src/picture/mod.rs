//! Pictures: curves, points, level sets and bars on axes, drawn as SVG, as PNG, or in the letters of a terminal.
//!
//! A [`Figure`] says what is shown, and settles what follows from it: which axes are logarithmic, which values are
//! gaps. [`svg`] and [`png`] draw the same scene, [`terminal`] draws its own. All are deterministic: equal figures give
//! equal bytes. Knows no language.

mod axis;
mod bars;
mod braille;
mod contour;
mod figure;
mod glyphs;
mod layout;
mod legend;
mod lines;
mod palette;
mod png;
mod scene;
mod svg;
mod terminal;

pub use bars::classes;
pub use figure::{Axis, Empty, Figure, Grid, Mark, Marking, Panel, Tint};
pub use png::png;
pub use svg::{escaped, svg};
pub use terminal::terminal;

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts of what is drawn are small")]
fn real(n: usize) -> f64 {
    n as f64
}

/// A number as a count; what is negative or no number is none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
fn count(x: f64) -> usize {
    x as usize
}

//! A picture as shapes with roles: what both SVG and PNG draw, in pixels from the upper left corner.

/// What is drawn, from back to front.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

/// A point.
pub(super) type Point = (f64, f64);

/// Something drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Lines through points, each stroke by itself.
    Strokes { lines: Vec<Vec<Point>>, color: Color, width: f64, dash: bool },
    /// Closed outlines, filled by the even-odd rule.
    Fill { outlines: Vec<Vec<Point>>, color: Color },
    /// Outlines that touch each other: their edges are those of pixels.
    Cells { outlines: Vec<Vec<Point>>, color: Color },
    /// A rectangle: left, top, width, height.
    Box { at: Point, size: Point, color: Color },
    /// Discs of one radius, each with a thin rim of the background.
    Discs { at: Vec<Point>, radius: f64, color: Color },
    /// A ring.
    Ring { at: Point, radius: f64, color: Color, width: f64 },
    /// Text.
    Text { at: Point, text: String, size: f64, anchor: Anchor, upright: bool, bold: bool, color: Color },
}

/// Where a text stands about its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A color by its role; light and dark pictures differ in what it looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Color {
    /// Behind everything.
    Back,
    /// Text and axes.
    Ink,
    /// Numbers, small text.
    Soft,
    /// Lines of the grid.
    Faint,
    /// Of the series of this number.
    Series(usize),
    /// Of the way of a solve of this number.
    Way(usize),
    /// Of the band of this number out of so many, from the lowest.
    Band(usize, usize),
    /// The line around such a band.
    Level,
    /// The same in light and dark.
    Fixed([u8; 3]),
}

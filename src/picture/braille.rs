//! A canvas of letters, each of two by four dots.

/// How a letter of the canvas is colored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shade {
    /// Like the text around.
    Plain,
    /// A color of the series of this number.
    Series(usize),
    /// Less than the text around.
    Faint,
    /// A color of its own.
    Rgb([u8; 3]),
}

/// A canvas of dots, and of letters upon them.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    columns: usize,
    rows: usize,
    dots: Vec<u8>,
    shades: Vec<Shade>,
    letters: Vec<Option<char>>,
}

/// The dot of a letter at a column and a row in it.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Canvas {
        let cells = columns * rows;
        Canvas {
            columns,
            rows,
            dots: vec![0; cells],
            shades: vec![Shade::Plain; cells],
            letters: vec![None; cells],
        }
    }

    /// Sets a dot; those outside are none.
    pub(super) fn dot(&mut self, x: i64, y: i64, shade: Shade) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= 2 * self.columns || y >= 4 * self.rows {
            return;
        }
        let at = y / 4 * self.columns + x / 2;
        self.dots[at] |= DOTS[x % 2][y % 4];
        self.shades[at] = shade;
    }

    /// A line of dots between two places.
    pub(super) fn line(&mut self, (x, y): (f64, f64), (u, v): (f64, f64), shade: Shade) {
        let steps = (u - x).abs().max((v - y).abs()).ceil().clamp(1.0, 1e5);
        for k in 0..=super::count(steps) {
            let t = super::real(k) / steps;
            self.dot(whole(x + t * (u - x)), whole(y + t * (v - y)), shade);
        }
    }

    /// Sets a letter at a place of dots.
    pub(super) fn letter(&mut self, (x, y): (f64, f64), letter: char, shade: Shade) {
        let (Ok(x), Ok(y)) = (usize::try_from(whole(x)), usize::try_from(whole(y))) else { return };
        if x < 2 * self.columns && y < 4 * self.rows {
            let at = y / 4 * self.columns + x / 2;
            self.letters[at] = Some(letter);
            self.shades[at] = shade;
        }
    }

    /// Sets a letter, but only every second where other letters are: both are seen.
    pub(super) fn letter_beside(&mut self, at: (f64, f64), letter: char, shade: Shade) {
        let (Ok(x), Ok(y)) = (usize::try_from(whole(at.0)), usize::try_from(whole(at.1))) else { return };
        let cell = y / 4 * self.columns + x / 2;
        let other = self.letters.get(cell).copied().flatten().is_some_and(|there| there != letter);
        if !other || (x / 2 + y / 4) % 2 == 0 {
            self.letter(at, letter, shade);
        }
    }

    /// The letters of a row, each with its color.
    pub(super) fn row(&self, row: usize) -> Vec<(char, Shade)> {
        let cells = row * self.columns..(row + 1) * self.columns;
        cells
            .map(|at| match (self.letters[at], self.dots[at]) {
                (Some(letter), _) => (letter, self.shades[at]),
                (None, 0) => (' ', Shade::Plain),
                (None, dots) => (char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '), self.shades[at]),
            })
            .collect()
    }
}

fn whole(x: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
    let whole = x.round() as i64;
    whole
}

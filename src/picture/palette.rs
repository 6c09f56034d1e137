//! Colors: told apart by people with any of the common forms of color blindness, readable on light and on dark.

use super::scene::Color;

/// The series, in order: light and dark. After the last they begin anew, with dashed lines.
const SERIES: [([u8; 3], [u8; 3]); 6] = [
    ([0x00, 0x6b, 0xb4], [0x5a, 0xb4, 0xf0]),
    ([0xcf, 0x4f, 0x0a], [0xff, 0x94, 0x5c]),
    ([0x00, 0x84, 0x62], [0x3c, 0xca, 0x9c]),
    ([0xa1, 0x4a, 0x95], [0xdb, 0x93, 0xd3]),
    ([0xa8, 0x76, 0x00], [0xe8, 0xc0, 0x4a]),
    ([0x55, 0x5b, 0x66], [0xb4, 0xba, 0xc6]),
];

/// The ways of solves over level sets, which are blue.
const WAYS: [([u8; 3], [u8; 3]); 4] = [
    ([0xc2, 0x41, 0x0c], [0xff, 0x9d, 0x57]),
    ([0x8b, 0x1e, 0x7c], [0xf0, 0x9a, 0xe4]),
    ([0x8a, 0x62, 0x00], [0xf2, 0xd0, 0x5c]),
    ([0x12, 0x1a, 0x26], [0xff, 0xff, 0xff]),
];

/// The lowest and the highest band: light and dark.
const BANDS: [([u8; 3], [u8; 3]); 3] = [
    ([0x2d, 0x6f, 0xb0], [0x6f, 0xb3, 0xe8]),
    ([0x9c, 0xc3, 0xe4], [0x2b, 0x5f, 0x8f]),
    ([0xf3, 0xf8, 0xfd], [0x15, 0x23, 0x33]),
];

/// How many series have colors of their own.
pub(super) const KINDS: usize = SERIES.len();

/// What a color looks like.
pub(super) fn rgb(color: Color, dark: bool) -> [u8; 3] {
    let pick = |pair: ([u8; 3], [u8; 3])| if dark { pair.1 } else { pair.0 };
    match color {
        Color::Back => pick(([0xff, 0xff, 0xff], [0x14, 0x18, 0x1f])),
        Color::Ink => pick(([0x1b, 0x20, 0x28], [0xe8, 0xec, 0xf2])),
        Color::Soft => pick(([0x56, 0x5f, 0x6c], [0xa6, 0xb0, 0xbe])),
        Color::Faint => pick(([0xe4, 0xe8, 0xed], [0x2b, 0x33, 0x3f])),
        Color::Level => pick(([0x1f, 0x55, 0x8c], [0x9c, 0xcc, 0xf2])),
        Color::Series(k) => pick(SERIES[k % KINDS]),
        Color::Way(k) => pick(WAYS[k % WAYS.len()]),
        Color::Band(k, of) => between(BANDS.map(pick), super::real(k) / super::real(of.max(2) - 1)),
        Color::Fixed(rgb) => rgb,
    }
}

/// Between colors that are equally far from each other.
fn between<const N: usize>(colors: [[u8; 3]; N], place: f64) -> [u8; 3] {
    let at = place.clamp(0.0, 1.0) * super::real(N - 1);
    let k = super::count(at).min(N - 2);
    let part = at - super::real(k);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
    let mix = |a: u8, b: u8| (f64::from(a) * (1.0 - part) + f64::from(b) * part).round() as u8;
    std::array::from_fn(|c| mix(colors[k][c], colors[k + 1][c]))
}

/// The color of a number between 0 and 1: viridis, whose lightness grows evenly.
pub(super) fn sequential(place: f64) -> [u8; 3] {
    const VIRIDIS: [[u8; 3]; 9] = [
        [0x44, 0x01, 0x54],
        [0x47, 0x2d, 0x7b],
        [0x3b, 0x52, 0x8b],
        [0x2c, 0x72, 0x8e],
        [0x21, 0x91, 0x8c],
        [0x28, 0xae, 0x80],
        [0x5e, 0xc9, 0x62],
        [0xad, 0xdc, 0x30],
        [0xfd, 0xe7, 0x25],
    ];
    between(VIRIDIS, place)
}

/// The color of a number between 0 and 1 with a middle: blue below, orange above.
pub(super) fn diverging(place: f64) -> [u8; 3] {
    const BOTH: [[u8; 3]; 5] =
        [[0x0b, 0x4f, 0x8f], [0x6d, 0xab, 0xd8], [0xf2, 0xf2, 0xf0], [0xf0, 0x9e, 0x5a], [0xa8, 0x3b, 0x05]];
    between(BOTH, place)
}

/// `#1b2028`
pub(super) fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

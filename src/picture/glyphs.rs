//! Letters as outlines: how wide a text is, and what it looks like in a picture of pixels.
//!
//! `glyphs.txt` has the Latin and Greek letters and the signs of mathematics; any other is a small box.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A letter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    /// Its width, in units of 1/256 of the size.
    pub(super) width: f64,
    /// Its path: `M x y`, `L x y`, `Q x y x y`, `Z`, with y upwards.
    pub(super) path: &'static str,
}

/// What stands for a letter that is not in the table.
const UNKNOWN: Glyph =
    Glyph { width: 154.0, path: "M26 -32L26 180L128 180L128 -32ZM38 -20L116 -20L116 168L38 168Z" };

fn table() -> &'static HashMap<char, Glyph> {
    static TABLE: OnceLock<HashMap<char, Glyph>> = OnceLock::new();
    TABLE.get_or_init(|| include_str!("glyphs.txt").lines().filter_map(entry).collect())
}

fn entry(line: &'static str) -> Option<(char, Glyph)> {
    let mut parts = line.splitn(3, ' ');
    let letter = char::from_u32(u32::from_str_radix(parts.next()?, 16).ok()?)?;
    let width = parts.next()?.parse().ok()?;
    Some((letter, Glyph { width, path: parts.next().unwrap_or("") }))
}

/// A letter.
pub(super) fn glyph(letter: char) -> Glyph {
    table().get(&letter).copied().unwrap_or(UNKNOWN)
}

/// How wide a text is.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|letter| glyph(letter).width).sum::<f64>() * size / 256.0
}

/// As much of the beginning of a text as fits, with a sign where something is left out.
pub(super) fn fitting(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_string();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        kept.push(letter);
        if width(&kept, size) + width("…", size) > room {
            kept.pop();
            break;
        }
    }
    format!("{}…", kept.trim_end())
}

/// A text in lines that fit; a word that does not fit by itself stands alone.
pub(super) fn wrapped(text: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if fits(&format!("{line} {word}")) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{fitting, glyph, table, width};

    #[test]
    fn every_letter_of_a_program_has_a_glyph() {
        for letter in (' '..='~').chain("−×·αβγλμσθ∇²√∞≤é".chars()) {
            assert!(table().contains_key(&letter), "{letter}");
        }
        assert!(width("mm", 10.0) > width("ii", 10.0));
        assert!(glyph('\u{4e00}').path.starts_with("M26"), "others are boxes");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(fitting("loss", 10.0, 100.0), "loss");
        let cut = fitting("a rather long name", 10.0, 50.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0) <= 50.0, "{cut}");
    }
}

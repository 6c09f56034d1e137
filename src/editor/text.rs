//! Places in a text: bytes, and lines with columns as editors count them.

/// In what columns are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Units of UTF-16.
    #[default]
    Utf16,
}

/// A line and a column, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column, in units of an [`Encoding`].
    pub column: u32,
}

/// The starts of the lines of a text.
#[derive(Debug, Clone)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Of a text: lines end with `\n`, `\r\n` or `\r`.
    pub fn of(text: &str) -> Lines {
        let mut starts = vec![0];
        let bytes = text.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            let alone = *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
            if *byte == b'\n' || alone {
                starts.push(at + 1);
            }
        }
        Lines { starts }
    }

    /// How many lines there are, the last one perhaps empty.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The line of a byte.
    pub fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at) - 1
    }

    /// The first byte of a line.
    pub fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line).copied()
    }

    /// A line without its end.
    pub fn text<'t>(&self, text: &'t str, line: usize) -> &'t str {
        let Some(start) = self.start(line) else { return "" };
        let end = self.start(line + 1).unwrap_or(text.len());
        text.get(start..end).unwrap_or("").trim_end_matches(['\n', '\r'])
    }

    /// Where a byte stands; inside a character, where the character does.
    pub fn position(&self, text: &str, at: usize, encoding: Encoding) -> Position {
        let at = floor(text, at);
        let line = self.line(at);
        let before = text.get(self.starts[line]..at).unwrap_or("");
        let column = match encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.encode_utf16().count(),
        };
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position { line: clip(line), column: clip(column) }
    }

    /// The byte at a place. Behind the end of a line stands its end, behind the last line the end of the text; inside a
    /// character its start.
    pub fn byte(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let line = usize::try_from(position.line).unwrap_or(usize::MAX);
        let Some(start) = self.start(line) else { return text.len() };
        let content = self.text(text, line);
        let column = usize::try_from(position.column).unwrap_or(usize::MAX);
        let within = match encoding {
            Encoding::Utf8 => floor(content, column),
            Encoding::Utf16 => {
                let mut left = column;
                let mut at = 0;
                for letter in content.chars() {
                    if left < letter.len_utf16() {
                        break;
                    }
                    left -= letter.len_utf16();
                    at += letter.len_utf8();
                }
                at
            }
        };
        start + within
    }
}

/// The nearest place before that is no inside of a character.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// How places move where one text becomes another by one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// So many bytes at the start are equal.
    prefix: usize,
    /// From here on the first text is equal to the end of the second.
    suffix: usize,
    from: usize,
    to: usize,
}

impl Shift {
    /// Between two texts.
    pub fn between(from: &str, to: &str) -> Shift {
        let (a, b) = (from.as_bytes(), to.as_bytes());
        let most = a.len().min(b.len());
        let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let ends = a.iter().rev().zip(b.iter().rev());
        let same = ends.take(most - prefix).take_while(|(x, y)| x == y).count();
        Shift { prefix, suffix: a.len() - same, from: a.len(), to: b.len() }
    }

    /// What replacing some bytes of a text by so many others does.
    pub fn of_edit(length: usize, (start, end): (usize, usize), new: usize) -> Shift {
        Shift { prefix: start, suffix: end, from: length, to: length - (end - start) + new }
    }

    /// The same between the second text and the first.
    #[must_use]
    pub fn back(self) -> Shift {
        let suffix = self.to - (self.from - self.suffix);
        Shift { prefix: self.prefix, suffix, from: self.to, to: self.from }
    }

    /// Where a byte of the first text stands in the second; nowhere inside the change.
    pub fn moved(self, at: usize) -> Option<usize> {
        if at <= self.prefix {
            Some(at)
        } else if at >= self.suffix {
            Some(at + self.to - self.from)
        } else {
            None
        }
    }
}

/// The bytes of a text that are to be replaced, and by what, to make it another; nothing where they are equal.
pub fn difference(from: &str, to: &str) -> Option<((usize, usize), String)> {
    if from == to {
        return None;
    }
    let prefix = from.char_indices().zip(to.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
    let prefix = prefix.unwrap_or(from.len().min(to.len()));
    let (a, b) = (&from[prefix..], &to[prefix..]);
    let suffix: usize =
        a.chars().rev().zip(b.chars().rev()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    Some(((prefix, from.len() - suffix), b[..b.len() - suffix].to_string()))
}

/// Whether a character may stand in a name.
pub fn in_name(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric() || ('\u{2080}'..='\u{2089}').contains(&letter)
}

/// The name around or just before a place.
pub fn word_at(text: &str, at: usize) -> (usize, usize) {
    let at = floor(text, at);
    let before = text[..at].chars().rev().take_while(|c| in_name(*c)).map(char::len_utf8).sum::<usize>();
    let after = text[at..].chars().take_while(|c| in_name(*c)).map(char::len_utf8).sum::<usize>();
    (at - before, at + after)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Lines, Position, Shift, difference, word_at};

    #[test]
    fn positions_count_units_of_utf16() {
        let text = "let 😀 = λ\r\nx\ry";
        let lines = Lines::of(text);
        assert_eq!(lines.count(), 3);
        let at = text.find('λ').expect("it is there");
        assert_eq!(lines.position(text, at, Encoding::Utf16), Position { line: 0, column: 9 });
        assert_eq!(lines.position(text, at, Encoding::Utf8), Position { line: 0, column: 11 });
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            for (at, _) in text.char_indices().filter(|(_, c)| !matches!(c, '\r' | '\n')) {
                assert_eq!(lines.byte(text, lines.position(text, at, encoding), encoding), at);
            }
        }
        // Inside a character its start, behind the end of a line its end.
        assert_eq!(lines.byte(text, Position { line: 0, column: 5 }, Encoding::Utf16), 4);
        assert_eq!(lines.byte(text, Position { line: 0, column: 99 }, Encoding::Utf16), 13);
        assert_eq!(lines.byte(text, Position { line: 9, column: 0 }, Encoding::Utf16), text.len());
        assert_eq!(lines.text(text, 1), "x");
    }

    #[test]
    fn places_move_with_a_change() {
        let moved = |from, to, at| Shift::between(from, to).moved(at);
        assert_eq!(moved("a b c", "a xx b c", 0), Some(0));
        assert_eq!(moved("a b c", "a xx b c", 4), Some(7));
        assert_eq!(moved("a bbb c", "a x c", 3), None);
        assert_eq!(moved("same", "same", 2), Some(2));
        assert_eq!(Shift::between("a b c", "a xx b c").back().moved(7), Some(4));
    }

    #[test]
    fn one_edit_makes_a_text_another() {
        for (from, to) in [("a  b", "a b"), ("a", ""), ("", "é"), ("ab", "abb"), ("é", "è"), ("aa", "a")] {
            let ((start, end), new) = difference(from, to).expect("they differ");
            assert_eq!(format!("{}{new}{}", &from[..start], &from[end..]), to);
        }
        assert_eq!(difference("a", "a"), None);
    }

    #[test]
    fn names_are_found_around_a_place() {
        let word = |text: &str, at| text[word_at(text, at).0..word_at(text, at).1].to_string();
        assert_eq!(word("fit.loss + θ₁", 6), "loss");
        assert_eq!(word("fit.loss", 4), "loss");
        assert_eq!(word("fit.", 4), "");
        assert_eq!(word("a + θ₁", 4), "θ₁");
    }
}

//! Entries in color while they are typed.

use std::fmt::Write as _;
use std::ops::Range;

use crate::syntax::{Class, classes};

/// The text with its tokens in color; the bracket at the cursor and its partner stand out.
pub fn colored(line: &str, cursor: usize) -> String {
    let tokens = classes(line);
    let pair = partners(line, &tokens, cursor);
    let mut out = String::with_capacity(2 * line.len());
    let mut at = 0;
    for (range, ink) in tokens {
        out.push_str(line.get(at..range.start).unwrap_or(""));
        let text = line.get(range.clone()).unwrap_or("");
        let bright = pair.is_some_and(|(a, b)| range.start == a || range.start == b);
        match if bright { Some("1;36") } else { style(ink) } {
            // A string takes all.
            Some(style) => drop(write!(out, "\x1b[{style}m{text}\x1b[0m")),
            None => out.push_str(text),
        }
        at = range.end;
    }
    out.push_str(line.get(at..).unwrap_or(""));
    out
}

fn style(ink: Class) -> Option<&'static str> {
    match ink {
        Class::Keyword => Some("35"),
        Class::Number => Some("33"),
        Class::Text => Some("32"),
        Class::Comment | Class::Doc => Some("90"),
        Class::Wrong => Some("31"),
        Class::Name | Class::Bracket | Class::Sign => None,
    }
}

/// The bracket under or before the cursor, and the one that it belongs to.
fn partners(line: &str, tokens: &[(Range<usize>, Class)], cursor: usize) -> Option<(usize, usize)> {
    let brackets: Vec<(usize, char)> = tokens
        .iter()
        .filter(|(_, ink)| *ink == Class::Bracket)
        .filter_map(|(range, _)| Some((range.start, line.get(range.clone())?.chars().next()?)))
        .collect();
    let mut open: Vec<(usize, char)> = Vec::new();
    for (at, bracket) in brackets {
        match bracket {
            '(' | '[' | '{' => open.push((at, bracket)),
            _ => {
                let (start, _) = open.pop().filter(|(_, other)| closes(*other) == bracket)?;
                let here = |place: usize| place == cursor || place + 1 == cursor;
                if here(start) || here(at) {
                    return Some((start, at));
                }
            }
        }
    }
    None
}

fn closes(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

#[cfg(test)]
mod tests {
    use super::colored;

    #[test]
    fn tokens_have_colors_and_the_text_stays() {
        assert_eq!(colored("let x = 2", 0), "\x1b[35mlet\x1b[0m x = \x1b[33m2\x1b[0m");
        assert_eq!(colored("f([1])", 6), "f\x1b[1;36m(\x1b[0m[\x1b[33m1\x1b[0m]\x1b[1;36m)\x1b[0m");
        assert_eq!(colored("f(]", 3), "f(]");
    }
}

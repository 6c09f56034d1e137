//! Kinds of text in a program, as the scanner sees them: what programs are colored by.

use std::ops::Range;

use super::errors::Reports;
use super::lines::lay_out;
use super::token::{Token, scan};
use crate::diag::FileId;

/// What a piece of a program's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A word of the language, where it is one.
    Keyword,
    /// A name.
    Name,
    /// A number.
    Number,
    /// A text in quotes.
    Text,
    /// A comment.
    Comment,
    /// A line of documentation.
    Doc,
    /// An operator, a bracket, a comma.
    Sign,
}

/// The pieces of a text in their order, without overlap; spaces lie between them, and what the scanner cannot
/// read. A piece lies on one line.
pub fn classes(text: &str) -> Vec<(Range<usize>, Class)> {
    // What is wrong with the text is told where it is parsed.
    let mut unheard = Reports::default();
    let lexemes = scan(FileId::default(), text, 0, &mut unheard);
    let lines = lay_out(FileId::default(), text, &lexemes, &mut unheard);
    let mut found = Vec::with_capacity(lines.tokens.len());
    let mut after = 0;
    for (start, token, end) in lines.tokens {
        let Some(class) = class_of(token).filter(|_| after <= start && start < end) else { continue };
        comments(text, after..start, &mut found);
        found.push((start..end, class));
        after = end;
    }
    comments(text, after..text.len(), &mut found);
    found
}

/// The class of a token; documentation is found with the other comments.
fn class_of(token: Token<'_>) -> Option<Class> {
    match token {
        Token::Id(_) => Some(Class::Name),
        Token::Int(_) | Token::Real(_) | Token::Number => Some(Class::Number),
        Token::Str(_) | Token::OpenString => Some(Class::Text),
        Token::Doc(_) | Token::Comment | Token::Sep | Token::Bad | Token::Foreign => None,
        word if word.text().starts_with(|c: char| c.is_ascii_alphabetic()) => Some(Class::Keyword),
        _ => Some(Class::Sign),
    }
}

/// The comments in the space between two tokens.
fn comments(text: &str, gap: Range<usize>, found: &mut Vec<(Range<usize>, Class)>) {
    let mut start = gap.start;
    for line in text.get(gap).unwrap_or_default().split_inclusive('\n') {
        if let Some(at) = line.find("//") {
            let comment = line.get(at..).unwrap_or_default().trim_end();
            let documents = comment.starts_with("///") && !comment.starts_with("////");
            let class = if documents { Class::Doc } else { Class::Comment };
            found.push((start + at..start + at + comment.len(), class));
        }
        start += line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, classes};

    #[test]
    fn words_are_keywords_in_their_places_only() {
        let text = "/// Doc.\noptimizer o(step: real) { // why\n  step { x -= step*\"a\" }\n}\n";
        let found = classes(text);
        let of = |class: Class| -> Vec<&str> {
            found.iter().filter(|(_, c)| *c == class).map(|(place, _)| &text[place.clone()]).collect()
        };
        assert_eq!(of(Class::Keyword), ["optimizer", "step"]);
        assert_eq!(of(Class::Name), ["o", "step", "real", "x", "step"]);
        assert_eq!(of(Class::Doc), ["/// Doc."]);
        assert_eq!(of(Class::Comment), ["// why"]);
        assert_eq!(of(Class::Text), ["\"a\""]);
    }

    #[test]
    fn pieces_of_any_text_are_in_order() {
        for text in ["", "((((", "a # b\n c", "\"open", "x ≤ y ** 2 /* no */", "}}}", "é\u{feff}// ü"] {
            let mut after = 0;
            for (place, _) in classes(text) {
                assert!(after <= place.start && place.start < place.end, "{text}");
                assert!(text.get(place.clone()).is_some_and(|piece| !piece.contains('\n')), "{text}");
                after = place.end;
            }
        }
    }
}

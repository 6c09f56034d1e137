//! The text of a layout, with its comments.

use super::super::token::Token;
use super::layout::{Layout, place, width};
use super::pieces::{Comment, Piece};

/// Writes the program.
pub fn write(pieces: &[Piece<'_>], breaks: &[bool], tight: &[bool], extra: &[usize]) -> String {
    let layout = place(pieces, breaks, tight, extra);
    let behind = trailing_columns(pieces, &layout);
    let mut out = Page::default();
    for at in 0..pieces.len() {
        let Some(piece) = pieces.get(at) else { break };
        let column = layout.column.get(at).copied().unwrap_or(0);
        for comment in &piece.comments {
            if comment.trailing {
                out.to(behind.get(at).copied().unwrap_or(0), 0);
            } else {
                out.line(comment.blank && may_be_apart(pieces, at, comment));
                out.to(comment_column(pieces, breaks, &layout, at), 0);
            }
            out.put(comment.text);
        }
        if piece.token == Token::Sep {
            break;
        }
        if layout.first.get(at) == Some(&at) {
            out.line(piece.blank && may_stand_apart(pieces, at));
        } else if piece.starts && !after_brace(pieces, at) {
            out.put(";");
        }
        out.to(column, 0);
        out.put(piece.text);
    }
    out.finish()
}

/// The text so far.
#[derive(Default)]
struct Page {
    out: String,
    column: usize,
}

impl Page {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += width(text);
    }

    /// Begins a line, behind an empty one if so asked.
    fn line(&mut self, apart: bool) {
        if self.out.is_empty() {
            return;
        }
        self.out.push_str(if apart { "\n\n" } else { "\n" });
        self.column = 0;
    }

    /// Goes to a column, at least so many spaces on.
    fn to(&mut self, column: usize, least: usize) {
        let spaces = column.saturating_sub(self.column).max(least);
        self.out.extend(std::iter::repeat_n(' ', spaces));
        self.column += spaces;
    }

    fn finish(mut self) -> String {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }
}

fn after_brace(pieces: &[Piece<'_>], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| pieces.get(before))
        .is_none_or(|piece| piece.token == Token::OpenBrace)
}

/// Whether an empty line may stand before the first line of a token and its comments: not at the
/// begin and end of a block or bracket, nor inside a statement.
fn may_stand_apart(pieces: &[Piece<'_>], at: usize) -> bool {
    let Some(piece) = pieces.get(at) else { return false };
    let opens =
        |piece: &Piece<'_>| matches!(piece.token, Token::OpenParen | Token::OpenBracket | Token::OpenBrace);
    let before = at.checked_sub(1).and_then(|before| pieces.get(before));
    let alone = piece.comments.iter().all(|comment| comment.trailing);
    let after_opening = alone && before.is_some_and(opens);
    let closes = matches!(piece.token, Token::CloseParen | Token::CloseBracket | Token::CloseBrace);
    let in_bracket =
        piece.around.and_then(|open| pieces.get(open)).is_some_and(|open| open.token != Token::OpenBrace);
    !after_opening && !closes && (piece.starts || in_bracket)
}

/// As [`may_stand_apart`], for a comment before the token.
fn may_be_apart(pieces: &[Piece<'_>], at: usize, comment: &Comment<'_>) -> bool {
    let Some(piece) = pieces.get(at) else { return false };
    let first = piece.comments.iter().find(|other| !other.trailing);
    let before = at.checked_sub(1).and_then(|before| pieces.get(before));
    let after_opening = before.is_some_and(|before| {
        matches!(before.token, Token::OpenParen | Token::OpenBracket | Token::OpenBrace)
    });
    !(after_opening && first == Some(comment))
}

/// The column of a comment on a line of its own: that of what it stands before, or, at the end of
/// a block, that of what stands in it.
fn comment_column(pieces: &[Piece<'_>], breaks: &[bool], layout: &Layout, at: usize) -> usize {
    let Some(piece) = pieces.get(at) else { return 0 };
    let column = layout.column.get(at).copied().unwrap_or(0);
    match (piece.token, piece.partner) {
        (Token::Sep, _) => 0,
        (Token::CloseBrace, _) => column + 2,
        (Token::CloseParen | Token::CloseBracket, Some(open)) => {
            if breaks.get(open + 1) == Some(&true) {
                column + 2
            } else {
                column + 1
            }
        }
        _ => column,
    }
}

/// How many lines apart two comments may be that stand under one another.
const NEAR: usize = 3;

/// A comment behind the token before a token.
struct Trailing {
    at: usize,
    line: usize,
    /// Where the author had it.
    column: usize,
    /// Where that is now, if the code before it leaves room; else the least column.
    kept: usize,
    /// As far behind the code as the author had it.
    behind: usize,
}

/// For each token, the column of the comment behind the one before. Those that stood under one
/// another still do; one alone stands as far behind its code as it did.
fn trailing_columns(pieces: &[Piece<'_>], layout: &Layout) -> Vec<usize> {
    let mut columns = vec![0; pieces.len()];
    let mut run: Vec<Trailing> = Vec::new();
    for at in 1..pieces.len() {
        let Some(own) = trailing(pieces, layout, at) else { continue };
        let joins = run
            .last()
            .is_some_and(|last| last.column == own.column && own.line.saturating_sub(last.line) <= NEAR);
        if !joins {
            fill(&mut columns, &run);
            run.clear();
        }
        run.push(own);
    }
    fill(&mut columns, &run);
    columns
}

fn trailing(pieces: &[Piece<'_>], layout: &Layout, at: usize) -> Option<Trailing> {
    let comment = pieces.get(at)?.comments.first().filter(|own| own.trailing)?;
    let before = pieces.get(at - 1)?;
    let start = *layout.first.get(at - 1)?;
    let first = pieces.get(start)?;
    let end = layout.end(pieces, at - 1);
    // A sign that begins a statement would go on with the one before, had it a space behind it.
    let least = usize::from(!(before.starts && before.token == Token::Minus));
    let gap =
        if least == 0 { 0 } else { comment.column.saturating_sub(before.column + width(before.text)).max(1) };
    // Where the line begins with what it began with, columns on it are still the same.
    let same_line = first.line == before.line && (first.newline || start == 0);
    let moved = comment.column + layout.column.get(start).copied().unwrap_or(0);
    let kept = if same_line { moved.saturating_sub(first.column).max(end + least) } else { end + gap };
    Some(Trailing { at, line: before.line, column: comment.column, kept, behind: end + gap })
}

fn fill(columns: &mut [usize], run: &[Trailing]) {
    let target = match run {
        [alone] => alone.behind,
        _ => run.iter().map(|own| own.kept).max().unwrap_or(0),
    };
    for own in run {
        if let Some(column) = columns.get_mut(own.at) {
            *column = target;
        }
    }
}

//! A text as its tokens, each with the comments before it and what the author's spaces and lines say.

use super::super::errors::Reports;
use super::super::lines::lay_out;
use super::super::token::{Token, scan};
use crate::diag::FileId;

/// How wide a tab is taken to be where columns are compared.
const TAB: usize = 4;

/// A comment, or a line of documentation.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment<'t> {
    /// As written, without spaces at its end.
    pub text: &'t str,
    /// Whether it stands behind a token of its line.
    pub trailing: bool,
    /// Whether an empty line stands before it.
    pub blank: bool,
    /// The column of its first letter.
    pub column: usize,
}

/// A token as it stands in the text.
#[derive(Debug, Clone)]
pub struct Piece<'t> {
    /// As written.
    pub text: &'t str,
    /// As the grammar reads it; [`Token::Sep`] behind the last one.
    pub token: Token<'t>,
    /// The comments between it and the token before.
    pub comments: Vec<Comment<'t>>,
    /// Whether it is the first of its statement.
    pub starts: bool,
    /// Whether a line ends somewhere between the token before and this one.
    pub newline: bool,
    /// Whether an empty line stands directly before it.
    pub blank: bool,
    /// Its line, from 0.
    pub line: usize,
    /// Its column, from 0.
    pub column: usize,
    /// The column behind the token before, where that stands on the same line.
    pub gap: usize,
    /// The place of the bracket that is open around it.
    pub around: Option<usize>,
    /// For a bracket: the place of its other half.
    pub partner: Option<usize>,
}

/// Where a text is read.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    column: usize,
}

impl<'t> Cursor<'t> {
    /// Goes on to a place; gives how many line ends were passed.
    fn advance(&mut self, to: usize) -> usize {
        let before = self.line;
        for letter in self.text.get(self.at..to).unwrap_or("").chars() {
            match letter {
                '\n' => {
                    self.line += 1;
                    self.column = 0;
                }
                '\t' => self.column += TAB - self.column % TAB,
                '\r' | '\u{feff}' => {}
                _ => self.column += 1,
            }
        }
        self.at = to;
        self.line - before
    }
}

/// The tokens of a text without errors, and an end behind them.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut reports = Reports::default();
    let lexemes = scan(FileId::default(), text, 0, &mut reports);
    let lines = lay_out(FileId::default(), text, &lexemes, &mut reports);
    let mut laid = lines.tokens.iter().peekable();
    let mut cursor = Cursor { text, at: 0, line: 0, column: 0 };
    let mut found: Vec<Piece<'_>> = Vec::new();
    let mut comments = Vec::new();
    let (mut newline, mut starts, mut from) = (false, true, 0);
    let end = (Token::Sep, text.len(), text.len());
    let all = lexemes.iter().map(|lexeme| (lexeme.token, lexeme.start, lexeme.end)).chain([end]);
    for (token, start, end) in all {
        comments_between(&mut cursor, start, &mut comments, &mut newline);
        let passed = cursor.advance(start);
        newline |= passed > 0;
        if let Token::Doc(line) = token {
            let trailing = !newline && !found.is_empty();
            let blank = passed > 1 && !comments_begin(&found, &comments);
            comments.push(Comment { text: line.trim_end(), trailing, blank, column: cursor.column });
            cursor.advance(end);
            continue;
        }
        if token == Token::Semicolon {
            cursor.advance(end);
            continue;
        }
        let mut now = token;
        while let Some((_, laid_token, _)) = laid.next_if(|(at, ..)| *at <= start && token != Token::Sep) {
            match laid_token {
                Token::Sep | Token::Doc(_) => starts = true,
                other => now = *other,
            }
        }
        found.push(Piece {
            text: text.get(start..end).unwrap_or(""),
            token: now,
            comments: std::mem::take(&mut comments),
            starts: (starts && token != Token::CloseBrace) || token == Token::Sep,
            newline,
            blank: passed > 1,
            line: cursor.line,
            column: cursor.column,
            gap: cursor.column.saturating_sub(from),
            around: None,
            partner: None,
        });
        starts = token == Token::OpenBrace;
        newline = false;
        cursor.advance(end);
        from = cursor.column;
    }
    pair_brackets(&mut found);
    found
}

/// Whether nothing stands before, so that an empty line there separates nothing.
fn comments_begin(found: &[Piece<'_>], comments: &[Comment<'_>]) -> bool {
    found.is_empty() && comments.is_empty()
}

/// Takes the plain comments between the cursor and the next token.
fn comments_between<'t>(
    cursor: &mut Cursor<'t>,
    end: usize,
    comments: &mut Vec<Comment<'t>>,
    newline: &mut bool,
) {
    let first = cursor.at == 0;
    while let Some(rest) = cursor.text.get(cursor.at..end) {
        let Some(offset) = rest.find("//") else { return };
        let passed = cursor.advance(cursor.at + offset);
        *newline |= passed > 0;
        let rest = cursor.text.get(cursor.at..end).unwrap_or("");
        let length = rest.find('\n').unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or(rest).trim_end();
        let begins = first && comments.is_empty();
        let (trailing, blank) = (!*newline && !begins, passed > 1 && !begins);
        comments.push(Comment { text, trailing, blank, column: cursor.column });
        cursor.advance(cursor.at + length);
    }
}

/// Finds the other half of each bracket, and the bracket around each token.
fn pair_brackets(pieces: &mut [Piece<'_>]) {
    let mut open: Vec<usize> = Vec::new();
    for at in 0..pieces.len() {
        let Some(piece) = pieces.get_mut(at) else { continue };
        let closes = matches!(piece.token, Token::CloseParen | Token::CloseBracket | Token::CloseBrace);
        let partner = if closes { open.pop() } else { None };
        piece.partner = partner;
        piece.around = open.last().copied();
        if matches!(piece.token, Token::OpenParen | Token::OpenBracket | Token::OpenBrace) {
            open.push(at);
        }
        if let Some(opening) = partner.and_then(|partner| pieces.get_mut(partner)) {
            opening.partner = Some(at);
        }
    }
}

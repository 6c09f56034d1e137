//! The one form of a program: `minima fmt`.
//!
//! The formatter goes by tokens, not by the tree: it puts spaces and line ends between them and
//! changes nothing else, so numbers keep their spelling, clauses their order, comments their place.
//! What comes out is read again and compared, token by token and comment by comment.

mod breaks;
mod columns;
mod layout;
mod pieces;
mod spaces;
mod tables;
mod wide;
mod write;

use self::pieces::{Piece, pieces};
use super::parse::parse_file;
use super::token::Token;
use crate::diag::{FileId, Report, Span};

/// The code of a report that tells of a bug of the formatter.
pub const INTERNAL: &str = "internal";

/// How often a text is formatted until it stays as it is.
const TURNS: usize = 8;

/// The text of a program in its one form.
///
/// # Errors
/// The errors of the program, which is not touched then; or a report with the code [`INTERNAL`].
pub fn format(text: &str) -> Result<String, Vec<Report>> {
    let (_, reports) = parse_file(FileId::default(), text);
    if reports.iter().any(Report::is_error) {
        return Err(reports);
    }
    let mut formed = once(text);
    for _ in 0..TURNS {
        let again = once(&formed);
        if again == formed {
            break;
        }
        formed = again;
    }
    if is_same(text, &formed) {
        return Ok(with_line_ends_of(text, formed));
    }
    let message = "the formatter would have changed this program, and left it alone; please report this";
    Err(vec![Report::error(INTERNAL, Span::new(FileId::default(), 0, 0), message)])
}

fn once(text: &str) -> String {
    let pieces = pieces(text);
    let tight = spaces::tight_operators(&pieces);
    let mut breaks = breaks::from_author(&pieces);
    wide::narrow(&pieces, &mut breaks, &tight);
    let extra = columns::extra(&pieces, &breaks, &tight);
    write::write(&pieces, &breaks, &tight, &extra)
}

/// Whether two texts are the same program with the same comments.
fn is_same(before: &str, after: &str) -> bool {
    let (before, after) = (pieces(before), pieces(after));
    let same = |(a, b): (&Piece<'_>, &Piece<'_>)| {
        let same_number = |a: f64, b: f64| a.to_bits() == b.to_bits();
        let token = match (a.token, b.token) {
            (Token::Real(a), Token::Real(b)) => same_number(a, b),
            (a, b) => a == b,
        };
        let texts =
            |piece: &Piece<'_>| piece.comments.iter().map(|comment| comment.text.to_string()).collect();
        let (own, other): (Vec<String>, Vec<String>) = (texts(a), texts(b));
        token && a.starts == b.starts && a.text == b.text && own == other
    };
    before.len() == after.len() && before.iter().zip(&after).all(same)
}

/// Lines end as the first one of the text did before.
fn with_line_ends_of(before: &str, after: String) -> String {
    let first = before.split_inclusive('\n').next().unwrap_or("");
    if first.ends_with("\r\n") { after.replace('\n', "\r\n") } else { after }
}

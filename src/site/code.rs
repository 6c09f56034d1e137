//! Programs as HTML: colored by the language's own scanner, names linked to what they mean.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::html::{escape, link};
use super::links::{Names, Piece, links};
use super::unit::{Unit, line_id};
use crate::syntax::{Class, classes};

/// A program with the meaning of each of its pieces.
pub struct Painted<'t> {
    text: &'t str,
    pieces: Vec<(Piece, Option<String>)>,
}

/// A program of a document: its own names are told nowhere.
pub fn snippet(root: &str, text: &str, library: &Names) -> String {
    let unit = Unit::read("", "", text);
    Painted::new(&unit, &[], library).html(0..text.len(), root)
}

impl<'t> Painted<'t> {
    /// Looks up the names of a program.
    pub fn new(unit: &'t Unit, imported: &[(&str, &Unit)], library: &Names) -> Painted<'t> {
        let pieces = classes(&unit.text);
        let found = links(unit, &pieces, imported, library);
        Painted { text: &unit.text, pieces: pieces.into_iter().zip(found).collect() }
    }

    /// The addresses that a stretch of the text names.
    pub fn mentioned(&self, place: Range<usize>) -> BTreeSet<&str> {
        let first = self.pieces.partition_point(|((piece, _), _)| piece.start < place.start);
        let inside = self.pieces.iter().skip(first).take_while(|((piece, _), _)| piece.start < place.end);
        inside.filter_map(|(_, link)| link.as_deref()).collect()
    }

    /// A stretch of the text.
    pub fn html(&self, place: Range<usize>, root: &str) -> String {
        let mut out = String::new();
        let mut after = place.start;
        let first = self.pieces.partition_point(|((piece, _), _)| piece.start < place.start);
        for ((piece, class), target) in self.pieces.iter().skip(first) {
            if piece.end > place.end {
                break;
            }
            out += &escape(self.text.get(after..piece.start).unwrap_or_default());
            let word = escape(self.text.get(piece.clone()).unwrap_or_default());
            let shown = match letter(*class) {
                Some(letter) => format!("<span class=\"{letter}\">{word}</span>"),
                None => word,
            };
            out += &target.as_ref().map_or(shown.clone(), |href| link(root, href, &shown));
            after = piece.end;
        }
        out + &escape(self.text.get(after..place.end).unwrap_or_default())
    }

    /// The whole text, every line with its number and an identity. Lines with declarations have theirs too.
    pub fn listing(&self, root: &str, ids: &HashMap<usize, String>) -> String {
        let mut out = String::from("<pre class=\"listing\"><code>");
        let mut start = 0;
        for (at, line) in self.text.split_inclusive('\n').enumerate() {
            let number = at + 1;
            let end = start + line.trim_end_matches(['\n', '\r']).len();
            let own =
                ids.get(&number).map_or(String::new(), |id| format!("<span id=\"{}\"></span>", escape(id)));
            let id = line_id(number);
            out += &format!(
                "<span class=\"line\" id=\"{id}\">{own}<a class=\"number\" href=\"#{id}\" data-number=\"{number}\" \
                 aria-label=\"line {number}\"></a>{}</span>\n",
                self.html(start..end, root)
            );
            start += line.len();
        }
        out + "</code></pre>\n"
    }
}

/// The letter of a class in the style.
fn letter(class: Class) -> Option<&'static str> {
    match class {
        Class::Keyword => Some("k"),
        Class::Number => Some("n"),
        Class::Text => Some("s"),
        Class::Comment => Some("c"),
        Class::Doc => Some("d"),
        Class::Name | Class::Bracket | Class::Sign | Class::Wrong => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, snippet};

    #[test]
    fn programs_are_escaped_and_linked() {
        let library: Names = [("sqrt".to_string(), "library/primitives.html#sqrt".to_string())].into();
        assert_eq!(
            snippet("../", "print sqrt(2) < 3 // <b>\n", &library),
            "<span class=\"k\">print</span> <a href=\"../library/primitives.html#sqrt\">sqrt</a>(<span class=\"n\">2</span>) \
             &lt; <span class=\"n\">3</span> <span class=\"c\">// &lt;b&gt;</span>\n"
        );
        assert_eq!(snippet("", "<script>\u{7}", &Names::new()), "&lt;script&gt;\u{fffd}");
    }
}

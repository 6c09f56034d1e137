//! Plain answers as the protocol's JSON, and its positions as ours.

use serde_json::{Value, json};

use super::paths;
use super::wire::Refusal;
use crate::editor::{Document, Encoding, Hover, Kind, Lines, Offer, Painted, Place, Position, Study, Symbol};

/// Makes JSON of answers about one document.
pub struct Converter<'c> {
    /// The address of the document.
    pub uri: &'c str,
    /// Its text.
    pub text: &'c str,
    /// Its lines.
    pub lines: &'c Lines,
    /// How columns are counted.
    pub encoding: Encoding,
}

/// A position of the protocol.
pub fn position(value: &Value) -> Result<Position, Refusal> {
    let part = |name: &str| value[name].as_u64().map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let wrong = || Refusal::new(Refusal::PARAMS, "a position is a line and a character, both from 0");
    Ok(Position { line: part("line").ok_or_else(wrong)?, column: part("character").ok_or_else(wrong)? })
}

/// A position as the protocol writes it.
fn written(position: Position) -> Value {
    json!({ "line": position.line, "character": position.column })
}

/// The range of bytes of a text.
pub fn range_in(text: &str, lines: &Lines, (start, end): (usize, usize), encoding: Encoding) -> Value {
    json!({
        "start": written(lines.position(text, start, encoding)),
        "end": written(lines.position(text, end, encoding)),
    })
}

impl<'c> Converter<'c> {
    /// For an open document.
    pub fn of(uri: &'c str, document: &'c Document, encoding: Encoding) -> Converter<'c> {
        Converter { uri, text: &document.text, lines: &document.lines, encoding }
    }

    /// The byte that a request is about.
    pub fn byte(&self, value: &Value) -> Result<usize, Refusal> {
        Ok(self.lines.byte(self.text, position(value)?, self.encoding))
    }

    /// A range of bytes.
    pub fn range(&self, bytes: (usize, usize)) -> Value {
        range_in(self.text, self.lines, bytes, self.encoding)
    }

    /// A place in this or another text.
    pub fn location(&self, place: &Place) -> Option<Value> {
        let uri = paths::uri_of_place(place, self.uri)?;
        let lines = Lines::of(&place.text);
        let range = range_in(&place.text, &lines, (place.start, place.end), self.encoding);
        Some(json!({ "uri": uri, "range": range }))
    }

    /// What an editor shows under the pointer.
    pub fn hover(&self, hover: &Hover) -> Value {
        json!({ "contents": { "kind": "markdown", "value": hover.text }, "range": self.range(hover.at) })
    }

    /// The diagnostics of a check. Further places stand in the message where the editor does not show them.
    pub fn diagnostics(&self, study: &Study, related: bool) -> Vec<Value> {
        let one = |problem: &crate::editor::Problem| {
            let mut message = problem.message.clone();
            let mut places = Vec::new();
            for (place, text) in &problem.related {
                match self.location(place).filter(|_| related) {
                    Some(location) => places.push(json!({ "location": location, "message": text })),
                    // What lies in another file says the same there.
                    None if message.ends_with(text.as_str()) => {}
                    None => message += &format!("\n{text}"),
                }
            }
            for more in &problem.more {
                message += &format!("\n{more}");
            }
            let mut diagnostic = json!({
                "range": self.range(problem.at),
                "severity": if problem.warning { 2 } else { 1 },
                "code": problem.code,
                "source": "minima",
                "message": message,
            });
            if !places.is_empty() {
                diagnostic["relatedInformation"] = Value::Array(places);
            }
            diagnostic
        };
        let mut all: Vec<Value> = study.problems.iter().map(one).collect();
        if let Some(last) = study.problems.last().filter(|_| study.more > 0) {
            let are = if study.more == 1 {
                "is 1 more problem"
            } else {
                &format!("are {} more problems", study.more)
            };
            all.push(json!({
                "range": self.range(last.at),
                "severity": 2,
                "source": "minima",
                "message": format!("there {are}, which {} not shown", if study.more == 1 { "is" } else { "are" }),
            }));
        }
        all
    }

    /// What a text declares.
    pub fn symbol(&self, symbol: &Symbol) -> Value {
        let inner: Vec<Value> = symbol.inner.iter().map(|inner| self.symbol(inner)).collect();
        json!({
            "name": symbol.name,
            "detail": symbol.detail,
            "kind": symbol_kind(symbol.kind),
            "range": self.range(symbol.whole),
            "selectionRange": self.range(symbol.at),
            "children": inner,
        })
    }

    /// Coloured names as the protocol writes them: five numbers each, places relative to the one before.
    pub fn painted(&self, all: &[Painted]) -> Vec<u32> {
        let mut data = Vec::with_capacity(5 * all.len());
        let mut before = Position::default();
        for one in all {
            let start = self.lines.position(self.text, one.at.0, self.encoding);
            let end = self.lines.position(self.text, one.at.1, self.encoding);
            let line = start.line - before.line;
            let column = if line == 0 { start.column - before.column } else { start.column };
            let bits = [one.declared, one.readonly, one.library];
            let modifiers = bits.iter().zip([1, 2, 4]).map(|(on, bit)| if *on { bit } else { 0 }).sum();
            let length = end.column.saturating_sub(start.column);
            data.extend([line, column, length, one.paint as u32, modifiers]);
            before = start;
        }
        data
    }
}

/// What is said of coloured names, by bits.
pub const MODIFIERS: [&str; 3] = ["declaration", "readonly", "defaultLibrary"];

/// The protocol's number of what is offered.
pub fn item_kind(offer: Offer) -> u32 {
    match offer {
        Offer::Function => 3,
        Offer::Field => 5,
        Offer::Variable => 6,
        Offer::Optimizer | Offer::Objective | Offer::Distribution => 7,
        Offer::Argument => 10,
        Offer::Keyword => 14,
        Offer::Constant => 21,
        Offer::Type => 25,
    }
}

/// The protocol's number of what a text declares.
fn symbol_kind(kind: Option<Kind>) -> u32 {
    match kind {
        None => 24,
        Some(Kind::Function) => 12,
        Some(Kind::Objective | Kind::Optimizer | Kind::Distribution | Kind::Set) => 5,
        Some(Kind::Type) => 26,
        Some(Kind::Param) => 8,
        Some(Kind::Report | Kind::State) => 7,
        Some(Kind::Module) => 2,
        Some(_) => 13,
    }
}

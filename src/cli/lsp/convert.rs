//! Plain answers as the protocol's JSON, and its positions as ours.

use serde_json::{Value, json};

use super::paths;
use super::wire::Refusal;
use crate::editor::{Document, Encoding, Hover, Lines, Place, Position, Study};

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
        study.problems.iter().map(one).collect()
    }
}

//! The requests that are answered, and what the server says it can do.

use serde_json::{Value, json};

use super::convert::Converter;
use super::server::Server;
use super::wire::Refusal;
use crate::editor::{self, Document, Encoding};

/// What the server can do.
pub fn abilities(encoding: Encoding) -> Value {
    json!({
        "positionEncoding": if encoding == Encoding::Utf8 { "utf-8" } else { "utf-16" },
        "textDocumentSync": { "openClose": true, "change": 2, "save": true },
        "hoverProvider": true,
    })
}

/// A request about a place in an open document.
struct Asked<'a> {
    server: &'a Server,
    document: &'a Document,
    /// The last whole text, if the present one is broken.
    whole: Option<&'a Document>,
    convert: Converter<'a>,
    params: &'a Value,
}

/// Answers a request.
pub fn answer(server: &Server, method: &str, params: &Value) -> Result<Value, Refusal> {
    let asked = || -> Result<Asked<'_>, Refusal> {
        let uri = params["textDocument"]["uri"].as_str();
        let uri = uri.ok_or_else(|| Refusal::new(Refusal::PARAMS, "the request names no document"))?;
        let open = server.desktop.get(uri)?;
        let document = server.desktop.document(open);
        let whole = server.desktop.whole(open).map(|whole| &**whole);
        let convert = Converter::of(&open.uri, document, server.encoding);
        Ok(Asked { server, document, whole, convert, params })
    };
    match method {
        "textDocument/hover" => asked()?.hover(),
        _ => Err(Refusal::new(Refusal::METHOD, format!("there is no method `{method}`"))),
    }
}

impl Asked<'_> {
    fn at(&self) -> Result<usize, Refusal> {
        self.convert.byte(&self.params["position"])
    }

    fn hover(&self) -> Result<Value, Refusal> {
        let found = editor::hover(self.document, &self.server.desktop.shelf, self.at()?);
        Ok(found.map_or(Value::Null, |hover| self.convert.hover(&hover)))
    }
}

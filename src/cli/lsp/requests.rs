//! The requests that are answered, and what the server says it can do.

use serde_json::{Value, json};

use super::convert;
use super::convert::{Converter, item_kind, range_in};
use super::open::Open;
use super::server::Server;
use super::wire::Refusal;
use crate::editor::{self, Document, Encoding, Mention, Origin, Paint};
use crate::syntax;

/// What the server can do.
pub fn abilities(encoding: Encoding) -> Value {
    json!({
        "positionEncoding": if encoding == Encoding::Utf8 { "utf-8" } else { "utf-16" },
        "textDocumentSync": { "openClose": true, "change": 2, "save": true },
        "hoverProvider": true,
        "completionProvider": { "triggerCharacters": [".", "\""], "resolveProvider": true },
        "signatureHelpProvider": { "triggerCharacters": ["(", ","] },
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "renameProvider": { "prepareProvider": true },
        "documentFormattingProvider": true,
        "documentSymbolProvider": true,
        "foldingRangeProvider": true,
        "inlayHintProvider": true,
        "codeActionProvider": { "codeActionKinds": ["quickfix"] },
        "semanticTokensProvider": {
            "legend": { "tokenTypes": Paint::ALL, "tokenModifiers": convert::MODIFIERS },
            "full": true,
            "range": true,
        },
    })
}

/// A request about an open document.
struct Asked<'a> {
    server: &'a Server,
    open: &'a Open,
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
        Ok(Asked { server, open, document, whole, convert, params })
    };
    match method {
        "textDocument/hover" => asked()?.hover(),
        "textDocument/completion" => asked()?.completion(),
        "completionItem/resolve" => Ok(resolved(server, params)),
        "textDocument/signatureHelp" => asked()?.signature(),
        "textDocument/definition" => asked()?.definition(),
        "textDocument/references" => asked()?.references(),
        "textDocument/documentHighlight" => asked()?.highlights(),
        "textDocument/prepareRename" => asked()?.prepare_rename(),
        "textDocument/rename" => asked()?.rename(),
        "textDocument/formatting" => asked()?.formatting(),
        "textDocument/documentSymbol" => asked()?.symbols(),
        "textDocument/foldingRange" => asked()?.folds(),
        "textDocument/inlayHint" => asked()?.hints(),
        "textDocument/codeAction" => asked()?.actions(),
        "textDocument/semanticTokens/full" => asked()?.tokens(None),
        "textDocument/semanticTokens/range" => {
            let asked = asked()?;
            let range = asked.range()?;
            asked.tokens(Some(range))
        }
        _ => Err(Refusal::new(Refusal::METHOD, format!("there is no method `{method}`"))),
    }
}

/// An item of a completion with the page about it.
fn resolved(server: &Server, item: &Value) -> Value {
    let mut item = item.clone();
    let name = item["data"].as_str().map(str::to_string);
    if let Some((signature, page)) = name.and_then(|name| editor::page(&server.desktop.shelf, &name)) {
        item["detail"] = signature.to_string().into();
        item["documentation"] = json!({ "kind": "markdown", "value": page });
    }
    item
}

impl Asked<'_> {
    fn at(&self) -> Result<usize, Refusal> {
        self.convert.byte(&self.params["position"])
    }

    fn range(&self) -> Result<(usize, usize), Refusal> {
        let range = &self.params["range"];
        Ok((self.convert.byte(&range["start"])?, self.convert.byte(&range["end"])?))
    }

    fn hover(&self) -> Result<Value, Refusal> {
        let at = self.at()?;
        let shelf = &self.server.desktop.shelf;
        let found = editor::hover(self.document, shelf, at);
        Ok(found.map_or(Value::Null, |hover| self.convert.hover(&hover)))
    }

    fn completion(&self) -> Result<Value, Refusal> {
        let found = editor::complete(self.document, self.whole, &self.server.desktop.shelf, self.at()?);
        let range = self.convert.range(found.at);
        let dotted = self.convert.range((found.at.0.saturating_sub(1), found.at.1));
        let item = |item: &editor::Item| {
            let mut value = json!({
                "label": item.label,
                "kind": item_kind(item.offer),
                "sortText": format!("{}{}", item.rank, item.label),
                "textEdit": { "range": range, "newText": item.label },
            });
            if let Some(text) = &item.instead {
                // The range begins with the dot, so what is typed is looked for behind one.
                value["textEdit"] = json!({ "range": dotted, "newText": text });
                value["filterText"] = format!(".{}", item.label).into();
            }
            if !item.detail.is_empty() {
                value["detail"] = item.detail.clone().into();
            }
            if item.library {
                value["data"] = item.label.clone().into();
            }
            value
        };
        let items: Vec<Value> = found.items.iter().map(item).collect();
        Ok(json!({ "isIncomplete": false, "items": items }))
    }

    fn signature(&self) -> Result<Value, Refusal> {
        let shelf = &self.server.desktop.shelf;
        let Some(found) = editor::signature(self.document, self.whole, shelf, self.at()?) else {
            return Ok(Value::Null);
        };
        let parameter = |(start, end): &(usize, usize)| json!({ "label": &found.label[*start..*end] });
        let parameters: Vec<Value> = found.parameters.iter().map(parameter).collect();
        Ok(json!({
            "signatures": [{
                "label": found.label,
                "documentation": { "kind": "markdown", "value": found.doc },
                "parameters": parameters,
            }],
            "activeSignature": 0,
            // None of them: one behind the last.
            "activeParameter": found.active.unwrap_or(parameters.len()),
        }))
    }

    fn definition(&self) -> Result<Value, Refusal> {
        let place = editor::definition(self.document, &self.server.desktop.shelf, self.at()?);
        Ok(place.and_then(|place| self.convert.location(&place)).unwrap_or(Value::Null))
    }

    /// All places of the name at a place, by document: in this one, in the one that defines it, and in all open ones
    /// that import that.
    fn everywhere(&self, at: usize, with_definition: bool) -> Vec<(&Open, Vec<Mention>)> {
        let desktop = &self.server.desktop;
        let Some((def, _)) = self.document.meant_at(at) else {
            return vec![(self.open, editor::mentions(self.document, at, with_definition))];
        };
        let place = self.document.place(self.document.names.defs[def].at);
        let home = match &place.origin {
            Origin::File(path) => Some(path.clone()),
            _ => self.open.path.clone(),
        };
        let own = (self.open, editor::mentions(self.document, at, with_definition));
        let others = desktop.all.values().filter(|open| open.uri != self.open.uri).filter_map(|open| {
            let home = home.as_deref()?;
            let document = desktop.document(open);
            let found = if open.path.as_deref() == Some(home) {
                editor::mentions(document, place.start, with_definition)
            } else {
                editor::mentions_of_import(document, home, (place.start, place.end))
            };
            (!found.is_empty()).then_some((open, found))
        });
        std::iter::once(own).chain(others).collect()
    }

    fn ranges(&self, open: &Open, mentions: &[(usize, usize)]) -> Vec<Value> {
        let document = self.server.desktop.document(open);
        let range =
            |at: &(usize, usize)| range_in(&document.text, &document.lines, *at, self.server.encoding);
        mentions.iter().map(range).collect()
    }

    fn references(&self) -> Result<Value, Refusal> {
        let with = self.params["context"]["includeDeclaration"].as_bool().unwrap_or(true);
        let at = self.at()?;
        let mut found = Vec::new();
        for (open, mentions) in self.everywhere(at, with) {
            let places: Vec<(usize, usize)> = mentions.iter().map(|mention| mention.at).collect();
            let ranges = self.ranges(open, &places);
            found.extend(ranges.into_iter().map(|range| json!({ "uri": open.uri, "range": range })));
        }
        // A definition in a file that is not open.
        if with
            && let Some((def, _)) = self.document.meant_at(at)
            && let place = self.document.place(self.document.names.defs[def].at)
            && let Origin::File(path) = &place.origin
            && !self.server.desktop.all.values().any(|open| open.path.as_ref() == Some(path))
        {
            found.extend(self.convert.location(&place));
        }
        Ok(found.into())
    }

    fn highlights(&self) -> Result<Value, Refusal> {
        let found = editor::mentions(self.document, self.at()?, true);
        let one = |mention: &Mention| {
            let kind = if mention.writes { 3 } else { 2 };
            json!({ "range": self.convert.range(mention.at), "kind": kind })
        };
        Ok(found.iter().map(one).collect())
    }

    fn prepare_rename(&self) -> Result<Value, Refusal> {
        let found = editor::renamable(self.document, self.at()?);
        let (_, span) = found.map_err(|why| Refusal::new(Refusal::FAILED, why))?;
        let at = (span.start as usize, span.end as usize);
        Ok(json!({ "range": self.convert.range(at), "placeholder": self.document.written(span) }))
    }

    fn rename(&self) -> Result<Value, Refusal> {
        let failed = |why: String| Refusal::new(Refusal::FAILED, why);
        let new = self.params["newName"].as_str().unwrap_or_default();
        let at = self.at()?;
        let own = editor::rename(self.document, &self.server.desktop.shelf, at, new).map_err(failed)?;
        let mut changes = serde_json::Map::new();
        let mut add = |open: &Open, places: &[(usize, usize)]| {
            let edits =
                self.ranges(open, places).into_iter().map(|range| json!({ "range": range, "newText": new }));
            changes.insert(open.uri.clone(), edits.collect());
        };
        add(self.open, &own);
        for (open, mentions) in self.everywhere(at, true).into_iter().skip(1) {
            let document = self.server.desktop.document(open);
            if document.names.defs.iter().any(|def| &*def.name == new) {
                return Err(failed(format!("`{new}` is taken in {}", open.uri)));
            }
            let places: Vec<(usize, usize)> = mentions.iter().map(|mention| mention.at).collect();
            add(open, &places);
        }
        Ok(json!({ "changes": changes }))
    }

    fn formatting(&self) -> Result<Value, Refusal> {
        let formed = syntax::format(&self.document.text).map_err(|reports| {
            let why = reports.first().map(|report| report.message.clone()).unwrap_or_default();
            Refusal::new(Refusal::FAILED, format!("the program has errors: {why}"))
        })?;
        let edit = editor::difference(&self.document.text, &formed);
        let edit = edit.map(|(at, text)| json!({ "range": self.convert.range(at), "newText": text }));
        Ok(edit.into_iter().collect())
    }

    fn symbols(&self) -> Result<Value, Refusal> {
        Ok(editor::symbols(self.document).iter().map(|symbol| self.convert.symbol(symbol)).collect())
    }

    fn folds(&self) -> Result<Value, Refusal> {
        let one = |fold: &editor::Fold| {
            let kind = if fold.comment { "comment" } else { "region" };
            json!({ "startLine": fold.first, "endLine": fold.last, "kind": kind })
        };
        Ok(editor::folds(self.document).iter().map(one).collect())
    }

    fn hints(&self) -> Result<Value, Refusal> {
        let found = editor::hints(self.document, self.range()?);
        let one = |hint: &editor::Hint| {
            let at = self.convert.range((hint.at, hint.at));
            json!({ "position": at["start"], "label": hint.text, "kind": 1 })
        };
        Ok(found.iter().map(one).collect())
    }

    fn actions(&self) -> Result<Value, Refusal> {
        let only = self.params["context"]["only"].as_array();
        if only.is_some_and(|only| !only.iter().any(|kind| kind == "quickfix" || kind == "")) {
            return Ok(json!([]));
        }
        let present = self.document.study.as_ref().filter(|seen| seen.study.text == self.document.text);
        let told = present.map(|seen| self.convert.diagnostics(&seen.study, true));
        let told = told.unwrap_or_default();
        let one = |mend: &editor::Mend| {
            let edit = json!({ "range": self.convert.range(mend.at), "newText": mend.text });
            let mut changes = serde_json::Map::new();
            changes.insert(self.open.uri.clone(), json!([edit]));
            json!({
                "title": mend.title,
                "kind": "quickfix",
                "isPreferred": true,
                "diagnostics": told.get(mend.problem).into_iter().collect::<Vec<_>>(),
                "edit": { "changes": changes },
            })
        };
        Ok(editor::mends(self.document, self.range()?).iter().map(one).collect())
    }

    fn tokens(&self, range: Option<(usize, usize)>) -> Result<Value, Refusal> {
        let mut found = editor::painted(self.document);
        if let Some((start, end)) = range {
            found.retain(|one| start <= one.at.1 && one.at.0 <= end);
        }
        Ok(json!({ "data": self.convert.painted(&found) }))
    }
}

#[cfg(test)]
mod tests {
    use super::abilities;
    use crate::editor::Encoding;

    #[test]
    fn abilities_name_the_encoding() {
        assert_eq!(abilities(Encoding::Utf8)["positionEncoding"], "utf-8");
        assert_eq!(abilities(Encoding::Utf16)["positionEncoding"], "utf-16");
    }
}

//! The state of the server, and what each message does to it.

use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::convert::Converter;
use super::desk::{Desk, Done, said};
use super::open::Desktop;
use super::wire::{self, Refusal};
use super::{paths, requests};
use crate::cli::exit;
use crate::editor::{Encoding, Lines};

/// A text waits so long after an edit before it is checked.
const WAIT: Duration = Duration::from_millis(80);

/// What the server is told.
#[derive(Debug)]
pub enum Event {
    /// A message of the editor.
    Message(Value),
    /// Something that is no message.
    Malformed(String),
    /// The editor has closed.
    End,
    /// A check is done.
    Checked(Done),
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before `initialize`.
    New,
    /// Between `initialize` and `shutdown`.
    Running,
    /// After `shutdown`.
    Ended,
}

/// The server.
pub struct Server {
    out: Box<dyn Write>,
    desk: Arc<Desk>,
    phase: Phase,
    /// How columns are counted.
    pub encoding: Encoding,
    /// Whether the editor shows further places of a diagnostic.
    related: bool,
    /// The documents that are open.
    pub desktop: Desktop,
}

impl Server {
    /// A server that nobody has spoken to.
    pub fn new(desk: Arc<Desk>, out: Box<dyn Write>) -> Server {
        let desktop = Desktop::default();
        Server { out, desk, phase: Phase::New, encoding: Encoding::Utf16, related: false, desktop }
    }

    /// Takes an event; gives the exit code when it is the last one.
    pub fn take(&mut self, event: Event) -> Option<u8> {
        match event {
            Event::Message(message) => return self.message(&message),
            Event::Malformed(why) => {
                let refusal = Refusal::new(Refusal::PARSE, why);
                self.send(&wire::response(&Value::Null, Err(refusal)));
            }
            Event::Checked(done) => self.checked(done),
            Event::End => return Some(self.farewell()),
        }
        None
    }

    fn farewell(&self) -> u8 {
        if self.phase == Phase::Ended { exit::OK } else { exit::PROGRAM }
    }

    fn send(&mut self, message: &Value) {
        // An editor that is gone reads nothing; its end of the input follows.
        let _ = wire::write(&mut self.out, message);
    }

    fn log(&mut self, text: &str) {
        self.send(&wire::notification("window/logMessage", json!({ "type": 1, "message": text })));
    }

    fn message(&mut self, message: &Value) -> Option<u8> {
        let id = message.get("id");
        let Some(method) = message["method"].as_str() else {
            // An answer to something that was asked of the editor, or nothing sensible.
            if id.is_none() || !(message.get("result").is_some() || message.get("error").is_some()) {
                let refusal = Refusal::new(Refusal::INVALID, "a message has a method");
                self.send(&wire::response(id.unwrap_or(&Value::Null), Err(refusal)));
            }
            return None;
        };
        let params = &message["params"];
        match id {
            None if method == "exit" => return Some(self.farewell()),
            None => self.notified(method, params),
            Some(id) => {
                let answer = self.request(method, params);
                self.send(&wire::response(id, answer));
            }
        }
        None
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value, Refusal> {
        match (self.phase, method) {
            (Phase::New, "initialize") => Ok(self.initialize(params)),
            (Phase::New, _) => Err(Refusal::new(Refusal::EARLY, "`initialize` comes first")),
            (Phase::Running, "initialize") => Err(Refusal::new(Refusal::INVALID, "`initialize` comes once")),
            (Phase::Running, "shutdown") => {
                self.phase = Phase::Ended;
                Ok(Value::Null)
            }
            (Phase::Running, _) => {
                let answer = panic::catch_unwind(AssertUnwindSafe(|| requests::answer(self, method, params)));
                answer.unwrap_or_else(|panic| {
                    let said = format!("internal error, please report: {}", said(&*panic));
                    self.log(&format!("{method}: {said}"));
                    Err(Refusal::new(Refusal::INTERNAL, said))
                })
            }
            (Phase::Ended, _) => Err(Refusal::new(Refusal::INVALID, "the server is shut down")),
        }
    }

    fn initialize(&mut self, params: &Value) -> Value {
        self.phase = Phase::Running;
        let abilities = &params["capabilities"];
        let known = abilities["general"]["positionEncodings"].as_array();
        let utf8 = known.is_some_and(|known| known.first().is_some_and(|first| first == "utf-8"));
        self.encoding = if utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
        self.related =
            abilities["textDocument"]["publishDiagnostics"]["relatedInformation"].as_bool().unwrap_or(false);
        json!({
            "capabilities": requests::abilities(self.encoding),
            "serverInfo": { "name": "minima", "version": env!("CARGO_PKG_VERSION") },
        })
    }

    fn notified(&mut self, method: &str, params: &Value) {
        if self.phase != Phase::Running {
            return;
        }
        let done = panic::catch_unwind(AssertUnwindSafe(|| self.notice(method, params)));
        match done {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => self.log(&format!("{method}: {}", refusal.message)),
            Err(panic) => self.log(&format!("{method}: internal error, please report: {}", said(&*panic))),
        }
    }

    fn notice(&mut self, method: &str, params: &Value) -> Result<(), Refusal> {
        let text = |value: &Value| {
            let wrong = || Refusal::new(Refusal::PARAMS, "a text is needed");
            value.as_str().map(str::to_string).ok_or_else(wrong)
        };
        let document = &params["textDocument"];
        let version = document["version"].as_i64().unwrap_or(0);
        match method {
            "textDocument/didOpen" => {
                let uri = text(&document["uri"])?;
                self.desktop.open(&uri, version, &text(&document["text"])?);
                self.check(&uri, Duration::ZERO);
                self.check_importers(&uri);
            }
            "textDocument/didChange" => {
                let uri = text(&document["uri"])?;
                let changes = params["contentChanges"].as_array().cloned().unwrap_or_default();
                self.desktop.change(&uri, version, &changes, self.encoding)?;
                self.check(&uri, WAIT);
                self.check_importers(&uri);
            }
            "textDocument/didClose" => {
                let uri = text(&document["uri"])?;
                self.desktop.close(&uri);
                self.desk.forget(&uri);
                self.publish(&uri, None, Vec::new());
            }
            // Data or imports may have been written.
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                let all: Vec<String> = self.desktop.all.keys().cloned().collect();
                all.iter().for_each(|uri| self.check(uri, WAIT));
            }
            _ => {}
        }
        Ok(())
    }

    /// A document is to be checked. The files of the library are only looked at.
    fn check(&mut self, uri: &str, wait: Duration) {
        let Ok(open) = self.desktop.get(uri) else { return };
        if !open.path.as_deref().is_some_and(paths::in_library) {
            self.desk.put(uri, open.version, self.desktop.subject(open), wait);
        }
    }

    fn check_importers(&mut self, uri: &str) {
        let Some(path) = paths::path_of(uri) else { return };
        for importer in self.desktop.importers(&path) {
            self.check(&importer, WAIT);
        }
    }

    fn checked(&mut self, done: Done) {
        let Done { uri, version, found } = done;
        let study = match found {
            Ok(study) => study,
            Err(said) => {
                self.log(&format!("the check of {uri} failed: internal error, please report: {said}"));
                return;
            }
        };
        let Ok(open) = self.desktop.get(&uri) else { return };
        let current = open.version == version && open.text == study.text;
        if current {
            let lines = Lines::of(&study.text);
            let converter =
                Converter { uri: &uri, text: &study.text, lines: &lines, encoding: self.encoding };
            let diagnostics = converter.diagnostics(&study, self.related);
            self.publish(&uri, Some(version), diagnostics);
        }
        self.desktop.keep(&uri, *study);
    }

    fn publish(&mut self, uri: &str, version: Option<i64>, diagnostics: Vec<Value>) {
        let mut params = json!({ "uri": uri, "diagnostics": diagnostics });
        if let Some(version) = version {
            params["version"] = version.into();
        }
        self.send(&wire::notification("textDocument/publishDiagnostics", params));
    }
}

//! A small client of the language server.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// An editor with one document in a folder of its own.
pub struct Editor {
    pub process: Child,
    pub input: Option<ChildStdin>,
    pub output: Receiver<Value>,
    pub waiting: VecDeque<Value>,
    pub folder: PathBuf,
    pub uri: String,
    pub text: String,
    pub version: i64,
    pub requests: i64,
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lsp").join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// A server that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The messages of the server, until it ends.
fn listen(mut output: BufReader<ChildStdout>) -> Receiver<Value> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        while let Some(message) = message(&mut output) {
            if tell.send(message).is_err() {
                return;
            }
        }
    });
    told
}

fn message(output: &mut BufReader<ChildStdout>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().expect("a length"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("the server writes JSON"))
}

impl Editor {
    /// Starts the server and says hello.
    pub fn start(name: &str, capabilities: &Value) -> Editor {
        let mut editor = Editor::spawn(name);
        let hello = editor.ask("initialize", &json!({ "capabilities": capabilities }));
        assert_eq!(hello["serverInfo"]["name"], "minima");
        editor.tell("initialized", &json!({}));
        editor
    }

    pub fn spawn(name: &str) -> Editor {
        Editor::spawn_with(name, &["lsp", "--stdio"])
    }

    pub fn spawn_with(name: &str, arguments: &[&str]) -> Editor {
        let folder = folder(name);
        let mut process = Command::new(env!("CARGO_BIN_EXE_minima"))
            .args(arguments)
            .env("MINIMA_CACHE", folder.join("cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let input = process.stdin.take();
        let output = listen(BufReader::new(process.stdout.take().expect("it was asked for")));
        let uri = format!("file://{}/main.opt", folder.display());
        let (waiting, text) = (VecDeque::new(), String::new());
        Editor { process, input, output, waiting, folder, uri, text, version: 0, requests: 0 }
    }

    /// Starts the server with a document open, and gives what is wrong with it.
    pub fn with(name: &str, text: &str) -> (Editor, Vec<Value>) {
        let related = json!({ "textDocument": { "publishDiagnostics": { "relatedInformation": true } } });
        let mut editor = Editor::start(name, &related);
        let wrong = editor.open(text);
        (editor, wrong)
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("it is open");
        input.write_all(bytes).expect("the server reads");
        input.flush().expect("the server reads");
    }

    pub fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn receive(&mut self) -> Value {
        self.output.recv_timeout(PATIENCE).expect("the server goes on, and says something")
    }

    pub fn tell(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks, and gives the whole answer.
    pub fn answer(&mut self, method: &str, params: &Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.receive();
            if message["id"] == id {
                return message;
            }
            self.waiting.push_back(message);
        }
    }

    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.answer(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The next message of a kind that is no answer.
    pub fn told(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.waiting.iter().position(|message| message["method"] == method) {
                return self.waiting.remove(at).expect("it is there")["params"].clone();
            }
            let message = self.receive();
            self.waiting.push_back(message);
        }
    }

    pub fn open(&mut self, text: &str) -> Vec<Value> {
        self.text = text.to_string();
        self.version = 1;
        let item = json!({ "uri": self.uri, "languageId": "minima", "version": 1, "text": text });
        self.tell("textDocument/didOpen", &json!({ "textDocument": item }));
        self.wrong()
    }

    /// What is wrong with the present version.
    pub fn wrong(&mut self) -> Vec<Value> {
        loop {
            let told = self.told("textDocument/publishDiagnostics");
            if told["uri"] == self.uri && told["version"] == self.version {
                return told["diagnostics"].as_array().expect("a list").clone();
            }
        }
    }

    /// Replaces a part of the text by another, as typing does.
    pub fn edit(&mut self, old: &str, new: &str) {
        let start = self.text.find(old).unwrap_or_else(|| panic!("`{old}` is in the text"));
        let range = json!({ "start": self.position(start), "end": self.position(start + old.len()) });
        self.text.replace_range(start..start + old.len(), new);
        self.version += 1;
        let document = json!({ "uri": self.uri, "version": self.version });
        let changes = json!([{ "range": range, "text": new }]);
        self.tell("textDocument/didChange", &json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// A byte as the default encoding counts.
    pub fn position(&self, at: usize) -> Value {
        let before = &self.text[..at];
        let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
        json!({ "line": before.matches('\n').count(), "character": column })
    }

    /// The place of the `|` in a piece of the text.
    pub fn place(&self, marked: &str) -> Value {
        let at = marked.find('|').expect("a mark");
        let plain = marked.replacen('|', "", 1);
        let found = self.text.find(&plain).unwrap_or_else(|| panic!("`{plain}` is in the text"));
        self.position(found + at)
    }

    /// Asks about a marked place.
    pub fn at(&mut self, method: &str, marked: &str, more: &Value) -> Value {
        let answer = self.answer_at(method, marked, more);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    pub fn answer_at(&mut self, method: &str, marked: &str, more: &Value) -> Value {
        let mut params = json!({ "textDocument": { "uri": self.uri }, "position": self.place(marked) });
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        self.answer(&format!("textDocument/{method}"), &params)
    }

    pub fn whole(&mut self, method: &str) -> Value {
        let everything =
            json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9999, "character": 0 } });
        let params = json!({
            "textDocument": { "uri": self.uri },
            "range": everything,
            "context": { "diagnostics": [] },
            "options": { "tabSize": 2, "insertSpaces": true },
        });
        self.ask(&format!("textDocument/{method}"), &params)
    }

    pub fn hover(&mut self, marked: &str) -> String {
        let found = self.at("hover", marked, &json!({}));
        found["contents"]["value"].as_str().unwrap_or_default().to_string()
    }

    /// What is offered at a marked place, in the order of the server.
    pub fn offered(&mut self, marked: &str) -> Vec<String> {
        let found = self.at("completion", marked, &json!({}));
        let label = |item: &Value| item["label"].as_str().expect("a label").to_string();
        found["items"].as_array().expect("items").iter().map(label).collect()
    }

    /// The text with edits of this document made.
    pub fn edited(&self, edits: &Value) -> String {
        let mut places: Vec<(usize, usize, &str)> = edits
            .as_array()
            .expect("edits")
            .iter()
            .map(|edit| {
                let text = edit["newText"].as_str().expect("a text");
                (self.byte(&edit["range"]["start"]), self.byte(&edit["range"]["end"]), text)
            })
            .collect();
        places.sort_unstable();
        let mut text = self.text.clone();
        for (start, end, new) in places.into_iter().rev() {
            text.replace_range(start..end, new);
        }
        text
    }

    pub fn byte(&self, position: &Value) -> usize {
        let line = usize::try_from(position["line"].as_u64().expect("a line")).expect("small");
        let column = usize::try_from(position["character"].as_u64().expect("a column")).expect("small");
        let start: usize = self.text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut units = 0;
        let rest = &self.text[start..];
        for (at, letter) in rest.char_indices() {
            if units >= column {
                return start + at;
            }
            units += letter.len_utf16();
        }
        self.text.len()
    }

    /// Says goodbye; gives the exit code.
    pub fn end(mut self) -> Option<i32> {
        assert_eq!(self.ask("shutdown", &Value::Null), Value::Null);
        self.tell("exit", &Value::Null);
        self.process.wait().expect("it ends").code()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

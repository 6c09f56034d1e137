//! Messages of JSON-RPC with their headers, as the language server protocol frames them.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

/// The most bytes of a message.
const LIMIT: usize = 256 << 20;
/// The most bytes of a line of a header.
const LINE: usize = 4096;

/// What was read.
#[derive(Debug)]
pub enum Read {
    /// A message.
    Message(Value),
    /// Something that is no message, and what is wrong with it.
    Malformed(String),
    /// The end.
    End,
}

/// What begins the line that says how long a message is.
const HEADER: &[u8] = b"content-length:";
/// The most bytes of such a line.
const SHORT: usize = 64;

/// Reads messages. After one whose length is wrong it goes on at the next `Content-Length:`.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    /// Bytes to be read again, before those of the input.
    again: Vec<u8>,
    /// Whether the rest of something malformed, of which was told, is passed over.
    lost: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads from an input.
    pub fn new(input: R) -> Reader<R> {
        Reader { input, again: Vec::new(), lost: false }
    }

    /// Reads the next message, or tells of something malformed and passes over it.
    pub fn read(&mut self) -> io::Result<Read> {
        let mut length: Option<usize> = None;
        let mut wrong = None;
        loop {
            let mut line = self.line()?;
            if line.is_empty() {
                return Ok(Read::End);
            }
            let header = find(&line, HEADER);
            if header.is_none() && self.lost {
                continue;
            }
            if let Some(at) = header.filter(|at| *at > 0) {
                let lost = self.lost;
                self.read_again(line.split_off(at));
                self.lost = false;
                if lost {
                    continue;
                }
                return Ok(Read::Malformed(
                    "the message before this one has another length than its header says".into(),
                ));
            }
            self.lost = false;
            let text = String::from_utf8_lossy(&line);
            let text = text.trim();
            if text.is_empty() {
                break;
            }
            match text.split_once(':') {
                Some((_, value)) if header.is_some() => {
                    length = value.trim().parse().ok();
                    if length.is_none() {
                        wrong = Some(format!("`{}` is no length", value.trim()));
                    }
                }
                Some(_) => {}
                None => wrong = Some("a header is `Name: value`".into()),
            }
        }
        if let Some(wrong) = wrong {
            return Ok(self.malformed(wrong));
        }
        match length {
            None => Ok(self.malformed("the header has no Content-Length".into())),
            Some(length) if length > LIMIT => Ok(self.malformed("a message is larger than 256 MiB".into())),
            Some(length) => self.body(length),
        }
    }

    /// What follows is passed over up to the next `Content-Length:`.
    fn malformed(&mut self, why: String) -> Read {
        self.lost = true;
        Read::Malformed(why)
    }

    fn body(&mut self, length: usize) -> io::Result<Read> {
        let mut body = Vec::new();
        while body.len() < length {
            let seen = body.len();
            let piece = self.piece(length - seen, None)?;
            if piece.is_empty() {
                return Ok(Read::End);
            }
            body.extend(piece);
            if let Some(at) = header_in(&body, seen) {
                let got = at;
                self.read_again(body.split_off(at));
                let why =
                    format!("a message of {length} bytes was announced, and the next one begins after {got}");
                return Ok(Read::Malformed(why));
            }
        }
        Ok(match serde_json::from_slice(&body) {
            Ok(value) => Read::Message(value),
            Err(error) => {
                // The length may be too large by a part of the next header.
                if let Some(at) = body.iter().rposition(|byte| *byte == b'}').map(|at| at + 1)
                    && begins_header(&body[at..])
                {
                    self.read_again(body.split_off(at));
                } else {
                    self.lost = true;
                }
                Read::Malformed(format!("the body is no JSON: {error}"))
            }
        })
    }

    fn read_again(&mut self, mut bytes: Vec<u8>) {
        bytes.append(&mut self.again);
        self.again = bytes;
    }

    /// The next line with its end; of a longer one than any header its last bytes.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let piece = self.piece(LINE, Some(b'\n'))?;
            let end = piece.is_empty() || piece.ends_with(b"\n");
            line.extend(piece);
            if end {
                return Ok(line);
            }
            // A header is nowhere in it; but it may begin at its end.
            if line.len() > LINE && find(&line, HEADER).is_none() {
                self.lost = true;
                line.drain(..line.len() - SHORT);
            }
        }
    }

    /// Some of the next bytes: at most so many, and none behind `end`; nothing at the end of the input.
    fn piece(&mut self, most: usize, end: Option<u8>) -> io::Result<Vec<u8>> {
        let cut = |bytes: &[u8]| {
            let bytes = &bytes[..bytes.len().min(most)];
            let at = end.and_then(|end| bytes.iter().position(|byte| *byte == end));
            at.map_or(bytes.len(), |at| at + 1)
        };
        if !self.again.is_empty() {
            let rest = self.again.split_off(cut(&self.again));
            return Ok(std::mem::replace(&mut self.again, rest));
        }
        let bytes = loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let piece = bytes[..cut(bytes)].to_vec();
        self.input.consume(piece.len());
        Ok(piece)
    }
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|part| part.eq_ignore_ascii_case(word))
}

/// Where a whole line `Content-Length: n` begins in the body of a message, of which all before `seen` was looked at.
/// No JSON holds one: in a text the end of a line is written `\r\n`.
fn header_in(body: &[u8], seen: usize) -> Option<usize> {
    let ends = body.iter().enumerate().skip(seen).filter(|(_, byte)| **byte == b'\n');
    ends.into_iter().find_map(|(end, _)| {
        let from = end.saturating_sub(SHORT);
        let at = from + find(&body[from..end], HEADER)?;
        let number = body[at + HEADER.len()..end].trim_ascii();
        (!number.is_empty() && number.iter().all(u8::is_ascii_digit)).then_some(at)
    })
}

/// Whether some bytes are the first ones of a header.
fn begins_header(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    let known = bytes.len().min(HEADER.len());
    known > 0
        && bytes[..known].eq_ignore_ascii_case(&HEADER[..known])
        && bytes[known..].iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace())
}

/// Writes a message.
pub fn write(output: &mut impl Write, message: &Value) -> io::Result<()> {
    let body = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    output.flush()
}

/// A request could not be answered.
#[derive(Debug)]
pub struct Refusal {
    /// The code of JSON-RPC or of the protocol.
    pub code: i64,
    /// Why.
    pub message: String,
}

impl Refusal {
    /// The message is no JSON.
    pub const PARSE: i64 = -32700;
    /// The message is no request.
    pub const INVALID: i64 = -32600;
    /// There is no such method.
    pub const METHOD: i64 = -32601;
    /// The parameters do not fit the method.
    pub const PARAMS: i64 = -32602;
    /// A bug.
    pub const INTERNAL: i64 = -32603;
    /// A request before `initialize`.
    pub const EARLY: i64 = -32002;
    /// The editor does not want the answer any more.
    pub const CANCELLED: i64 = -32800;
    /// The text was edited since the request.
    pub const MODIFIED: i64 = -32801;
    /// The request is fine, and cannot be done.
    pub const FAILED: i64 = -32803;

    /// With a code.
    pub fn new(code: i64, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }
}

/// The answer to a request.
pub fn response(id: &Value, answer: Result<Value, Refusal>) -> Value {
    match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(Refusal { code, message }) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    }
}

/// A message that wants no answer.
pub fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

#[cfg(test)]
mod tests {
    use super::{Read, Reader};

    fn all(text: &str) -> Vec<String> {
        let mut input = Reader::new(text.as_bytes());
        let mut found = Vec::new();
        loop {
            match input.read().expect("memory can be read") {
                Read::Message(value) => found.push(value.to_string()),
                Read::Malformed(why) => found.push(why),
                Read::End => return found,
            }
        }
    }

    #[test]
    fn messages_are_framed_and_what_is_malformed_passed_over() {
        let text = "Content-Length: 2\r\nContent-Type: x\r\n\r\n{}\
                    Content-Type: none\r\n\r\n\
                    content-length: 3\r\n\r\n{x}\
                    Content-Length: many\r\n\r\n\
                    Content-Length: 1\n\n7";
        assert_eq!(
            all(text),
            [
                "{}",
                "the header has no Content-Length",
                "the body is no JSON: key must be a string at line 1 column 2",
                "`many` is no length",
                "7"
            ]
        );
    }

    #[test]
    fn after_a_wrong_length_the_next_messages_are_read() {
        let good = "Content-Length: 7\r\n\r\n{\"b\":2}Content-Length: 7\r\n\r\n{\"c\":3}";
        let after = |wrong: usize| {
            let found = all(&format!("Content-Length: {wrong}\r\n\r\n{{\"a\":1}}{good}"));
            found.into_iter().filter(|text| text.starts_with('{')).collect::<Vec<_>>()
        };
        let both = ["{\"b\":2}", "{\"c\":3}"];
        for wrong in (0..7).chain(8..60).chain([4_000, usize::MAX, 1_000_000_000_000]) {
            assert_eq!(after(wrong), both, "with the length {wrong}");
        }
        assert_eq!(after(7).len(), 3);
        let long = format!("Content-Length: x\r\n\r\n{{\"a\":\"{}\"}}\n\n{good}", "-".repeat(10_000));
        assert_eq!(all(&long), [&["`x` is no length"][..], &both].concat());
        assert_eq!(all(&format!("}}}}{good}")).len(), 3);
    }
}

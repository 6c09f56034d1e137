//! Messages of JSON-RPC with their headers, as the language server protocol frames them.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

/// The most bytes of a message.
const LIMIT: usize = 256 << 20;
/// The most bytes of a line of a header.
const LINE: u64 = 4096;

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

/// Reads the next message. What is malformed is passed over as far as it can be told where it ends.
pub fn read(input: &mut impl BufRead) -> io::Result<Read> {
    let mut length: Option<usize> = None;
    let mut wrong = None;
    loop {
        let mut line = Vec::new();
        let got = io::Read::take(&mut *input, LINE).read_until(b'\n', &mut line)?;
        if got == 0 {
            return Ok(Read::End);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
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
        return Ok(Read::Malformed(wrong));
    }
    let Some(length) = length else {
        return Ok(Read::Malformed("the header has no Content-Length".into()));
    };
    if length > LIMIT {
        return Err(io::Error::other("a message is larger than 256 MiB"));
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(match serde_json::from_slice(&body) {
        Ok(value) => Read::Message(value),
        Err(error) => Read::Malformed(format!("the body is no JSON: {error}")),
    })
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
    use super::{Read, read};

    fn all(text: &str) -> Vec<String> {
        let mut input = text.as_bytes();
        let mut found = Vec::new();
        loop {
            match read(&mut input).expect("memory can be read") {
                Read::Message(value) => found.push(value.to_string()),
                Read::Malformed(why) => found.push(why),
                Read::End => return found,
            }
        }
    }

    #[test]
    fn messages_are_framed_and_what_is_malformed_passed_over() {
        let text = "Content-Length: 2\r\nContent-Type: x\r\n\r\n{}\
                    content-length: 3\r\n\r\n{x}\
                    Content-Type: none\r\n\r\n\
                    Content-Length: many\r\n\r\n\
                    Content-Length: 1\n\n7";
        assert_eq!(
            all(text),
            [
                "{}",
                "the body is no JSON: key must be a string at line 1 column 2",
                "the header has no Content-Length",
                "`many` is no length",
                "7"
            ]
        );
    }
}

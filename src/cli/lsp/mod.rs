//! `minima lsp`: the language server, over standard input and output.
//!
//! One thread reads messages, one checks texts, and the main one answers, from the tree of the present text and from
//! the latest check. So an answer never waits for a check.

mod convert;
mod desk;
mod open;
mod paths;
mod requests;
mod server;
mod wire;

use std::io::{self, BufReader};
use std::sync::mpsc;
use std::thread;

use self::desk::Desk;
use self::server::{Event, Server};
use super::exit;
use super::source::Failure;

/// Serves an editor until it says `exit` or closes.
pub fn serve() -> Result<u8, Failure> {
    let (tell, told) = mpsc::channel();
    let failed = |message: String| Failure { code: exit::INTERNAL, message };
    let desk = Desk::open(tell.clone()).map_err(failed)?;
    let listen = move || {
        let mut input = BufReader::new(io::stdin().lock());
        loop {
            let event = match wire::read(&mut input) {
                Ok(wire::Read::Message(message)) => Event::Message(message),
                Ok(wire::Read::Malformed(why)) => Event::Malformed(why),
                Ok(wire::Read::End) | Err(_) => Event::End,
            };
            let last = matches!(event, Event::End);
            if tell.send(event).is_err() || last {
                return;
            }
        }
    };
    let thread = thread::Builder::new().name("listen".into()).spawn(listen);
    thread.map_err(|error| failed(format!("the system gives no thread: {error}")))?;
    let mut server = Server::new(desk, Box::new(io::stdout()));
    loop {
        let Ok(event) = told.recv() else { return Ok(exit::INTERNAL) };
        if let Some(code) = server.take(event) {
            return Ok(code);
        }
    }
}

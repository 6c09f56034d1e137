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
use std::process;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use self::desk::Desk;
use self::server::{Event, Server};
use super::exit;
use super::source::Failure;

/// So long the process goes on at most after the editor has closed or said `exit`.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves an editor until it says `exit` or closes. The first check panics where the hidden option says so.
pub fn serve(plant: Option<&str>) -> Result<u8, Failure> {
    let (tell, told) = mpsc::channel();
    let failed = |message: String| Failure { code: exit::INTERNAL, message };
    let desk = Desk::open(tell.clone(), plant == Some("check")).map_err(failed)?;
    let listen = move || {
        let mut input = wire::Reader::new(BufReader::new(io::stdin().lock()));
        let mut ended = false;
        loop {
            let event = match input.read() {
                Ok(wire::Read::Message(message)) => Event::Message(message),
                Ok(wire::Read::Malformed(why)) => Event::Malformed(why),
                Ok(wire::Read::End) | Err(_) => Event::End,
            };
            let (shutdown, last) = match &event {
                Event::Message(message) => (message["method"] == "shutdown", message["method"] == "exit"),
                _ => (false, matches!(event, Event::End)),
            };
            ended |= shutdown;
            if tell.send(event).is_err() {
                return;
            }
            if last {
                // The main thread ends the process, unless it is busy for long with what came before.
                thread::sleep(PATIENCE);
                process::exit(i32::from(if ended { exit::OK } else { exit::PROGRAM }));
            }
        }
    };
    let thread = thread::Builder::new().name("listen".into()).spawn(listen);
    thread.map_err(|error| failed(format!("the system gives no thread: {error}")))?;
    let mut server = Server::new(desk, Box::new(io::stdout()));
    loop {
        let Ok(event) = told.recv() else { return Ok(exit::INTERNAL) };
        let events = std::iter::once(event).chain(told.try_iter()).collect();
        if let Some(code) = server.take(events) {
            return Ok(code);
        }
    }
}

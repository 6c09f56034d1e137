//! A peer: a child process that answers JSON lines (`peer.py` says which).

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::clock::PROCESSOR;

/// A process that runs workloads in another tool.
pub struct Peer {
    /// What it is called in the table.
    pub name: &'static str,
    /// The variant of the workloads that it runs.
    variant: &'static str,
    /// The versions it told of, as `name version`.
    pub versions: Vec<String>,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts a peer; else why it is not there.
    ///
    /// # Errors
    /// When the process does not start or ends before it greets.
    pub fn start(name: &'static str, variant: &'static str, mut command: Command) -> Result<Peer, String> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| error.to_string())?;
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut peer = Peer { name, variant, versions: Vec::new(), child, to, from };
        match peer.answer() {
            Some(hello) => {
                let versions = hello["versions"].as_object().unwrap();
                let pair = |(tool, version): (&String, &Value)| {
                    format!("{tool} {}", version.as_str().unwrap_or_default())
                };
                peer.versions = versions.iter().map(pair).collect();
                Ok(peer)
            }
            None => {
                let mut said = String::new();
                let stderr = peer.child.stderr.take().unwrap();
                BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| said = line);
                Err(said)
            }
        }
    }

    fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.from.read_line(&mut line).ok()?;
        (read > 0).then(|| serde_json::from_str(&line).ok())?
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.to, "{question}").unwrap();
        let answer = self.answer().unwrap_or_else(|| panic!("{} ended", self.name));
        if let Some(error) = answer["error"].as_str() {
            panic!("{} at {question}: {error}", self.name);
        }
        answer
    }

    /// Makes a workload ready. Gives the seconds of its first run with compilation, or nothing if the tool does
    /// not have it.
    pub fn setup(&mut self, workload: &str, args: &Value) -> Option<f64> {
        let question = json!({ "do": "setup", "workload": workload, "variant": self.variant, "args": args });
        self.ask(&question)["seconds"].as_f64()
    }

    /// What the workload computes.
    pub fn values(&mut self) -> Vec<f64> {
        let answer = self.ask(&json!({ "do": "values" }));
        let values = answer["values"].as_array().unwrap();
        values.iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
    }

    /// Seconds of one of so many runs.
    pub fn run(&mut self, times: usize) -> f64 {
        let processor = PROCESSOR.load(Ordering::Relaxed);
        self.ask(&json!({ "do": "run", "times": times, "processor": processor }))["seconds"].as_f64().unwrap()
    }
}

impl Peer {
    /// The most KiB that the process held.
    pub fn memory(&mut self) -> f64 {
        self.ask(&json!({ "do": "memory" }))["kib"].as_f64().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends by itself where it still reads; where it does not, it is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

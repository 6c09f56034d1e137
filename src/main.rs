//! The command `minima`.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use minima::driver::{Engine, Session, SessionOptions};
use minima::lower::Lower;
use minima::run::{Event, Runner, Sink};

struct Out;
impl Sink for Out {
    fn event(&mut self, event: Event) {
        match event {
            Event::Print(t) => println!("{t}"),
            Event::Assert { held, detail, .. } if !held => println!("assert failed {detail:?}"),
            _ => {}
        }
    }
}

fn main() {
    std::thread::Builder::new().stack_size(256 << 20).spawn(run).unwrap().join().unwrap();
}

fn run() {
    let args: Vec<String> = std::env::args().collect();
    let path = &args[2];
    let mut options = SessionOptions::default();
    if args.iter().any(|a| a == "--oracle") { options.engine = Engine::Oracle; }
    let mut session = Session::new(options).unwrap_or_else(|r| panic!("{r:?}"));
    let text = std::fs::read_to_string(path).unwrap();
    let id = session.sources.add(path.as_str(), text.as_str());
    let (file, mut reports) = minima::syntax::parse_file(id, &text);
    let mut out = Out;
    let folder = Path::new(path).parent().unwrap().to_path_buf();
    {
        let mut runner = Runner::new(&mut session, &folder, HashMap::new(), &mut out);
        let mut lower = Lower::new(&mut runner);
        lower.program(&Rc::new(file));
        if args[1] == "test" { for t in lower.tests() { println!("test {}", t.name); println!("{}", lower.run_test(&t)); } }
        reports.extend(lower.take_reports());
    }
    for r in &reports { eprint!("{}", minima::diag::render(r, &session.sources, false)); }
}

//! The programs of `tests/cases/solves`: each asserts what solving promises, and must hold in machine
//! code and in the oracle.

#[path = "support/programs.rs"]
mod programs;

use std::path::Path;

use minima::driver::Engine;

fn check(engine: Engine) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/solves");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder exists").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("a case is text");
        let ran = programs::run_text(&text, &folder, engine);
        let name = entry.file_name().to_string_lossy().into_owned();
        wrong.extend(ran.wrong.iter().map(|what| format!("{name}: {what}")));
        assert!(ran.held + ran.wrong.len() > 0, "{name} asserts nothing");
        count += 1;
    }
    assert!(count >= 10, "{count} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cases_hold_in_machine_code() {
    check(Engine::Native);
}

#[test]
fn cases_hold_in_the_oracle() {
    check(Engine::Oracle);
}

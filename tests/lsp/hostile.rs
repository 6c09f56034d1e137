//! What would make a server hang, grow or lose its way.

use std::fs::File;
use std::process::Command;

use serde_json::{Value, json};

use super::codes;
use super::editor::Editor;

fn messages(wrong: &[Value]) -> Vec<&str> {
    wrong.iter().map(|one| one["message"].as_str().expect("a text")).collect()
}

fn sparse(editor: &Editor, name: &str, bytes: u64) {
    let file = File::create(editor.folder.join(name)).expect("a file");
    file.set_len(bytes).expect("a sparse file");
}

#[test]
fn what_is_no_file_of_a_program_is_not_imported() {
    let mut editor = Editor::start("imported", &json!({}));
    sparse(&editor, "huge.opt", 3 << 30);
    let pipe = Command::new("mkfifo").arg(editor.folder.join("pipe.opt")).status();
    let mut imports = vec!["huge.opt"];
    if cfg!(unix) {
        assert!(pipe.is_ok_and(|status| status.success()));
        imports.extend(["pipe.opt", "/dev/zero"]);
    }
    let text: String = imports.iter().map(|path| format!("import \"{path}\"\n")).collect();
    let wrong = editor.open(&(text + "let a = 1\nprint a\n"));
    let huge = "\"huge.opt\" is larger than 64 MiB, the limit for a program";
    assert!(messages(&wrong)[0].starts_with(huge), "{wrong:?}");
    assert_eq!(wrong.len(), imports.len(), "{wrong:?}");
    assert!(messages(&wrong)[1..].iter().all(|text| text.contains("is a device, a pipe or a socket")));
    assert!(editor.hover("print |a").contains("let a: int"), "{}", editor.hover("print |a"));
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn data_have_a_limit() {
    let mut editor = Editor::start("data", &json!({}));
    sparse(&editor, "huge.csv", 2 << 30);
    sparse(&editor, "huge.npy", 2 << 30);
    let wrong = editor.open("let a = csv(\"huge.csv\")\nlet b = npy(\"huge.npy\")\nprint a, b\n");
    assert_eq!(codes(&wrong), ["E0603", "E0603"]);
    assert!(messages(&wrong)[0].contains("the limit is 1073741824"), "{wrong:?}");
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn after_a_wrong_length_the_server_finds_its_way() {
    let (mut editor, _) = Editor::with("lengths", "let a = 1\nprint a\n");
    let body = json!({ "jsonrpc": "2.0", "method": "none", "params": {} }).to_string();
    for length in [0, 1, body.len() - 1, body.len() + 1, body.len() + 30, 1_000_000_000_000] {
        editor.write(format!("Content-Length: {length}\r\n\r\n{body}").as_bytes());
        // What is still missing of a message may be the whole next one.
        editor.tell("none", &json!({}));
        assert!(editor.hover("print |a").contains("let a: int"), "{length}");
    }
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn many_edits_are_checked_once_and_many_problems_are_counted() {
    let text: String = (0..600).map(|k| format!("let a{k} = {k}\nlet b{k} = none{k}\n")).collect();
    let (mut editor, wrong) = Editor::with("many", &text);
    assert_eq!(wrong.len(), 501);
    assert_eq!(wrong[500]["message"], "there are 100 more problems, which are not shown");
    for _ in 0..200 {
        editor.edit("let a0 = ", "let a0 =  ");
    }
    assert!(editor.hover("let |a0 = ").contains("let a0"));
    assert_eq!(editor.wrong().len(), 501);
    let told = editor.waiting.iter().filter(|one| one["method"] == "textDocument/publishDiagnostics");
    assert!(told.count() < 20);
    assert_eq!(editor.end(), Some(0));
}

//! Pictures: those of `docs/plots.md` are drawn from the programs there, letter by letter; `UPDATE=1 cargo test --test
//! pictures` writes them to `docs/pictures`. They are well-formed, and a PNG shows the same.

use std::path::{Path, PathBuf};

use minima::driver::{Session, SessionOptions};
use minima::picture::{Axis, Figure, Grid, Mark, Marking, Panel, png, svg, terminal};
use minima::run::{Event, Program, Sink};

#[path = "support/markup.rs"]
mod markup;

/// Hears of pictures.
#[derive(Default)]
struct Pictures(Vec<(String, Figure)>);

impl Sink for Pictures {
    fn event(&mut self, event: Event) {
        if let Event::Plot { figure, path: Some(path), .. } = event {
            self.0.push((path, *figure));
        }
    }
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

/// The pictures that the programs of a document write.
fn drawn(document: &str) -> Vec<(String, Figure)> {
    let text = std::fs::read_to_string(document).expect("the document");
    let mut pictures = Pictures::default();
    for (at, block) in text.split("```").enumerate() {
        let Some(program) = block.strip_prefix("minima\n").filter(|_| at % 2 == 1) else { continue };
        let mut session = Session::new(SessionOptions::default()).expect("the library is right");
        let file = session.sources.add("docs/plots.md", program);
        let mut code = Program::new(folder());
        code.read(file, program);
        code.run(&mut session, &mut pictures);
        assert!(code.reports.is_empty(), "{:?}", code.reports);
    }
    pictures.0
}

#[test]
fn the_pictures_of_the_documents_are_drawn_from_their_programs() {
    let update = std::env::var_os("UPDATE").is_some();
    let text = std::fs::read_to_string("docs/plots.md").expect("the document");
    let drawn = drawn("docs/plots.md");
    assert_eq!(drawn.len(), 8);
    for (name, figure) in drawn {
        assert!(text.contains(&format!("(pictures/{name})")), "{name} is shown");
        let found = svg(&figure, false);
        markup::well_formed(&found);
        assert_eq!(std::fs::read_to_string(folder().join(&name)).expect("it was written"), found);
        let path = Path::new("docs/pictures").join(&name);
        if update {
            std::fs::write(&path, &found).expect("it can be written");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == found, "{name} differs: UPDATE=1 cargo test --test pictures, then look at it");
        assert!(found.contains("prefers-color-scheme:dark"));
        let bytes = png(&figure).expect("it has a size");
        assert_eq!(bytes[..8], [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        let side = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        assert_eq!((f64::from(side(16)), f64::from(side(20))), (2.0 * figure.width, 2.0 * figure.height));
        assert_eq!(png(&figure), Some(bytes), "equal figures give equal bytes");
    }
}

/// A figure of one panel.
fn figure(marks: Vec<Mark>) -> Figure {
    let axis = || Axis { label: "x".into(), ..Axis::default() };
    Figure::new("line", vec![Panel { x: axis(), y: axis(), marks }])
}

fn line(name: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::new(name, Marking::Line(x, y))
}

#[test]
fn any_numbers_are_drawn_or_refused() {
    let bad = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        5e-324,
        -5e-324,
        1.0,
        f64::MAX,
        f64::MIN,
        1e-300,
    ];
    let mut refused = 0;
    for a in bad {
        for b in bad {
            for c in bad {
                let mut pictures = vec![figure(vec![line("y", vec![0.0, 1.0, 2.0], vec![a, b, c])])];
                pictures.push(figure(vec![line("y", vec![a, b, c], vec![c, a, b])]));
                let grid = || Grid { x: vec![0.0, 1.0], y: vec![0.0, 1.0], z: vec![a, b, c, 1.0] };
                pictures.push(figure(vec![Mark::new("f", Marking::Levels(grid(), Vec::new()))]));
                pictures.push(figure(vec![Mark::new("f", Marking::Cells(grid()))]));
                for mut picture in pictures {
                    for log in [None, Some(true)] {
                        picture.panels[0].y.log = log;
                        if picture.settle().is_err() {
                            refused += 1;
                            continue;
                        }
                        let text = svg(&picture, false);
                        assert!(!text.contains("NaN") && !text.contains("inf"), "{a} {b} {c}:\n{text}");
                        assert!(text.len() < 20_000, "{a} {b} {c}: {} bytes", text.len());
                        assert!(!terminal(&picture, 80, false).is_empty());
                    }
                }
            }
        }
    }
    assert!(refused > 0 && refused < 5_000, "{refused}");
}

#[test]
fn nothing_of_a_text_is_taken_for_markup_or_a_command() {
    let name = "a<b> & \"c\" \u{1b}[31m\n'd' \u{7}";
    let mut picture =
        figure(vec![line(name, vec![0.0, 1.0], vec![1.0, 2.0]), line("b", vec![0.0], vec![1.0])]);
    picture.title = Some(name.into());
    picture.panels[0].x.label = name.into();
    picture.settle().expect("there is something");
    let text = svg(&picture, false);
    markup::well_formed(&text);
    assert!(text.contains("a&lt;b&gt; &amp; &quot;c&quot; [31m &#39;d&#39;"), "{text}");
    let shown = terminal(&picture, 80, false);
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 84), "{shown}");
}

#[test]
fn a_million_points_are_a_small_picture() {
    let x: Vec<f64> = (0..1_000_000).map(f64::from).collect();
    let y: Vec<f64> = (0..1_000_000_u32).map(|k| f64::from(k.wrapping_mul(2_654_435_761) % 1000)).collect();
    let mut picture = figure(vec![line("y", x.clone(), y.clone())]);
    picture.settle().expect("there is something");
    assert!(svg(&picture, false).len() < 60_000);
    let mut picture = figure(vec![Mark::new("y", Marking::Points(x, y, minima::picture::Tint::Plain))]);
    picture.settle().expect("there is something");
    assert!(svg(&picture, false).len() < 4_000_000);
}

#[test]
fn letters_are_drawn_where_the_layout_says() {
    let mut plain = figure(vec![line("y", vec![0.0, 1.0], vec![1.0, 2.0])]);
    let mut titled = plain.clone();
    titled.title = Some("Title".into());
    plain.settle().expect("there is something");
    titled.settle().expect("there is something");
    assert_ne!(png(&plain), png(&titled));
    plain.width = 1e9;
    assert_eq!(png(&plain), None, "too large a picture is refused");
}

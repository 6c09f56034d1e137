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

/// The plots of a program, which is right, in order.
fn plotted(program: &str) -> Vec<Figure> {
    struct All(Vec<Figure>);
    impl Sink for All {
        fn event(&mut self, event: Event) {
            if let Event::Plot { figure, .. } = event {
                self.0.push(*figure);
            }
        }
    }
    let mut session = Session::new(SessionOptions::default()).expect("the library is right");
    let file = session.sources.add("p.opt", program);
    let mut code = Program::new(folder());
    code.read(file, program);
    let mut all = All(Vec::new());
    code.run(&mut session, &mut all);
    assert!(code.reports.is_empty(), "{:?}", code.reports);
    all.0
}

/// Points, one after the other.
type Way = Vec<(f64, f64)>;

/// The ways in a figure, and its grid.
fn ways(figure: &Figure) -> (Vec<Way>, Vec<&Grid>) {
    let (mut ways, mut grids) = (Vec::new(), Vec::new());
    for mark in &figure.panels[0].marks {
        match &mark.kind {
            Marking::Path(x, y) => ways.push(x.iter().copied().zip(y.iter().copied()).collect()),
            Marking::Levels(grid, _) => grids.push(grid),
            _ => {}
        }
    }
    (ways, grids)
}

#[test]
fn ways_go_from_the_start_to_the_answer() {
    let figures = plotted(
        "fn f(a: real, b: real) = (1 - a)^2 + 10*(b - a^2)^2\n\
         let quick = minimize f(a, b) over a = -1.2, b = 1.0 using bfgs()\n\
         let slow = minimize f(w[0], w[1]) over w = [-1.2, 1.0] using gd(lr = 1e-3) until steps >= 5000\n\
         let every = minimize f(a, b) over a = -1.2, b = 1.0 using gd(lr = 1e-3) until steps >= 70 with trace = 7\n\
         let X: real[40] ~ normal(0, 1)\n\
         let rows = minimize mean((u*x + v - x)^2 for x in X) over u = 3.0, v = 2.0 using sgd(lr = 0.1)\n  \
           until epochs >= 5 with batch = 8\n\
         plot contour(f, box(-2, 2), path = (quick, slow, every))\n\
         plot contour(rows)\n\
         plot line([quick.a, slow.w[0], every.a, rows.u], [quick.b, slow.w[1], every.b, rows.v])\n\
         plot line([len(quick.trace), len(slow.trace), len(every.trace), len(rows.trace)], [0, 0, 0, 0])\n",
    );
    let (mut found, grids) = ways(&figures[0]);
    let (of_rows, _) = ways(&figures[1]);
    found.extend(of_rows);
    let numbers = |figure: &Figure| match &figure.panels[0].marks[0].kind {
        Marking::Line(x, y) => x.iter().copied().zip(y.iter().copied()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let (answers, counts) = (numbers(&figures[2]), numbers(&figures[3]));
    assert_eq!(found.len(), 4);
    for (k, way) in found.iter().enumerate() {
        assert_eq!(way[0], if k == 3 { (3.0, 2.0) } else { (-1.2, 1.0) });
        assert_eq!(way.last(), Some(&answers[k]), "way {k}");
        assert!(
            (way.len() as f64 - counts[k].0).abs() < 0.5,
            "{} points, {} in the trace",
            way.len(),
            counts[k].0
        );
    }
    assert_eq!(found[2].len(), 11);
    assert!(found[1].len() > 500 && found[1].len() < 5001, "thinned as the trace is: {}", found[1].len());
    let grid = grids[0];
    assert_eq!((grid.x[0], *grid.x.last().expect("it has columns")), (-2.0, 2.0));
    for (at, z) in grid.z.iter().enumerate().step_by(997) {
        let (a, b) = (grid.x[at % grid.x.len()], grid.y[at / grid.x.len()]);
        let exact = (1.0 - a).powi(2) + 10.0 * (b - a * a).powi(2);
        assert!((z - exact).abs() <= 1e-12 * exact.max(1.0), "{z} {exact}");
    }
    assert_eq!(figures[1].names(), ["rows"], "a result is its objective and its way");
}

#[test]
fn level_sets_are_those_of_functions_pairs_and_objectives() {
    let figures = plotted(
        "fn f(a: real, b: real) = a - 2*b\n\
         fn g(x: real[2]) = x[0] - 2*x[1]\n\
         objective P(c: real) {\n  param a = 0.0\n  param b = 0.0\n  minimize a - c*b\n}\n\
         objective Q() {\n  param w: real[2] = 0\n  minimize w[0] - 2*w[1]\n}\n\
         plot contour(f, box(-1, 1))\nplot contour(g, box(-1, 1))\nplot contour(P(2.0), box(-1, 1))\n\
         plot contour(Q(), box(-1, 1))\nplot contour((u, v) -> u - 2*v, box([-1, -1], [1, 1]))\n\
         plot contour(x -> g(x), box((-1, -1), (1, 1)))\n",
    );
    let labels = |figure: &Figure| [figure.panels[0].x.label.clone(), figure.panels[0].y.label.clone()];
    let expected = [["a", "b"], ["x[0]", "x[1]"], ["a", "b"], ["w[0]", "w[1]"], ["u", "v"], ["x[0]", "x[1]"]];
    assert_eq!(figures.len(), expected.len());
    for (figure, names) in figures.iter().zip(expected) {
        assert_eq!(labels(figure), names);
        let (_, grids) = ways(figure);
        assert_eq!(grids[0].z, ways(&figures[0]).1[0].z, "{names:?}");
    }
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

#[test]
fn a_way_under_another_is_seen() {
    let way = |name: &str| Mark::new(name, Marking::Path(vec![0.0, 1.0, 2.0], vec![0.0, 2.0, 1.0]));
    let grid = Grid { x: vec![-1.0, 1.0, 3.0], y: vec![-1.0, 1.0, 3.0], z: (0..9).map(f64::from).collect() };
    let mut picture =
        figure(vec![Mark::new("f", Marking::Levels(grid, Vec::new())), way("first"), way("second")]);
    picture.settle().expect("there is something");
    let text = svg(&picture, false);
    let width = |class: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("<path class=\"s {class}\"")));
        let line = line.unwrap_or_else(|| panic!("{class} is drawn:\n{text}"));
        let from = line.split("stroke-width=\"").nth(1).and_then(|rest| rest.split('"').next());
        from.and_then(|width| width.parse::<f64>().ok()).expect("a line has a width")
    };
    assert!(width("mw0") > width("mw1") + 1.0, "{} {}", width("mw0"), width("mw1"));
}

#[test]
fn one_value_everywhere_is_told() {
    let figures = plotted("plot contour((a, b) -> 5.0 + 0*a, box(-1, 1))\n");
    assert_eq!(figures[0].notes, ["(a, b) -> 5.0 + 0*a is 5 everywhere here"]);
    let text = svg(&figures[0], false);
    assert!(text.contains(">5</text>"), "the color has its value:\n{text}");
}

#[test]
fn what_is_left_out_has_the_name_of_its_axis() {
    let figures = plotted(
        "let u = [1.0, 1/0, -2.0, 3.0]\nlet v = [1.0, 2.0, 3.0, 0/0]\n\
         plot scatter(u, v) with log_x = true\nplot histogram(u) with log_x = true\n",
    );
    let expected = [
        "not finite, left as gaps: 1 value of u, 1 value of v",
        "not positive, left out of the logarithmic axis: 1 value of u",
    ];
    assert_eq!(figures[0].notes, expected);
    let expected =
        ["1 of 4 values is not finite and not counted", "1 of 4 values is not positive and not counted"];
    assert_eq!(figures[1].notes, expected);
    let Marking::Bars(edges, counts) = &figures[1].panels[0].marks[0].kind else { panic!("no bars") };
    assert!(edges.iter().all(|edge| *edge > 0.0), "{edges:?}");
    assert!((counts.iter().sum::<f64>() - 2.0).abs() < 1e-12);
}

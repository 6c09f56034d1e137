//! A figure as PNG: light, at twice the size, with letters drawn from their outlines.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};

use super::figure::Figure;
use super::scene::{Anchor, Color, Point, Shape};
use super::{glyphs, layout, palette};

/// Pixels of the picture for a pixel of the layout.
const SCALE: f32 = 2.0;

/// The bytes of the figure as a PNG file; `None` if it is too large for a picture.
pub fn png(figure: &Figure) -> Option<Vec<u8>> {
    let scene = layout::scene(figure);
    let size = |x: f64| u32::try_from(super::count(x * f64::from(SCALE)).max(1)).ok();
    let mut pixels = Pixmap::new(size(scene.width)?, size(scene.height)?)?;
    let [r, g, b] = palette::rgb(Color::Back, false);
    pixels.fill(tiny_skia::Color::from_rgba8(r, g, b, 255));
    for shape in &scene.shapes {
        draw(&mut pixels, shape);
    }
    let rows = pixels.data().chunks_exact(4 * usize::try_from(pixels.width()).ok()?);
    file(pixels.width(), pixels.height(), rows)
}

/// A PNG file of opaque pixels, given as rows of red, green, blue, alpha.
fn file<'p>(width: u32, height: u32, rows: impl Iterator<Item = &'p [u8]>) -> Option<Vec<u8>> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::new(6));
    let mut above: Vec<u8> = Vec::new();
    for row in rows {
        let row: Vec<u8> = row.chunks_exact(4).flat_map(|pixel| &pixel[..3]).copied().collect();
        above.resize(row.len(), 0);
        // The filter "up": what differs from the row above, mostly nothing.
        let differences: Vec<u8> =
            row.iter().zip(&above).map(|(here, above)| here.wrapping_sub(*above)).collect();
        packed.write_all(&[2]).ok()?;
        packed.write_all(&differences).ok()?;
        above = row;
    }
    // Eight bits for each of red, green, blue.
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", head), (b"IDAT", packed.finish().ok()?), (b"IEND", Vec::new())] {
        bytes.extend(u32::try_from(data.len()).ok()?.to_be_bytes());
        let from = bytes.len();
        bytes.extend(kind);
        bytes.extend(data);
        bytes.extend(checksum(&bytes[from..]).to_be_bytes());
    }
    Some(bytes)
}

/// The cyclic redundancy check of 32 bits, with the polynomial of PNG.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
    let add = |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), step);
    !bytes.iter().fold(u32::MAX, add)
}

#[expect(clippy::cast_possible_truncation, reason = "a place on a picture")]
fn narrow(x: f64) -> f32 {
    x.clamp(-1e6, 1e6) as f32
}

fn paint(color: Color) -> Paint<'static> {
    let [r, g, b] = palette::rgb(color, false);
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, 255);
    paint.anti_alias = true;
    paint
}

/// From the layout to the picture.
fn scaled() -> Transform {
    Transform::from_scale(SCALE, SCALE)
}

fn draw(pixels: &mut Pixmap, shape: &Shape) {
    match shape {
        Shape::Strokes { lines, color, width, dash } => {
            let dash = if *dash { StrokeDash::new(vec![6.0, 4.0], 0.0) } else { None };
            let stroke = Stroke { dash, ..pen(*width) };
            for line in lines.iter().filter_map(|line| path(line, false)) {
                pixels.stroke_path(&line, &paint(*color), &stroke, scaled(), None);
            }
        }
        Shape::Fill { outlines, color } => fill(pixels, outlines, &paint(*color)),
        Shape::Cells { outlines, color } => {
            fill(pixels, outlines, &Paint { anti_alias: false, ..paint(*color) })
        }
        Shape::Box { at: (x, y), size: (width, height), color } => {
            if let Some(rect) = Rect::from_xywh(narrow(*x), narrow(*y), narrow(*width), narrow(*height)) {
                pixels.fill_rect(rect, &paint(*color), scaled(), None);
            }
        }
        Shape::Discs { at, radius, color } => {
            for path in at
                .iter()
                .filter_map(|(x, y)| PathBuilder::from_circle(narrow(*x), narrow(*y), narrow(*radius)))
            {
                pixels.fill_path(&path, &paint(*color), FillRule::Winding, scaled(), None);
            }
        }
        Shape::Ring { at: (x, y), radius, color, width } => {
            if let Some(path) = PathBuilder::from_circle(narrow(*x), narrow(*y), narrow(*radius)) {
                pixels.stroke_path(&path, &paint(*color), &pen(*width), scaled(), None);
            }
        }
        Shape::Text { at, text, size, anchor, upright, bold, color } => {
            let width = glyphs::width(text, *size);
            let shift = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => -width / 2.0,
                Anchor::End => -width,
            };
            let turn = if *upright { -90.0 } else { 0.0 };
            let placed = scaled().pre_translate(narrow(at.0), narrow(at.1)).pre_rotate(turn);
            letters(pixels, text, (*size, shift), *bold, *color, placed);
        }
    }
}

fn fill(pixels: &mut Pixmap, outlines: &[Vec<Point>], paint: &Paint<'_>) {
    let mut builder = PathBuilder::new();
    outlines.iter().for_each(|line| add(&mut builder, line, true));
    if let Some(path) = builder.finish() {
        pixels.fill_path(&path, paint, FillRule::EvenOdd, scaled(), None);
    }
}

fn pen(width: f64) -> Stroke {
    Stroke { width: narrow(width), line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() }
}

fn add(builder: &mut PathBuilder, line: &[Point], closed: bool) {
    for (k, (x, y)) in line.iter().enumerate() {
        if k == 0 { builder.move_to(narrow(*x), narrow(*y)) } else { builder.line_to(narrow(*x), narrow(*y)) }
    }
    if closed {
        builder.close();
    }
}

fn path(line: &[Point], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    add(&mut builder, line, closed);
    builder.finish()
}

/// A text from its place on; bold letters have a rim.
fn letters(
    pixels: &mut Pixmap,
    text: &str,
    (size, shift): (f64, f64),
    bold: bool,
    color: Color,
    place: Transform,
) {
    let mut builder = PathBuilder::new();
    let mut at = shift;
    for letter in text.chars() {
        let glyph = glyphs::glyph(letter);
        outline(&mut builder, glyph.path, size / 256.0, at);
        at += glyph.width * size / 256.0;
    }
    let Some(path) = builder.finish() else { return };
    pixels.fill_path(&path, &paint(color), FillRule::Winding, place, None);
    if bold {
        pixels.stroke_path(&path, &paint(color), &pen(size / 26.0), place, None);
    }
}

/// The outline of a letter.
fn outline(builder: &mut PathBuilder, path: &str, scale: f64, left: f64) {
    let commands = path.split_inclusive(|c: char| c.is_ascii_alphabetic());
    let mut command = 'Z';
    for part in commands.chain(["Z"]) {
        let numbers = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let at: Vec<f32> = numbers.split(' ').filter_map(|n| n.parse::<f64>().ok()).map(narrow).collect();
        let place = |k: usize| {
            let (x, y) = (f64::from(at[k]), f64::from(at[k + 1]));
            (narrow(left + x * scale), narrow(-y * scale))
        };
        match (command, at.len()) {
            ('M', 2) => builder.move_to(place(0).0, place(0).1),
            ('L', 2) => builder.line_to(place(0).0, place(0).1),
            ('Q', 4) => builder.quad_to(place(0).0, place(0).1, place(2).0, place(2).1),
            _ => {}
        }
        command = part.chars().last().unwrap_or('Z');
        if command == 'Z' {
            builder.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b"IEND"), 0xae42_6082);
    }
}

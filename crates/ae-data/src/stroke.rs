//! A stroke of the pen: a line through places, with round ends and a grey rim.

/// Width of the grey rim around the ink, in pixels.
const RIM: f32 = 1.35;

/// Where the pen was, and how wide, in pixels; the corner of the paper is (0, 0).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dab {
    pub x: f32,
    pub y: f32,
    pub radius: f32,
    /// Whether the pen came here through the air: no ink joins this dab to the one before.
    pub first: bool,
}

/// How dark the pixels of a paper of `N` by `N` are, from 0 to 1, after a pen went along a path.
pub(crate) fn ink<const N: usize>(path: &[Dab]) -> [[f32; N]; N] {
    let mut ink = [[-RIM; N]; N]; // how far inside the line a pixel is, then how dark
    for pair in path.windows(2) {
        if !pair[1].first {
            segment(pair[0], pair[1], &mut ink);
        }
    }
    for pixel in ink.as_flattened_mut() {
        let edge = (0.5 + *pixel / RIM).clamp(0.0, 1.0);
        *pixel = edge * edge * (3.0 - 2.0 * edge);
    }
    ink
}

/// Deepens the pixels near a segment; no others are looked at.
fn segment<const N: usize>(a: Dab, b: Dab, depth: &mut [[f32; N]; N]) {
    let reach = a.radius.max(b.radius) + 0.5 * RIM;
    let span = |p: f32, q: f32| {
        let from = (p.min(q) - reach + 0.5).max(0.0) as usize; // first centre of a pixel in reach
        let to = (p.max(q) + reach + 0.5).max(0.0) as usize; // one after the last
        from.min(N)..to.min(N)
    };
    let (along_x, along_y) = (b.x - a.x, b.y - a.y);
    let inverse = 1.0 / (along_x * along_x + along_y * along_y).max(1e-6);
    let columns = span(a.x, b.x);
    for row in span(a.y, b.y) {
        let dy = row as f32 + 0.5 - a.y;
        let mut dx = columns.start as f32 + 0.5 - a.x;
        for pixel in &mut depth[row][columns.clone()] {
            let t = ((dx * along_x + dy * along_y) * inverse).clamp(0.0, 1.0);
            let (x, y) = (dx - t * along_x, dy - t * along_y);
            let radius = a.radius + t * (b.radius - a.radius);
            *pixel = pixel.max(radius - (x * x + y * y).sqrt());
            dx += 1.0;
        }
    }
}

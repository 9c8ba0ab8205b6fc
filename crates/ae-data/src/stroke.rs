//! A brush stroke: a line through discs, with round ends and an anti-aliased rim.

/// Width of the grey rim around the ink, in pixels.
const RIM: f32 = 1.35;

/// A position of the brush and its radius, in pixels. (0, 0) is the corner of the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disc {
    pub x: f32,
    pub y: f32,
    pub radius: f32,
    /// Whether a stroke starts here: no line joins this disc to the one before.
    pub first: bool,
}

/// Rasterizes a path into `N` by `N` pixels from 0 to 1.
pub(crate) fn rasterize<const N: usize>(path: &[Disc]) -> [[f32; N]; N] {
    let mut ink = [[-RIM; N]; N]; // the distance of a pixel inside the line, then its value
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

/// Updates the distances of the pixels near a segment. No others are computed.
fn segment<const N: usize>(a: Disc, b: Disc, depth: &mut [[f32; N]; N]) {
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

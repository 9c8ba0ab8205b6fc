//! The best variant of each class of shapes, as lines of `crates/ae-kernels/src/gpu/class.rs`.

use std::collections::BTreeMap;

use ae_kernels::atlas::{Class, Request, UNLIMITED, Variant};

use crate::Result;
use crate::options::Options;
use crate::sheet::title;
use crate::variants::Timed;

/// A line is worth having where what is chosen now takes this many times as long at the worst shape.
const GAIN: f64 = 1.05;

/// All times of one request, in its class.
type Points = BTreeMap<String, Vec<Timed>>;

pub fn section(timed: &[Timed], options: &Options) -> Result<()> {
    title("best variants by class of shapes", options);
    let mut classes: BTreeMap<Class, Points> = BTreeMap::new();
    for one in timed {
        let Request { shape, layers, .. } = one.request;
        let points = classes.entry(Class::of(&one.request)).or_default();
        points.entry(format!("{shape:?} {layers}")).or_default().push(*one);
    }
    let mut text = String::new();
    for (class, points) in &classes {
        let Some((variant, worst)) = least_worst(points) else { continue };
        let own = points.values().map(|times| {
            let own = times.iter().filter(|one| one.is_chosen).map(|one| one.seconds);
            own.fold(f64::NAN, f64::min) / fastest(times)
        });
        let own = own.fold(1.0, f64::max);
        let line = line(class, &variant);
        let mark = if own > GAIN * worst { "" } else { "// as good by the rules: " };
        text += &format!(
            "{mark}{line} // {} shapes; at worst {worst:.2} of the best, chosen now {own:.2}\n",
            points.len()
        );
    }
    print!("{text}");
    std::fs::write(options.out.join("table.rs"), text)?;
    Ok(())
}

fn fastest(times: &[Timed]) -> f64 {
    times.iter().map(|one| one.seconds).fold(f64::INFINITY, f64::min)
}

/// The variant whose worst time, as a multiple of the best one for the same shape, is the least. One that was not timed
/// for a shape counts as the slowest there.
fn least_worst(points: &Points) -> Option<(Variant, f64)> {
    let mut variants: Vec<Variant> = points.values().flatten().map(|one| one.variant).collect();
    variants.dedup();
    let worst = |variant: &Variant| {
        let losses = points.values().map(|times| {
            let own = times.iter().filter(|one| one.variant == *variant).map(|one| one.seconds);
            let slowest = times.iter().map(|one| one.seconds).fold(0.0, f64::max);
            own.reduce(f64::min).unwrap_or(slowest) / fastest(times)
        });
        losses.fold(1.0, f64::max)
    };
    let rated = variants.into_iter().map(|variant| (variant, worst(&variant)));
    rated.min_by(|(_, left), (_, right)| left.total_cmp(right))
}

fn line(class: &Class, variant: &Variant) -> String {
    let most = class.most.map(|most| match most {
        UNLIMITED => "UNLIMITED".to_owned(),
        most => most.to_string(),
    });
    let Variant { rows, columns, depth, m, n, groups, splits } = variant;
    format!(
        "line(Kind::{:?}, [{}], [{rows}, {columns}, {depth}], [{m}, {n}], {groups}, {splits}),",
        class.kind,
        most.join(", ")
    )
}
